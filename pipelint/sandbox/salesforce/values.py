"""What Salesforce makes of a value before it stores it: trimmed, rounded, checked (fact sheet §6)."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pipelint.sandbox.salesforce import ids
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.store import Value

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def stamp(moment: datetime) -> str:
    """A date-time as REST writes it; such texts sort as the moments do."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}.000+0000"


def moment(text: str) -> datetime:
    """The moment a stamp stands for."""
    return datetime.fromisoformat(text).astimezone(UTC)


def normalise(field: Field, value: object) -> Value:
    """The value as it will be stored.

    Raises:
        SalesforceError: JSON_PARSER_ERROR when the JSON type does not fit (that ends the whole request);
            any other code concerns this record only.
    """
    if isinstance(value, str) and field.type != "json":
        value = value.strip() or None
    if value is None:
        if field.type == "boolean":
            raise SalesforceError(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                f"{field.name}: value not of required type: null",
                [field.name],
            )
        return None
    match field.type:
        case "json":
            return json.dumps(value)
        case "boolean":
            return _boolean(field, value)
        case "int" | "double" | "currency" | "percent":
            return _number(field, value)
        case "date":
            return _day(field, value)
        case "datetime":
            return _instant(field, value)
        case "reference" | "id":
            return reference(field, value)
        case "multipicklist":
            return _choices(field, _text(field, value))
        case "picklist":
            return _choice(field, _text(field, value))
        case _:
            return _text(field, value)


def wrong_json(field: Field, value: object) -> SalesforceError:
    """The whole-request refusal of a value whose JSON type does not fit its field."""
    token = {bool: "VALUE_TRUE" if value is True else "VALUE_FALSE", str: "VALUE_STRING",
             int: "VALUE_NUMBER_INT",
             float: "VALUE_NUMBER_FLOAT", dict: "START_OBJECT", list: "START_ARRAY"}[type(value)]  # fmt: skip
    shown = "" if isinstance(value, dict | list) else f" value {value}"
    kind = "string" if field.column_type.startswith("TEXT COLLATE") else field.type
    return SalesforceError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {token}{shown} or request may be missing a required"
        f" field at [line:1, column:1]",
        status=400,
    )


def reference(field: Field, value: object) -> str:
    """An id in its 18-character form."""
    known = ids.normalise(_plain_text(field, value))
    if known is None:
        raise SalesforceError(
            "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name]
        )
    return known


def _plain_text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise wrong_json(field, value)
    return value


def _text(field: Field, value: object) -> str:
    text = _plain_text(field, value)
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise SalesforceError(
            "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", [field.name]
        )
    if field.length and field.type != "multipicklist" and len(text) > field.length:
        raise SalesforceError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text} (max length={field.length})",
            [field.name],
        )
    return text


def _boolean(field: Field, value: object) -> int:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return int(value.lower() == "true")
    if not isinstance(value, bool):
        raise wrong_json(field, value)
    return int(value)


def _number(field: Field, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong_json(field, value)
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise wrong_json(field, value) from None
    if field.type == "int":
        if exact != exact.to_integral_value():
            raise wrong_json(field, value)
        return int(exact)
    if exact.is_finite() and exact.adjusted() < field.precision - field.scale:
        rounded = exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
        if rounded.is_zero() or rounded.adjusted() < field.precision - field.scale:
            return float(rounded)
    raise SalesforceError(
        "NUMBER_OUTSIDE_VALID_RANGE",
        f"{field.label}: value outside of valid range on numeric field: {value}",
        [field.name],
    )


def _day(field: Field, value: object) -> str:
    """A date; a date-time is cut to its day, as sObject trees with exported data rely on."""
    text = _plain_text(field, value)
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text).date()
    except ValueError:
        raise wrong_json(field, value) from None
    return day.isoformat()


def _instant(field: Field, value: object) -> str:
    text = _plain_text(field, value)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise wrong_json(field, value) from None
    return stamp(when if when.tzinfo else when.replace(tzinfo=UTC))


def _choice(field: Field, text: str) -> str:
    if field.restricted and text not in {it.value for it in field.choices if it.active}:
        raise SalesforceError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            [field.name],
        )
    return text


def _choices(field: Field, text: str) -> str | None:
    """Several choices, in the order of the definition whatever order they came in."""
    given = dict.fromkeys(part.strip() for part in text.split(";") if part.strip())
    for part in given:
        _choice(field, part)
    order = {it.value: place for place, it in enumerate(field.choices)}
    return ";".join(sorted(given, key=lambda part: order.get(part, len(order)))) or None
