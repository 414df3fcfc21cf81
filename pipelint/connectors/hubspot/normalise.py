"""HubSpot's values in canonical form: everything travels as text (fact sheet §13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from pipelint.connectors.base import WriteValue
from pipelint.connectors.hubspot.schema import Property
from pipelint.records import CustomValue


def text(value: str | None) -> str | None:
    """A text; an empty one is no value."""
    return value or None


def instant(value: str | None) -> datetime | None:
    """ISO with or without milliseconds, or milliseconds since 1970, as old data has them.

    What cannot be read is no value: a year of five digits, typed by somebody, must not stop a pull.

    >>> instant("2026-01-31T09:00:00Z") == instant("1769850000000")
    True
    """
    if not value:
        return None
    try:
        if value.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        at = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def day(value: str | None) -> date | None:
    """A date; one that travels as an instant is midnight UTC of its day."""
    if not value:
        return None
    if len(value) == len("2026-01-31") and not value.isdigit():
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    at = instant(value)
    return at.date() if at else None


def day_in(value: str | None, zone: tzinfo) -> date | None:
    """The day of an instant that stands for a date, where the portal is: near midnight UTC has another one."""
    at = instant(value)
    try:
        return at.astimezone(zone).date() if at else None
    except OverflowError:  # the last day of the year 9999, somewhere east of London
        return at.date() if at else None


def number(value: str | None) -> Decimal | None:
    """Exact; a text that is no number is no value."""
    try:
        found = Decimal(value) if value else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def yes_no(value: str | None) -> bool | None:
    """`true`, `false`, empty or null."""
    return {"true": True, "false": False}.get((value or "").lower())


def chosen(value: str | None) -> tuple[str, ...] | None:
    """Several options in one text; appending leaves a separator at the front."""
    return tuple(one for one in value.split(";") if one) or None if value else None


READERS: Final[Mapping[str, Callable[[str | None], CustomValue]]] = {
    "string": text,
    "enumeration": text,
    "phone_number": text,
    "number": number,
    "date": day,
    "datetime": instant,
    "bool": yes_no,
}
"""How a property of a type is read; types that are not here are not offered."""


def reader(about: Property) -> Callable[[str | None], CustomValue] | None:
    """How a property is read; a checkbox with several options holds several."""
    if about.type == "enumeration" and about.fieldType == "checkbox":
        return chosen
    if about.fieldType == "booleancheckbox":
        return yes_no
    return READERS.get(about.type)


def stored(about: Property | None, value: WriteValue) -> WriteValue:
    """The value as HubSpot keeps it: trimmed, empty as null, options in the property's order."""
    if isinstance(value, tuple):
        order = {option.value: place for place, option in enumerate(about.options)} if about else {}
        return tuple(sorted(dict.fromkeys(value), key=lambda one: order.get(one, len(order)))) or None
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip() or None
    if isinstance(value, int | Decimal):
        return Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP).normalize() + 0
    return value


def sent(value: WriteValue) -> str:
    """The value as it is written; empty text clears, null is not documented (fact sheet §11)."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def shown(about: Property, value: str | None) -> WriteValue:
    """A value of ours as it was read."""
    if about.type == "enumeration":
        return stored(about, chosen(value)) if about.fieldType == "checkbox" else text(value)
    if about.type == "number":
        return stored(about, number(value))
    return day(value) if about.type == "date" else stored(about, text(value))


def milliseconds(at: datetime) -> int:
    """An instant as filters want it."""
    return round(at.timestamp() * 1000)
