"""Any WSGI application on a loopback port, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    # Headers and body leave in two writes; with Nagle's algorithm each answer would wait 40 ms.
    disable_nagle_algorithm = True

    def send_response(self, code: int, message: str | None = None) -> None:
        """Leave the Date header to the application, whose clock may stand elsewhere."""
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        """Keep quiet: the sandbox has a request log of its own."""


class Server:
    """Serves from `start` to `stop`; port 0 takes a free one, which `port` then tells."""

    def __init__(self, application: WSGIApplication, port: int = 0) -> None:
        self._application = application
        self.port = port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        # Bound here, because werkzeug ends the whole program when the port is taken.
        with socket.create_server((HOST, self.port)) as listener:
            self.port = listener.getsockname()[1]
            self._server = make_server(
                HOST,
                self.port,
                self._application,
                threaded=True,
                request_handler=_Handler,
                fd=listener.fileno(),
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
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
