"""Pipedrive's values in canonical form: UTC instants, exact decimals, options by id, and how ours are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Final

from pipelint.connectors.base import WriteValue
from pipelint.connectors.pipedrive.schema import Field
from pipelint.records import CustomValue

_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)


def identity(value: object) -> str | None:
    """An id as text; some answers of v1 hold the linked thing itself."""
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    return None if value is None else str(value)


def instant(value: str | None) -> datetime | None:
    """RFC 3339 in v2, UTC without a zone in v1; old data has times of zero (fact sheet §4).

    >>> instant("2026-01-31 09:00:00")
    datetime.datetime(2026, 1, 31, 9, 0, tzinfo=datetime.timezone.utc)
    """
    if not value or value.startswith("0000"):
        return None
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stamp(row: Mapping[str, Any]) -> datetime:
    """When a row last changed; one that never did, when it was made."""
    return instant(row.get("update_time")) or instant(row.get("add_time")) or _UNKNOWN


def day(value: str | None) -> date | None:
    """A date as Pipedrive means it."""
    return None if not value or value.startswith("0000") else date.fromisoformat(value[:10])


def number(value: object) -> Decimal | None:
    """Exact, as it stood in the JSON; money in a form of its own gives its amount."""
    if isinstance(value, dict):
        value = value.get("value")
    return Decimal(str(value)) if isinstance(value, int | Decimal | str) and value != "" else None


def text(value: object) -> str | None:
    """Any scalar as text; addresses and times have a text within."""
    if isinstance(value, dict):
        value = value.get("value", value.get("label"))
    return None if value is None or value == "" else str(value)


def chosen(value: object) -> tuple[str, ...] | None:
    """Several options by their ids: a list in v2, a text with commas in v1."""
    if isinstance(value, str):
        value = value.split(",")
    return tuple(str(one) for one in value) if isinstance(value, list) and value else None


def first_day(value: object) -> date | None:
    """A date, or the first day of a range."""
    return day(text(value))


CUSTOM: Final[Mapping[str, Callable[[Any], CustomValue]]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "varchar_options", "text"), text),
    **dict.fromkeys(("phone", "address", "time", "timerange"), text),
    **dict.fromkeys(("enum", "user", "org", "people", "stage", "pipeline", "status", "visible_to"), identity),
    **dict.fromkeys(("double", "monetary", "int"), number),
    **dict.fromkeys(("date", "daterange"), first_day),
    "set": chosen,
}
"""How a field of a type is read; types that are not here are not offered."""


def due(on: str | None, at: str | None, zone: tzinfo) -> datetime | None:
    """When something is due: its time is UTC; without one the day is meant, and noon stays within it."""
    if not on:
        return None
    if at:
        return datetime.combine(date.fromisoformat(on), time.fromisoformat(at), UTC)
    return datetime.combine(date.fromisoformat(on), time(12), zone).astimezone(UTC)


def stored(field: Field | None, value: WriteValue) -> WriteValue:
    """The value as Pipedrive keeps it: trimmed, empty as null, options in the field's order."""
    if isinstance(value, tuple):
        order = {option.label: place for place, option in enumerate(field.options)} if field else {}
        return tuple(sorted(dict.fromkeys(value), key=lambda one: order.get(one, len(order)))) or None
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip() or None
    return Decimal(value) if isinstance(value, int) else value


def sent(field: Field, value: WriteValue) -> object:
    """The value as JSON carries it: options by id, None to clear (an empty list is refused; fact sheet §4).

    Raises:
        KeyError: with the option that the field does not have.
    """
    ids = {option.label: option.id for option in field.options}
    if isinstance(value, tuple):
        return [ids[label] for label in value] or None
    if isinstance(value, str):
        return ids[value] if field.type == "enum" else value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def sent_v1(field: Field, value: WriteValue) -> object:
    """The value as API v1 takes it: several options as a text with commas.

    Raises:
        KeyError: with the option that the field does not have.
    """
    given = sent(field, value)
    return ",".join(str(one) for one in given) if isinstance(given, list) else given


def shown(field: Field, value: object) -> WriteValue:
    """A value of ours as it was read, options by their labels; one that lost its option keeps its id."""
    labels = {str(option.id): option.label for option in field.options}
    match field.type:
        case "set":
            ids = chosen(value)
            return stored(field, tuple(labels.get(one, one) for one in ids)) if ids else None
        case "enum":
            one = identity(value)
            return None if one is None else labels.get(one, one)
        case "double" | "monetary":
            return number(value)
        case "date":
            return day(text(value))
        case _:
            return stored(field, text(value))
