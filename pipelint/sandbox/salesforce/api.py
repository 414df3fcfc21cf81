"""The Salesforce REST API as a WSGI application: versions, sessions, limits, and who answers which path."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import http_date
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pipelint.sandbox.salesforce import (
    bulk_ingest,
    bulk_query,
    call,
    rest_records,
    rest_replication,
    rest_tooling,
)
from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.auth import Auth
from pipelint.sandbox.salesforce.call import Call, Handler, respond
from pipelint.sandbox.salesforce.errors import OAuthError, SalesforceError
from pipelint.sandbox.salesforce.org import Org

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_URI = 16_384
VERSIONS = range(31, 69)
_SEASONS = ("Winter", "Spring", "Summer")

_HANDLERS: dict[str, Handler] = {
    **call.HANDLERS,
    **rest_records.HANDLERS,
    **rest_replication.HANDLERS,
    **rest_tooling.HANDLERS,
    **bulk_query.HANDLERS,
    **bulk_ingest.HANDLERS,
}

_TOO_LONG = "<html><head><title>Error 414</title></head><body><h1>URI Too Long</h1></body></html>"


def version_label(version: int) -> str:
    """The season a version came out in: 68 is Winter '27."""
    years, season = divmod(version - 68, 3)
    return f"{_SEASONS[season]} '{27 + years}"


class Api:
    """Everything below `/services`."""

    def __init__(self, org: Org, auth: Auth, *, daily_limit: int) -> None:
        self._org = org
        self._auth = auth
        self.daily_limit = daily_limit
        self._calls: deque[datetime] = deque()
        self._lock = threading.Lock()
        self._map = Map(
            [
                Rule(path, methods=[method], endpoint=f"{method} {path}", strict_slashes=False)
                for method, path in (key.split() for key in _HANDLERS)
            ],
            strict_slashes=False,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._answer(request)
        except SalesforceError as error:
            response = render(error)
        except OAuthError as error:
            response = respond({"error": error.error, "error_description": error.description}, 400)
        response.headers["Date"] = http_date(self._org.clock.now())
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if len(request.environ.get("REQUEST_URI", "")) > MAX_URI:
            return Response(_TOO_LONG, 414, content_type="text/html;charset=UTF-8")
        match request.method, request.path.rstrip("/"):
            case "POST", "/services/oauth2/token":
                return respond(self._auth.token(request.form, request.host_url.rstrip("/")))
            case "GET", "/services/data":
                return respond(
                    [
                        {"label": version_label(it), "url": f"/services/data/v{it}.0", "version": f"{it}.0"}
                        for it in VERSIONS
                    ]
                )
            case "GET", "/services/oauth2/userinfo":
                return self._user_info(request)
        found = re.fullmatch(r"(/services/data/v(\d+)\.0)(/.*)?", request.path)
        if found is None:
            raise SalesforceError("NOT_FOUND")
        base, version, path = found.group(1), int(found.group(2)), found.group(3) or "/"
        if version < VERSIONS.start:
            raise SalesforceError("GONE", "The requested API version has been retired", status=410)
        if version not in VERSIONS:
            raise SalesforceError("NOT_FOUND")
        user_id = self._auth.user_of(request.headers.get("Authorization", ""))
        used = self._count()
        try:
            response = self._dispatch(
                Call(self._org, request, Access(self._org.store, user_id), base, {}), path
            )
        except SalesforceError as error:
            response = render(error)
        response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{self.daily_limit}"
        return response

    def _dispatch(self, it: Call, path: str) -> Response:
        if it.request.method == "GET" and path.rstrip("/") == "/limits":
            return respond(self._limits())
        try:
            name, it.args = self._map.bind("").match(path, it.request.method)
        except MethodNotAllowed as error:
            allowed = ",".join(sorted(error.valid_methods or ()))
            raise SalesforceError(
                "METHOD_NOT_ALLOWED", f"HTTP Method '{it.request.method}' not allowed. Allowed are {allowed}"
            ) from None
        except HTTPException:
            raise SalesforceError("NOT_FOUND") from None
        answer = _HANDLERS[name](it)
        return answer if isinstance(answer, Response) else respond(answer)

    def _count(self) -> int:
        """Count a call in the rolling day of the whole organisation, or refuse it."""
        now = self._org.clock.now()
        with self._lock:
            while self._calls and self._calls[0] <= now - timedelta(days=1):
                self._calls.popleft()
            if len(self._calls) >= self.daily_limit:
                raise SalesforceError("REQUEST_LIMIT_EXCEEDED")
            self._calls.append(now)
            return len(self._calls)

    def _limits(self) -> dict[str, dict[str, int]]:
        left, jobs = self.daily_limit - len(self._calls), self._org.jobs
        return {
            "DailyApiRequests": {"Max": self.daily_limit, "Remaining": left},
            "DailyBulkApiBatches": {"Max": jobs.batches, "Remaining": jobs.left("batches")},
            "DailyBulkV2QueryJobs": {"Max": jobs.query_jobs, "Remaining": jobs.left("query_jobs")},
        }

    def _user_info(self, request: Request) -> Response:
        store = self._org.store
        user = (
            store.get(store.schema["User"], self._auth.user_of(request.headers.get("Authorization", "")))
            or {}
        )
        return respond(
            {
                "user_id": user["Id"],
                "organization_id": store.find_all(store.schema["Organization"])[0]["Id"],
                "preferred_username": user["Username"],
                "name": user["Name"],
                "email": user["Email"],
                "zoneinfo": user["TimeZoneSidKey"],
            }
        )


def render(error: SalesforceError) -> Response:
    """The answer to a refused call."""
    return respond(error.body(), error.status)


def native_error(code: str, message: str, status: int) -> Response:
    """A scripted error in Salesforce's own form."""
    return render(SalesforceError(code, message, status=status or None))
