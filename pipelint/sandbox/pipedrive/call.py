"""One call on its way to a handler, and what an answer looks like."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from werkzeug.wrappers import Request, Response

from pipelint.sandbox.pipedrive.auth import Caller
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.errors import PipedriveError, invalid
from pipelint.sandbox.pipedrive.schema import Json
from pipelint.sandbox.pipedrive.store import Row


@dataclass(slots=True)
class Call:
    """A request of someone signed in; `args` is what the path named, `params` what v2 read of the query."""

    company: Company
    request: Request
    caller: Caller
    args: Mapping[str, Json] = field(default_factory=dict)
    params: Mapping[str, Json] = field(default_factory=dict)

    def document(self) -> Json:
        """The body, which must be JSON and say so."""
        if not self.request.is_json:
            raise PipedriveError(415, "Unsupported Media Type", "ERR_UNSUPPORTED_MEDIA_TYPE")
        try:
            return json.loads(self.request.get_data())
        except ValueError:
            raise PipedriveError(400, "Request body is not valid JSON", "ERR_BAD_REQUEST") from None

    def body(self) -> dict[str, Json]:
        document = self.document()
        if not isinstance(document, dict):
            raise invalid("body: Expected object")
        return document

    def is_admin(self) -> bool:
        [[found]] = self.company.store.rows("SELECT is_admin FROM users WHERE id = ?", [self.caller.user_id])
        return bool(found)


Handler: TypeAlias = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """An operation: its price in tokens, the OAuth scopes of which one is needed, and in v2 its parameters."""

    method: str
    path: str
    tokens: int
    scopes: str
    handler: Handler
    params: Mapping[str, str | Iterable[str]] | None = None

    @property
    def v2(self) -> bool:
        return self.path.startswith("/api/v2/")

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def respond(document: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(
        json.dumps(document, ensure_ascii=False), status, content_type="application/json;charset=UTF-8"
    )


def succeed(data: object, status: int = 200, **more: object) -> Response:
    """The answer to a call that went well."""
    return respond({"success": True, "data": data, **more}, status)


def page(data: list[Row], next_cursor: str | None) -> Response:
    """A part of a v2 list."""
    return succeed(data, additional_data={"next_cursor": next_cursor})


def window_of(data: list[Row], start: int, limit: int, *, more: bool, tells_next: bool = False) -> Response:
    """A part of a v1 list that is paged by position; where the next part starts is told by notes alone."""
    pagination: Row = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more and tells_next:
        pagination["next_start"] = start + limit
    return succeed(data or None, additional_data={"pagination": pagination})
