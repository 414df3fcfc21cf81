"""Fields of v2: list, create, change, delete, and their options."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from pipelint.sandbox.pipedrive.call import Call, Handler, page, succeed
from pipelint.sandbox.pipedrive.errors import PipedriveError, invalid
from pipelint.sandbox.pipedrive.fields import PLACES, FieldDocument, Fields
from pipelint.sandbox.pipedrive.params import DEFAULT_LIMIT


def lists(object_: str) -> Handler:
    """All fields of a kind of record, built in and custom."""

    def handle(call: Call) -> Response:
        fields = call.company.fields.all(object_)
        start = _position(call.params.get("cursor", ""))
        end = start + call.params.get("limit", DEFAULT_LIMIT)
        return page([_shown(call, it) for it in fields[start:end]], str(end) if end < len(fields) else None)

    return handle


def reads(object_: str) -> Handler:
    """One field by its code."""

    def handle(call: Call) -> Response:
        return succeed(_shown(call, call.company.fields.get(object_, call.args["code"])))

    return handle


def creates(object_: str) -> Handler:
    """A new custom field, with its options."""

    def handle(call: Call) -> Response:
        _only_admins(call)
        return succeed(call.company.fields.create(object_, call.body()))

    return handle


def changes(object_: str) -> Handler:
    """Another name, description or place; type and code stay."""

    def handle(call: Call) -> Response:
        _only_admins(call)
        return succeed(call.company.fields.change(object_, call.args["code"], call.body()))

    return handle


def deletes(object_: str) -> Handler:
    """A custom field, gone."""

    def handle(call: Call) -> Response:
        _only_admins(call)
        return succeed(call.company.fields.delete(object_, call.args["code"]))

    return handle


def options(object_: str, act: Callable[[Fields, str, str, object], list[FieldDocument]]) -> Handler:
    """Adding, changing or deleting options; the answer holds only those touched."""

    def handle(call: Call) -> Response:
        _only_admins(call)
        touched = act(call.company.fields, object_, call.args["code"], call.document())
        return succeed(touched, additional_data=None)

    return handle


def _shown(call: Call, field: FieldDocument) -> FieldDocument:
    wanted = call.params.get("include_fields", ())
    return {name: value for name, value in field.items() if name not in PLACES or name in wanted}


def _only_admins(call: Call) -> None:
    if not call.is_admin():
        raise PipedriveError(403, "You do not have permission to manage custom fields")


def _position(cursor: str) -> int:
    if cursor and not cursor.isdigit():
        raise invalid("cursor: Invalid cursor")
    return int(cursor or 0)
