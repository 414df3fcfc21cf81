"""What the canonical records expect of a file: a type for each field, and the fields that no row can lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import get_args, get_type_hints

from pipelint.records import RECORD_TYPES, Record, Stream

LINKS: tuple[str, ...] = ("opportunity", "account", "contact", "lead")
"""Columns of an activities file that say which records an activity concerns."""

_TYPE_NAMES: Mapping[object, str] = {
    str: "text",
    Decimal: "number",
    int: "whole",
    bool: "yes_no",
    date: "date",
    datetime: "datetime",
}
_IMPLIED: Mapping[Stream, Mapping[str, str]] = {
    Stream.STAGES: {"pipeline": ""},
    Stream.FIELD_CHANGES: {"kind": "opportunity", "origin": "crm"},
}
_TOLD_BY_CONTENT = {
    Stream.CONTACT_ROLES,
    Stream.ACTIVITIES,
    Stream.STAGE_CHANGES,
    Stream.FIELD_CHANGES,
    Stream.LINE_ITEMS,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One stream's record type, as a file must fill it."""

    stream: Stream
    record: type[Record]
    types: Mapping[str, str]
    """Field → the name of its type; the link columns of activities included."""
    links: tuple[str, ...]
    needed: tuple[str, ...]
    """Without a value for these a row says nothing; the id apart."""
    implied: Mapping[str, str]
    """What it means where the file has no such column."""
    blank: Mapping[str, None]
    """Fields that may be empty but that the record type wants to be told so."""
    needs_id: bool
    """Other records point at these by id; a row of the other streams can be told by its content."""
    takes_custom: bool


def plural(stream: Stream) -> str:
    """The stream's name in pipelint.yaml."""
    return stream.name.lower()


@cache
def shape_of(stream: Stream) -> Shape:
    """What a file of this stream must hold."""
    record = RECORD_TYPES[stream]
    hints = {name: hint for name, hint in get_type_hints(record).items() if name != "custom"}
    bare = [name for name in hints if name not in record._field_defaults]
    optional = {name for name in bare if NoneType in get_args(hints[name])}
    implied = _IMPLIED.get(stream, {})
    links = LINKS if stream is Stream.ACTIVITIES else ()
    types = {name: _TYPE_NAMES[next(iter(get_args(hint)), hint)] for name, hint in hints.items()}
    return Shape(
        stream,
        record,
        types={**types, **dict.fromkeys(links, "text")},
        links=links,
        needed=tuple(n for n in bare if n not in {"id", "modified_at", *optional, *implied}),
        implied=implied,
        blank=dict.fromkeys(sorted(optional)),
        needs_id=stream not in _TOLD_BY_CONTENT,
        takes_custom="custom" in record._fields,
    )
