"""One call on its way to a handler, and the forms that answers share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from werkzeug.wrappers import Request, Response

from pipelint.sandbox.hubspot.auth import Token
from pipelint.sandbox.hubspot.errors import HubSpotError, invalid_input
from pipelint.sandbox.hubspot.moments import iso
from pipelint.sandbox.hubspot.object_types import EMAILS, LEADS, ObjectType, object_type
from pipelint.sandbox.hubspot.portal import Portal

Json: TypeAlias = dict[str, object]


@dataclass(slots=True)
class Call:
    """A request with a valid token; `version` is `v3`, `v4` or a date, `args` what the path named."""

    portal: Portal
    request: Request
    token: Token
    version: str
    args: Mapping[str, str]
    used_today: int = 0
    per_day: int = 0
    resets_at: str = ""

    @property
    def dated(self) -> bool:
        """Whether the path bears a date."""
        return self.version[:2] == "20"

    @property
    def enforces(self) -> bool:
        """Whether the administrator's conditional rules bind writes: from 2026-09 on (fact sheet §1)."""
        return self.dated and self.version >= "2026-09"

    def kind(self, name: str = "type") -> ObjectType:
        """The object type named in the path."""
        return object_type(self.args[name])

    def readable(self, name: str = "type") -> ObjectType:
        """The object type named in the path, if the token may read it."""
        kind = self.kind(name)
        self._plan(kind)
        self.token.require(f"{kind.scope}.read")
        if kind is EMAILS:
            self.token.require("sales-email-read")
        return kind

    def writable(self, name: str = "type") -> ObjectType:
        """The object type named in the path, if the token may write it."""
        kind = self.kind(name)
        self._plan(kind)
        self.token.require(f"{kind.scope}.write")
        return kind

    def _plan(self, kind: ObjectType) -> None:
        if kind is LEADS and not self.portal.leads:  # refused in a shape of its own, without a category
            raise HubSpotError(403, "This hub doesn't have access to leads", category="")

    def record(self) -> int:
        """The record id in the path."""
        return record_id(self.args["id"])

    def json(self) -> Json:
        """The body: a JSON object."""
        try:
            document = json.loads(self.request.get_data() or b"{}")
        except ValueError as error:
            raise invalid_input(str(error), "json") from None
        if not isinstance(document, dict):
            raise invalid_input("Cannot deserialize value from Array value", "json")
        return document

    def inputs(self, most: int, body: Json | None = None) -> list[Json]:
        """The `inputs` of a batch, at most so many."""
        found = (self.json() if body is None else body).get("inputs")
        if not isinstance(found, list) or not all(isinstance(it, dict) for it in found):
            raise invalid_input("Some required fields were not set: [inputs]", "json")
        if len(found) > most:
            raise invalid_input(f"Maximum batch size exceeded: {len(found)} inputs, the limit is {most}")
        return found

    def limit(self, default: int, most: int) -> int:
        """The page size that was asked for."""
        text = self.request.args.get("limit", str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise invalid_input(f"limit must be between 1 and {most}, was {text}")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.request.args.get(name, "false").lower() == "true"

    def names(self, name: str) -> list[str]:
        """A parameter that may be given several times, or once with commas."""
        return [it for text in self.request.args.getlist(name) for it in text.split(",") if it]


Handler: TypeAlias = Callable[[Call], object]
"""Answers a call with a document, or with a response where the status matters; None says 204."""


def respond(document: object, status: int = 200) -> Response:
    """A JSON answer."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json;charset=utf-8")


def record_id(text: object) -> int:
    """A record id, which is digits in text."""
    if not str(text).isdigit():
        raise invalid_input(f"{text} is not a valid record id")
    return int(str(text))


def whole(value: object, name: str) -> int:
    """A whole number that a body or an address gives under a name."""
    text = str(value)
    if not text.removeprefix("-").isdigit():
        raise invalid_input(f"{name} is a whole number, not {text}")
    return int(text)


def link_numbers(types: object) -> list[int]:
    """The numbers of association types that a body names."""
    specs = types if isinstance(types, list) else []
    return [record_id(it.get("associationTypeId")) for it in specs if isinstance(it, dict)]


def page(results: Sequence[object], after: str | None) -> Json:
    """One page; the last one has no `paging` at all."""
    document: Json = {"results": list(results)}
    if after is not None:
        document["paging"] = {"next": {"after": after, "link": f"?after={after}"}}
    return document


def batch(call: Call, results: Sequence[object], errors: Sequence[Json] = (), status: int = 200) -> Response:
    """The outcome of a batch: with errors a 207, but in dated versions a plain 200 (fact sheet §1)."""
    now = iso(call.portal.now())
    document: Json = {"status": "COMPLETE", "results": list(results), "startedAt": now, "completedAt": now}
    if errors:
        document |= {"numErrors": len(errors), "errors": list(errors)}
        status = 200 if call.dated else 207
    return respond(document, status)


def batch_error(category: str, message: str, **context: Sequence[str]) -> Json:
    """One entry of a batch's `errors`."""
    listed = {name: list(values) for name, values in context.items()}
    return {"status": "error", "category": category, "message": message, "context": listed}
