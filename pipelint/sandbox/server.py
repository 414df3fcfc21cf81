"""What every sandbox is: a CRM's application on a loopback port, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from pipelint.sandbox.control import PREFIX, Control, LoggedRequest

HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    # Headers and body leave in two writes; with Nagle's algorithm each answer would wait 40 ms.
    disable_nagle_algorithm = True

    def send_response(self, code: int, message: str | None = None) -> None:
        """Leave the Date header to the application, whose clock may stand elsewhere."""
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        """Keep quiet: the sandbox has a request log of its own."""


class Sandbox(ABC):
    """Serves from `start` to `stop`; port 0 takes a free one, which `port` then tells."""

    def __init__(self, control: Control, port: int) -> None:
        self._control = control
        self.clock = control.clock
        self.faults = control.faults
        self.port = port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    def banner(self) -> str:
        """What runs here and how to reach it."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write what the CRM holds to a file from which `state` brings it back."""

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def control_url(self) -> str:
        """Where it is steered: faults, clock, request log, and what the CRM adds."""
        return f"{self.base_url}{PREFIX}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every API request so far, in order."""
        return self._control.requests

    def start(self) -> None:
        """Serve; `base_url` is known from here on.

        Raises:
            OSError: the port is in use.
        """
        # Bound here, because werkzeug ends the whole program when the port is taken.
        with socket.create_server((HOST, self.port)) as listener:
            self.port = listener.getsockname()[1]
            self._server = make_server(
                HOST,
                self.port,
                self._control,
                threaded=True,
                request_handler=_Handler,
                fd=listener.fileno(),
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; what the CRM holds stays at hand, and can still be saved."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
