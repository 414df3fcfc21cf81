"""Salesforce's values in canonical form: 18-character ids, UTC instants, exact decimals, activity words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from pipelint.connectors.base import WriteValue
from pipelint.connectors.salesforce.describe import FieldDescription
from pipelint.records import CustomValue

_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

KINDS: Final[Mapping[str, str]] = {"001": "account", "003": "contact", "006": "opportunity", "00Q": "lead"}
"""The first characters of an id tell its object; these are the ones that activities are followed for."""


def identity(value: str | None) -> str | None:
    """An id in its 18-character form, which survives systems that ignore case (fact sheet §4).

    >>> identity("0065g00000AbCdE")
    '0065g00000AbCdEAAV'
    """
    if value is None or len(value) != 15:
        return value
    chunks = (value[start : start + 5] for start in (0, 5, 10))
    return value + "".join(
        _CHECK[sum(1 << place for place, letter in enumerate(chunk) if "A" <= letter <= "Z")]
        for chunk in chunks
    )


def text(value: object) -> str | None:
    """Any scalar as text."""
    return None if value is None else str(value)


def moment(value: str) -> datetime:
    """REST writes +0000, Bulk writes Z; both mean UTC."""
    return datetime.fromisoformat(value).astimezone(UTC)


def instant(value: str | None) -> datetime | None:
    """As `moment`, or None."""
    return None if value is None else moment(value)


def day(value: str | None) -> date | None:
    """A date as Salesforce means it."""
    return None if value is None else date.fromisoformat(value)


def number(value: Decimal | int | str | None) -> Decimal | None:
    """Exact, as it stood in the JSON."""
    return None if value is None else Decimal(value)


def plain(value: Decimal | int | str | None) -> str | None:
    """A number as text, without idle zeros: equal numbers read alike.

    >>> plain("1200.50"), plain(Decimal("1E+3"))
    ('1200.5', '1000')
    """
    return None if value is None else format(Decimal(value).normalize(), "f")


def history_text(value: object) -> str | None:
    """A value of a history, which may be of any type."""
    if isinstance(value, bool):
        return str(int(value))
    return plain(value) if isinstance(value, Decimal | int) else text(value)


def is_id(value: str) -> bool:
    """Whether a text is the id of a record."""
    return len(value) in {15, 18} and value.isalnum() and value[:2] == "00"


def yes_no(value: bool | None) -> bool | None:
    """A checkbox."""
    return value


def negated(value: bool | None) -> bool | None:
    """A checkbox that says the opposite of our field."""
    return None if value is None else not value


def choices(value: str | None) -> tuple[str, ...] | None:
    """A multi-select, which travels as one text."""
    return tuple(value.split(";")) if value else None


READERS: Final[Mapping[str, Callable[[Any], CustomValue]]] = {
    **dict.fromkeys(("string", "textarea", "email", "phone", "url", "picklist", "combobox"), text),
    **dict.fromkeys(("int", "long", "double", "percent", "currency"), number),
    "reference": identity,
    "multipicklist": choices,
    "boolean": yes_no,
    "date": day,
    "datetime": instant,
}
"""How a field of a described type is read; types that are not here are not offered."""


def stored(field: FieldDescription | None, value: WriteValue) -> WriteValue:
    """The value as Salesforce keeps it: trimmed, cut, empty as null, rounded, choices in order (fact sheet §6)."""
    if isinstance(value, tuple):
        order = {choice.value: place for place, choice in enumerate(field.picklist_values)} if field else {}
        return tuple(sorted(dict.fromkeys(value), key=lambda one: order.get(one, len(order)))) or None
    if isinstance(value, str):
        whole = value.replace("\r\n", "\n").strip()
        return (whole[: field.length].rstrip() if field and field.length else whole) or None
    if isinstance(value, int | Decimal):
        exact = Decimal(value)
        return exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP) if field else exact
    return value


def sent(value: WriteValue) -> str | float | int | None:
    """The value as JSON carries it to Salesforce."""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True, slots=True)
class Reading:
    """When a page is read, and the zone in which a date without a time is meant."""

    now: datetime
    zone: tzinfo

    def noon(self, on: date) -> datetime:
        """A date as an instant: noon stays on that day in nearly every other zone, too."""
        return datetime.combine(on, time(12), self.zone).astimezone(UTC)

    def day_ends(self, on: date) -> datetime:
        return datetime.combine(on + timedelta(days=1), time(), self.zone).astimezone(UTC)


_SUBTYPES: Final = {"Call": "call", "Email": "email", "ListEmail": "email"}


def activity_type(subtype: str | None, call_type: str | None) -> str:
    """What a task was: the button it was logged with says so, else that it has a direction of a call."""
    return _SUBTYPES.get(subtype or "") or ("call" if call_type else "task")


def direction(call_type: str | None, incoming: bool | None) -> str | None:
    """Calls tell, internal ones being neither; so do emails that Salesforce holds as such."""
    if incoming is not None:
        return "inbound" if incoming else "outbound"
    return {"Inbound": "inbound", "Outbound": "outbound"}.get(call_type or "")


def noon(reading: Reading, on: str | None) -> datetime | None:
    """A day as an instant."""
    return None if on is None else reading.noon(date.fromisoformat(on))


def first_text(*values: object) -> str | None:
    """The first of several that holds anything."""
    return next((str(value) for value in values if value), None)


def task_happened(
    reading: Reading, closed: bool, completed: str | None, due: str | None, stamp: str
) -> datetime | None:
    """When a done task was done; old ones know their day at most, and cannot lie after their last change."""
    if not closed:
        return None
    if completed:
        return instant(completed)
    changed = moment(stamp)
    return min(reading.noon(date.fromisoformat(due)), changed) if due else changed


def task_planned(reading: Reading, closed: bool, due: str | None) -> datetime | None:
    """When an open task is due: Salesforce knows the day only."""
    return None if closed or not due else reading.noon(date.fromisoformat(due))


def event_ends(reading: Reading, end: str | None, all_day: bool | None) -> datetime | None:
    """An all-day event carries midnight UTC of its last day, wherever it takes place (fact sheet §4)."""
    if end is None:
        return None
    at = moment(end)
    return reading.day_ends(at.date()) if all_day else at


def event_starts(reading: Reading, start: str, all_day: bool | None) -> datetime:
    """When a meeting begins; an all-day one at noon."""
    at = moment(start)
    return reading.noon(at.date()) if all_day else at


def event_happened(reading: Reading, start: str, end: str | None, all_day: bool | None) -> datetime | None:
    """A meeting has happened when it is over; nobody ticks it off."""
    ends = event_ends(reading, end or start, all_day)
    return event_starts(reading, start, all_day) if ends and ends <= reading.now else None


def event_planned(reading: Reading, start: str, end: str | None, all_day: bool | None) -> datetime | None:
    """When a meeting that is not over begins."""
    ends = event_ends(reading, end or start, all_day)
    return event_starts(reading, start, all_day) if ends and ends > reading.now else None
