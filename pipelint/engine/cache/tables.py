"""The one table model: table, columns and key of each kind of record, read from the records themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import get_args, get_origin, get_type_hints

from pipelint.records import RECORD_TYPES, Record, Stream


class ColumnType(StrEnum):
    """How a value is kept."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"  # INTEGER 0 or 1
    DECIMAL = "decimal"  # TEXT, exact and plain: equal numbers have equal texts
    DATE = "date"  # TEXT, YYYY-MM-DD
    INSTANT = "instant"  # INTEGER, microseconds since 1970 UTC
    CUSTOM = "custom"  # TEXT, a JSON object keyed by the CRM's API name

    @property
    def affinity(self) -> str:
        whole = (ColumnType.INTEGER, ColumnType.BOOLEAN, ColumnType.INSTANT)
        return "INTEGER" if self in whole else "TEXT"


_TYPES: Mapping[object, ColumnType] = {
    str: ColumnType.TEXT,
    int: ColumnType.INTEGER,
    bool: ColumnType.BOOLEAN,
    Decimal: ColumnType.DECIMAL,
    date: ColumnType.DATE,
    datetime: ColumnType.INSTANT,
    Mapping: ColumnType.CUSTOM,
}

# Children are clustered by their parent: gathering them per opportunity is ten times faster than by an index.
_CLUSTERED: Mapping[Stream, tuple[str, ...]] = {
    Stream.CONTACT_ROLES: ("opportunity", "id"),
    Stream.STAGE_CHANGES: ("opportunity", "at", "id"),
    Stream.LINE_ITEMS: ("opportunity", "id"),
    Stream.FIELD_CHANGES: ("kind", "record", "field", "at", "id"),
    Stream.ACTIVITY_LINKS: ("kind", "record", "activity"),
}

# Columns that ingest adds to what the CRM delivers.
_ADDED: Mapping[Stream, Mapping[str, ColumnType]] = {
    Stream.ACTIVITY_LINKS: {"via": ColumnType.TEXT},  # direct, contact or account
    # An observed change happened after `since`, the pull before the one that saw it.
    Stream.FIELD_CHANGES: {"since": ColumnType.INSTANT},
}

_INDEXES: Mapping[Stream, tuple[str, ...]] = {
    Stream.OPPORTUNITIES: ("account", "owner"),
    Stream.CONTACTS: ("account",),
    Stream.LEADS: ("contact",),
    Stream.CONTACT_ROLES: ("contact", "id"),
    Stream.LINE_ITEMS: ("id",),
    Stream.ACTIVITY_LINKS: ("activity",),
}

CHILDREN: Mapping[Stream, Mapping[Stream, str]] = {
    Stream.OPPORTUNITIES: {
        Stream.CONTACT_ROLES: "opportunity",
        Stream.LINE_ITEMS: "opportunity",
    },
    Stream.CONTACTS: {Stream.CONTACT_ROLES: "contact"},
}
"""What goes with a record that goes, and by which of its columns; its history stays, for days when it was there."""


@dataclass(frozen=True, slots=True)
class Table:
    """Where the records of one stream are kept."""

    stream: Stream
    fields: Mapping[str, ColumnType]
    """What the record holds, in its order."""
    added: Mapping[str, ColumnType]
    """What ingest adds."""
    key: tuple[str, ...]
    clustered: bool
    indexes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.stream.value

    @property
    def id(self) -> str:
        """The column that a CRM names when it says a record is gone."""
        return "id" if "id" in self.fields else "activity"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("connection", *self.fields, *self.added, "pull")

    @property
    def has_custom(self) -> bool:
        return "custom" in self.fields

    @property
    def retires(self) -> bool:
        """Whether a record that goes stays as inactive, since old records and histories still name it."""
        return "active" in self.fields

    def create(self, *, temporary: bool = False) -> Iterator[str]:
        """The statements that make the table and then its indexes."""
        types = {**self.fields, **self.added}
        columns = ["connection TEXT NOT NULL"]
        columns += [
            f'"{name}" {kind.affinity}{" NOT NULL" if name in self.key else ""}'
            for name, kind in types.items()
        ]
        columns += ["pull INTEGER NOT NULL", f"PRIMARY KEY ({', '.join(self.key)})"]
        yield (
            f"CREATE {'TEMP ' if temporary else ''}TABLE {self.name} (\n  "
            + ",\n  ".join(columns)
            + ("\n) WITHOUT ROWID" if self.clustered else "\n)")
        )
        for column in self.indexes:
            index = f"{'temp.' if temporary else ''}{self.name}_by_{column}"
            yield f"CREATE INDEX {index} ON {self.name} (connection, {column})"


@cache
def table(stream: Stream) -> Table:
    """The table of a stream."""
    key = _CLUSTERED.get(stream, ("pipeline", "id") if stream is Stream.STAGES else ("id",))
    return Table(
        stream=stream,
        fields=_fields(RECORD_TYPES[stream]),
        added=_ADDED.get(stream, {}),
        key=("connection", *key),
        clustered=stream in _CLUSTERED,
        indexes=_INDEXES.get(stream, ()),
    )


def _fields(record: type[Record]) -> dict[str, ColumnType]:
    found = {}
    for name, hint in get_type_hints(record).items():
        [plain] = [part for part in get_args(hint) if part is not NoneType] if _optional(hint) else [hint]
        found[name] = _TYPES[Mapping if get_origin(plain) else plain]
    return found


def _optional(hint: object) -> bool:
    return NoneType in get_args(hint)
