"""Values of fields: what v2 takes in a body, what it keeps, and how v1 shows the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from pipelint.sandbox.pipedrive.params import Unfit
from pipelint.sandbox.pipedrive.schema import Column, Json

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "date": str,
    "time": str,
    "datetime": str,
    "integers": list,
    "list": list,
    "object": dict,
}
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2})?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}Z?")
_MOST = {"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_000}


def body_value(column: Column, value: Json) -> Json:
    """A value of a body, as it will be kept; v2 converts nothing.

    Raises:
        Unfit: with the reason.
    """
    if value is None:
        return None
    _expect(column.kind, value)
    match column.kind:
        case "date":
            _date(value)
        case "time":
            if not _TIME.fullmatch(value):
                raise Unfit("Invalid time")
            return value if value.count(":") == 2 else f"{value}:00"
        case "datetime":
            if not _INSTANT.fullmatch(value):
                raise Unfit("Invalid datetime")
            return value.replace(" ", "T").removesuffix("Z") + "Z"
        case "integers":
            for it in value:
                _expect("integer", it)
    return value


def _expect(kind: str, value: Json) -> None:
    is_number_for_boolean = kind != "boolean" and isinstance(value, bool)
    if not isinstance(value, _TYPES[kind]) or is_number_for_boolean:
        name = {"integers": "array", "list": "array", "date": "string", "time": "string",
                "datetime": "string"}.get(kind, kind)  # fmt: skip
        raise Unfit(f"Expected {name}, received {_name(value)}")


def _name(value: Json) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _date(value: Json) -> None:
    try:
        if not isinstance(value, str) or date.fromisoformat(value).isoformat() != value:
            raise Unfit("Invalid date")
    except ValueError:
        raise Unfit("Invalid date") from None


def custom_value(field: Mapping[str, Json], value: Json) -> Json:
    """A value of a custom field as v2 takes it; `null` clears any.

    Raises:
        Unfit: naming the type that was expected.
    """
    if value is None:
        return None
    kind, code = str(field["field_type"]), str(field["field_code"])
    fits = _CUSTOM[kind](value)
    if not fits:
        wanted = {"double": "number", "enum": "number", "set": "non-empty array of numbers"}.get(
            kind, "object" if kind in _PARTS else "number" if kind in _LINKS else "string"
        )
        raise Unfit(f"Expected '{wanted}' as value for {kind} custom field '{code}'")
    if kind in {"enum", "set"}:
        known = {it["id"] for it in field["options"]}
        for option in [value] if kind == "enum" else value:
            if option not in known:
                raise Unfit(f"Option '{option}' does not exist for {kind} custom field '{code}'")
    if kind in _MOST:
        if len(value) > _MOST[kind]:
            raise Unfit(f"Value of {kind} custom field '{code}' is longer than {_MOST[kind]} characters")
        return value or None
    return {**dict.fromkeys(_ADDRESS), **value} if kind == "address" else value


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_set(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_integer(it) for it in value)


def _is_date(value: Json) -> bool:
    try:
        _date(value)
    except Unfit:
        return False
    return True


def _parts(**parts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    """An object with `value` and no other parts than these."""

    def fits(value: Json) -> bool:
        return (
            isinstance(value, dict)
            and "value" in value
            and all(name in parts and (it is None or parts[name](it)) for name, it in value.items())
        )

    return fits


_ADDRESS = ("value", "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality",
            "route", "street_number", "subpremise", "postal_code")  # fmt: skip
_PARTS: Mapping[str, Callable[[Json], bool]] = {
    "monetary": _parts(value=_is_number, currency=_is_text),
    "daterange": _parts(value=_is_date, until=_is_date),
    "time": _parts(value=_is_text, timezone_name=_is_text, timezone_id=_is_integer),
    "timerange": _parts(value=_is_text, until=_is_text, timezone_name=_is_text, timezone_id=_is_integer),
    "address": _parts(**dict.fromkeys(_ADDRESS, _is_text)),
}
_LINKS = ("user", "org", "people")
_CUSTOM: Mapping[str, Callable[[Json], bool]] = {
    **_PARTS,
    **dict.fromkeys(_LINKS, _is_integer),
    **dict.fromkeys(_MOST, _is_text),
    "double": _is_number,
    "enum": _is_integer,
    "set": _is_set,
    "date": _is_date,
}
FIELD_TYPES = tuple(_CUSTOM)
"""The types a custom field can have."""


def v1_values(code: str, kind: str, value: Json) -> dict[str, Json]:
    """A custom field in the flat form of v1: options as text, parts under keys of their own."""
    match kind, value:
        case _, None:
            return {code: None}
        case "enum", int():
            return {code: str(value)}
        case "set", list():
            return {code: ",".join(map(str, value))}
        case _, dict():
            rest = {f"{code}_{name}": part for name, part in value.items() if name != "value"}
            return {code: value["value"], **rest}
    return {code: value}


def v1_time(text: str | None) -> str | None:
    """A moment as v1 writes it: UTC, without saying so."""
    return None if text is None else text.replace("T", " ").removesuffix("Z")


def logged(value: Json) -> str | None:
    """A value as the change log keeps it: text."""
    if value is None:
        return None
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return str(value.get("value"))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return v1_time(text) if _INSTANT.fullmatch(text) else text
