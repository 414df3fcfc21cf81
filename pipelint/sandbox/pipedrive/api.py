"""The Pipedrive API as a WSGI application: v1 and v2 on one host, the token endpoint, and the gateway before."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import http_date
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pipelint.sandbox.pipedrive import params
from pipelint.sandbox.pipedrive.auth import Auth, OAuthError
from pipelint.sandbox.pipedrive.call import Call, Route, respond
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.errors import BLOCKED, SCOPE_MISMATCH, PipedriveError
from pipelint.sandbox.pipedrive.limits import Blocked, Limits
from pipelint.sandbox.pipedrive.routes import ROUTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_ROUTES = {it.name: it for it in ROUTES}


class Api:
    """Everything below `/api/v2`, `/api/v1`, `/v1` and `/oauth`."""

    def __init__(self, company: Company, auth: Auth, limits: Limits) -> None:
        self._company = company
        self._auth = auth
        self._limits = limits
        self._map = Map(
            [Rule(it.path, methods=[it.method], endpoint=it.name) for it in ROUTES], strict_slashes=False
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        v2 = request.path.startswith("/api/v2/")
        try:
            response = self._answer(request)
        except PipedriveError as error:
            response = error.response(v2=v2)
        except Blocked:
            response = Response(BLOCKED, 403, content_type="text/html; charset=UTF-8")
        response.headers["Date"] = http_date(self._company.clock.now())
        response.headers["x-correlation-id"] = str(uuid.uuid4())
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.rstrip("/") == "/oauth/token":
            return self._token(request)
        caller = self._auth.caller(dict(request.headers))
        route, args = self._find(request)
        oauth = caller.scopes is not None
        headers = self._limits.spend(caller.token, route.name, route.tokens, oauth=oauth)
        try:
            if caller.scopes is not None and not caller.scopes & set(route.scopes.split()):
                raise SCOPE_MISMATCH
            call = Call(self._company, request, caller, args)
            if route.params is not None:
                call.params = params.read(request.args, route.params)
            response = route.handler(call)
        except PipedriveError as error:
            response = error.response(v2=route.v2)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    def _find(self, request: Request) -> tuple[Route, dict[str, object]]:
        path = request.path.removeprefix("/api") if request.path.startswith("/api/v1/") else request.path
        try:
            name, found = self._map.bind("").match(path, request.method)
        except MethodNotAllowed:
            raise PipedriveError(405, "Method not allowed", "ERR_METHOD_NOT_ALLOWED") from None
        except HTTPException:
            raise PipedriveError(404, "Unknown method .", "ERR_NOT_FOUND") from None
        args = {name: str(it) if isinstance(it, uuid.UUID) else it for name, it in found.items()}
        return _ROUTES[name], args

    def _token(self, request: Request) -> Response:
        try:
            return respond(
                self._auth.token(request.authorization, request.form, request.host_url.rstrip("/"))
            )
        except OAuthError as error:
            body = {"success": False, "error": str(error), "message": f"{error}: see the documentation"}
            return respond(body, 401 if str(error) == "invalid_client" else 400)
