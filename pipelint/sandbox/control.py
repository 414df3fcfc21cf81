"""The sandbox around a CRM's application: request log, scripted faults, and `/_sandbox` to steer both."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.faults import EFFECTS, Fault, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/_sandbox"

Action = Callable[[object], object]
"""A CRM's own control, such as `expire-sessions`: the JSON sent in, the JSON to answer."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as it came in, and the status it got; 0 when the connection was dropped."""

    method: str
    path: str
    query: str
    status: int
    body: str


class Control:
    """Wraps a CRM's application."""

    def __init__(
        self,
        application: WSGIApplication,
        clock: Clock,
        faults: Faults,
        native_error: Callable[[str, str, int], Response],
        actions: dict[str, Action] | None = None,
    ) -> None:
        self._application = application
        self.clock = clock
        self.faults = faults
        self._native_error = native_error
        self._actions = actions or {}
        self._lock = threading.Lock()
        self.requests: list[LoggedRequest] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith(PREFIX):
            return self._steer(request)(environ, start_response)
        # Read before anything is answered: an unread body would stand before the next request.
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        fault = self.faults.for_request(request.method, request.full_path.rstrip("?"))
        response = self._answer(request, fault)
        self._log(request, body, 0 if response is None else response.status_code)
        if response is None:
            _hang_up(environ)
            raise ConnectionAbortedError("scripted")
        if fault is not None and fault.retry_after:
            response.headers["Retry-After"] = str(fault.retry_after)
        if fault is not None and fault.effect == "truncate":
            return _truncated(response, environ, start_response)
        return response(environ, start_response)

    def _answer(self, request: Request, fault: Fault | None) -> Response | None:
        """The answer to a request that this fault strikes; None to hang up."""
        if fault is None:
            return self._work(request)
        match fault.effect:
            case "respond":
                return Response(fault.body, fault.status or 500, content_type=fault.content_type)
            case "html":
                page = (
                    "<html><head><title>Error</title></head><body><h1>Down for maintenance</h1></body></html>"
                )
                return Response(
                    fault.body or page, fault.status or 503, content_type="text/html;charset=UTF-8"
                )
            case "error":
                return self._native_error(fault.code, fault.message, fault.status)
            case "delay":
                time.sleep(fault.seconds)
                return self._work(request)
            case "late":
                response = self._work(request)
                time.sleep(fault.seconds)
                return response
            case "malformed":
                response = self._work(request)
                response.set_data(response.get_data()[: len(response.get_data()) // 2])
                return response
            case "drop_after":
                self._work(request)
                return None
            case "drop":
                return None
            case _:
                return self._work(request)

    def _work(self, request: Request) -> Response:
        return Response.from_app(self._application, request.environ, buffered=True)

    def _log(self, request: Request, body: bytes, status: int) -> None:
        with self._lock:
            query = request.query_string.decode()
            self.requests.append(
                LoggedRequest(request.method, request.path, query, status, body.decode("utf-8", "replace"))
            )

    def _steer(self, request: Request) -> Response:
        name = request.path.removeprefix(PREFIX).strip("/")
        try:
            document = json.loads(request.get_data() or b"{}")
            answer = self._control(request.method, name, document)
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        if answer is None:
            return _json({"error": f"no such control: {request.method} {request.path}"}, 404)
        return _json(answer)

    def _control(self, method: str, name: str, document: object) -> object | None:
        match method, name:
            case "GET", "":
                return {"controls": ["clock", "faults", "requests", *self._actions]}
            case "GET", "faults":
                return {"script": self.faults.script(), "effects": EFFECTS}
            case "POST", "faults":
                faults = document if isinstance(document, list) else [document]
                for fault in faults:
                    self.faults.add_json(fault)
                return {"script": self.faults.script()}
            case "DELETE", "faults":
                self.faults.clear()
                return {"script": []}
            case "GET", "requests":
                with self._lock:
                    return {"count": len(self.requests), "requests": [asdict(it) for it in self.requests]}
            case "DELETE", "requests":
                with self._lock:
                    self.requests.clear()
                return {"count": 0, "requests": []}
            case "GET", "clock":
                return {"now": self.clock.now().isoformat()}
            case "POST", "clock":
                return {"now": self._set_clock(document).isoformat()}
        if method == "POST" and name in self._actions:
            return self._actions[name](document)
        return None

    def _set_clock(self, document: object) -> datetime:
        match document:
            case {"now": str(now)}:
                moment = datetime.fromisoformat(now)
                if moment.tzinfo is None:
                    raise ValueError("now needs a time zone, such as 2026-11-21T09:00:00Z")
                self.clock.set(moment)
            case {"advance_seconds": int(seconds)}:
                self.clock.advance(timedelta(seconds=seconds))
            case _:
                raise ValueError("the clock takes now (an ISO date-time) or advance_seconds")
        return self.clock.now()


def _json(document: object, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


def _truncated(
    response: Response, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterator[bytes]:
    """Announce the whole body, send half of it, hang up."""
    body = response.get_data()
    start_response(response.status, [*response.headers])
    yield body[: len(body) // 2]
    _hang_up(environ)
    raise ConnectionAbortedError("scripted")


def _hang_up(environ: WSGIEnvironment) -> None:
    """Close the connection, so that not even a status line leaves."""
    connection = environ["werkzeug.socket"]
    connection.shutdown(2)
