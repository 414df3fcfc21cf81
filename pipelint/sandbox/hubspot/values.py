"""Property values: what a write may send, what is kept, what a read tells (fact sheet §13)."""

from __future__ import annotations

import math
import re
from datetime import date

from pipelint.sandbox.hubspot.errors import Invalid
from pipelint.sandbox.hubspot.moments import DAY, EPOCH, iso, parse
from pipelint.sandbox.hubspot.property import Property

Value = str | int | float | None
"""Kept are datetimes as milliseconds, everything else as the text that is told."""
Row = dict[str, Value]

MAX_TEXT = 65_536
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def told(definition: Property, value: Value) -> str | None:
    """A kept value as the API tells it: always text, or null where there is none."""
    if value is None:
        return None
    return iso(value) if definition.type == "datetime" and isinstance(value, int) else str(value)


def kept(definition: Property, sent: object, before: Value) -> Value:
    """A value that was sent, as it is kept; the empty text clears.

    Raises:
        Invalid: the property does not take it.
    """
    if sent is None or isinstance(sent, dict | list):
        raise Invalid(definition.name, "INVALID_VALUE", f"{definition.name} takes text, not {sent!r}")
    text = str(sent).lower() if isinstance(sent, bool) else str(sent)
    if definition.type != "string":
        text = text.strip()
    if text == "":
        return None
    match definition.type:
        case "number":
            return _number(definition, text)
        case "date":
            return _date(definition, text)
        case "datetime":
            return _datetime(definition, text)
        case "bool":
            return _chosen(definition, text.lower(), ("true", "false"))
        case "enumeration" if not definition.external:
            return _enumeration(definition, text, before)
    if len(text) > MAX_TEXT:
        raise Invalid(
            definition.name,
            "PROPERTY_VALUE_TOO_LONG",
            f"{definition.name} is {len(text)} characters long; the limit is {MAX_TEXT}",
        )
    if definition.name == "email" and not _EMAIL.fullmatch(text):
        raise Invalid(definition.name, "INVALID_EMAIL", f"Email address {text} is invalid")
    return text


def _number(definition: Property, text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(definition.name, "INVALID_NUMBER", f"{text} was not a valid number.")
    return text


def _datetime(definition: Property, text: str) -> int:
    try:
        return parse(text)
    except ValueError:
        raise Invalid(definition.name, "INVALID_LONG", f"{text} was not a valid long.") from None


def _date(definition: Property, text: str) -> str:
    """A date, or milliseconds at midnight UTC and no other time."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        at = _datetime(definition, text)
    if at % DAY:
        raise Invalid(
            definition.name,
            "INVALID_DATE",
            f"{text} is at {iso(at)[11:]} UTC, not midnight, for {definition.name}",
        )
    return date.fromordinal(EPOCH.toordinal() + at // DAY).isoformat()


def _enumeration(definition: Property, text: str, before: Value) -> str:
    allowed = tuple(it.value for it in definition.options)
    if not definition.many:
        return _chosen(definition, text, allowed)
    several = [it for it in text.split(";") if it]
    for it in several:
        _chosen(definition, it, allowed)
    if text.startswith(";"):  # a leading semicolon adds to what is there
        several = [*str(before or "").split(";"), *several]
    return ";".join(it for it in dict.fromkeys(several) if it)


def _chosen(definition: Property, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        listed = ", ".join(allowed)
        raise Invalid(
            definition.name, "INVALID_OPTION", f"{value} was not one of the allowed options: [{listed}]"
        )
    return value
