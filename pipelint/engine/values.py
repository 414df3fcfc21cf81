"""Values of our fields as JSON keeps them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

import msgspec

from pipelint.connectors.base import FieldType, WriteValue

Plain: TypeAlias = str | int | list[str] | None
"""A value as JSON holds it: equal values have equal forms."""

_json = msgspec.json.Encoder(order="deterministic")
_plain: msgspec.json.Decoder[Plain] = msgspec.json.Decoder(Plain)
_fields: msgspec.json.Decoder[dict[str, Plain]] = msgspec.json.Decoder(dict[str, Plain])


def plain(value: WriteValue) -> Plain:
    """The value for JSON."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else value


def typed(value: Plain, type_: FieldType) -> WriteValue:
    """The value of a field of this type, from JSON."""
    if value is None:
        return None
    if isinstance(value, list):
        return tuple(value)
    if type_ in {"number", "money"}:
        return Decimal(value)
    return date.fromisoformat(str(value)) if type_ == "date" else value


def one_to_json(value: Plain) -> str:
    """One value as text."""
    return _json.encode(value).decode()


def one_from_json(text: str) -> Plain:
    """The value that was made into this text."""
    return _plain.decode(text)


def to_json(values: Mapping[str, Plain]) -> str:
    """Several values by name as text, the same for the same values."""
    return _json.encode(dict(values)).decode()


def from_json(text: str) -> dict[str, Plain]:
    """The values that were made into this text."""
    return _fields.decode(text)
