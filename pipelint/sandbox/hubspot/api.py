"""The HubSpot API as a WSGI application: versions, tokens, limits, and who answers which path."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import http_date
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pipelint.sandbox.hubspot import account, associations, batches, governance, objects, properties, search
from pipelint.sandbox.hubspot.auth import Auth
from pipelint.sandbox.hubspot.call import Call, Handler, respond
from pipelint.sandbox.hubspot.errors import HubSpotError, OAuthError, RateLimited, not_found
from pipelint.sandbox.hubspot.limits import Limits
from pipelint.sandbox.hubspot.moments import iso, millis
from pipelint.sandbox.hubspot.portal import Portal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_URI = 16_000

_HANDLERS: dict[str, Handler] = {
    **account.HANDLERS,
    **associations.HANDLERS,
    **batches.HANDLERS,
    **governance.HANDLERS,
    **objects.HANDLERS,
    **properties.HANDLERS,
    **search.HANDLERS,
}

_MAP = Map(
    [
        Rule(path, methods=[method], endpoint=f"{method} {path}", strict_slashes=False)
        for method, path in (key.split() for key in _HANDLERS)
    ],
    strict_slashes=False,
)

_DATES = "2026-03|2026-09"
_PATHS = (
    re.compile(
        r"/crm/(?P<version>v3)/(?P<rest>(objects|properties|pipelines|owners|property-validations|limits)\b.*)"
    ),
    re.compile(r"/crm/(?P<version>v4)/(?P<rest>(associations/.*|objects/.*/associations/.*))"),
    re.compile(
        r"/crm/(?P<area>objects|properties|pipelines|owners|property-validations|limits|associations)"
        rf"/(?P<version>{_DATES})(?P<rest>/.*)?"
    ),
    re.compile(r"/crm/(?P<area>pipelines-rules)/(?P<version>2026-09)(?P<rest>/.*)"),
    re.compile(r"/(?P<area>automation)/(?P<version>v4)(?P<rest>/.*)"),
    re.compile(rf"/(?P<area>account-info)/(?P<version>v3|{_DATES})(?P<rest>/.*)"),
)
_OAUTH = re.compile(rf"/oauth/(?P<version>v1|v3|{_DATES})/token(?P<rest>/introspect)?")
_OAUTH_V1_ENDS = "2027-02-16"

_TOO_LONG = "<html><head><title>414</title></head><body><h1>414 Request-URI Too Large</h1></body></html>"


class Api:
    """Everything below the host."""

    def __init__(self, portal: Portal, auth: Auth, limits: Limits) -> None:
        self._portal = portal
        self._auth = auth
        self._limits = limits

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._answer(request)
        except HubSpotError as error:
            response = render(error)
        except OAuthError as error:
            body = {"status": error.status, "message": error.message, "correlationId": str(uuid.uuid4())}
            response = respond(body, 400)
        response.headers["Date"] = http_date(self._portal.clock.now())
        response.headers["X-HubSpot-Correlation-Id"] = str(uuid.uuid4())
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if len(request.environ.get("REQUEST_URI", "")) > MAX_URI:
            return Response(_TOO_LONG, 414, content_type="text/html")
        path = request.path.rstrip("/")
        oauth = _OAUTH.fullmatch(path)
        if oauth is not None and request.method == "POST":
            return self._sign_in(request, oauth["version"], introspect=bool(oauth["rest"]))
        version, rest = _split(path)
        token = self._auth.of(request.headers.get("Authorization", ""))
        headers = self._limits.count(search=rest.endswith("/search"))
        limits = self._limits
        call = Call(
            self._portal, request, token, version, {},
            limits.used_today, limits.allowance.per_day, iso(millis(limits.resets_at())),
        )  # fmt: skip
        try:
            response = self._dispatch(call, rest)
        except HubSpotError as error:
            response = render(error)
        response.headers.update(headers)
        return response

    def _sign_in(self, request: Request, version: str, *, introspect: bool) -> Response:
        if version == "v1" and self._portal.clock.now().date().isoformat() >= _OAUTH_V1_ENDS:
            raise not_found()
        work = self._auth.introspect if introspect else self._auth.token
        return respond(work(request.form))

    def _dispatch(self, call: Call, path: str) -> Response:
        try:
            name, call.args = _MAP.bind("").match(path, call.request.method)
        except MethodNotAllowed:
            raise HubSpotError(405, f"Method {call.request.method} is not allowed here") from None
        except HTTPException:
            raise not_found() from None
        with self._portal.store.lock:
            answer = _HANDLERS[name](call)
        return answer if isinstance(answer, Response) else respond(answer)


def _split(path: str) -> tuple[str, str]:
    """The version in a path, and the rest of it as if there were one version only."""
    for pattern in _PATHS:
        found = pattern.fullmatch(path)
        if found is not None:
            parts = found.groupdict()
            rest = parts["rest"] or ""
            return parts["version"], f"/{parts['area']}{rest}" if "area" in parts else f"/{rest}"
    raise not_found()


def render(error: HubSpotError) -> Response:
    """The answer to a refused call."""
    return respond(error.body(), error.status)


_POLICIES = frozenset({"TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY"})
_SCRIPTED = {
    "INVALID_AUTHENTICATION": (401, "Authentication credentials not found."),
    "EXPIRED_AUTHENTICATION": (401, "The OAuth token used to make this call expired."),
    "MISSING_SCOPES": (403, "This app hasn't been granted all required scopes to make this call."),
    "LOCKED": (423, "The record is locked: it is being written by another request."),
    "MIGRATION": (477, "This account is being moved between data centres."),
    "INTERNAL_ERROR": (500, "internal error"),
    "UNAVAILABLE": (503, "The service is temporarily unavailable."),
}


def native_error(code: str, message: str, status: int) -> Response:
    """A scripted error in HubSpot's own form: the policy of a limit, or a category."""
    if code in _POLICIES:
        return render(RateLimited(code))
    usual, text = _SCRIPTED.get(code, (400, code))
    return render(HubSpotError(status or usual, message or text, category=code))
