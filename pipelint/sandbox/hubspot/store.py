"""The portal's records in SQLite: one table per object type with a column per property, and its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipelint.sandbox.database import Database, quote
from pipelint.sandbox.hubspot.object_types import OBJECT_TYPES, ObjectType
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.values import Row, Value

HISTORY = ("record", "property", "at", "value", "source", "source_id", "user")
"""Columns of a history table: one row for each value that came after the first, and for the first one then."""

_ID = "hs_object_id"
_OWN = {
    _ID: "INTEGER PRIMARY KEY",
    "_archived": "INTEGER NOT NULL DEFAULT 0",
    "_archived_at": "INTEGER",
}
"""Columns that every table has."""


def history_of(kind: ObjectType) -> str:
    """The table with the history of this type."""
    return f"{kind.name}__history"


def stale_of(kind: ObjectType) -> str:
    """The table with records as the search index still has them."""
    return f"{kind.name}__stale"


class Store(Database):
    """The tables of each object type; ids are handed out in order, and never twice."""

    def __init__(self, saved: Path | None = None) -> None:
        super().__init__(saved)
        self._columns: dict[ObjectType, dict[str, str]] = {it: dict(_OWN) for it in OBJECT_TYPES}
        self._last = {it: it.first_id - 1 for it in OBJECT_TYPES}
        self._created = saved is not None
        if saved is not None:
            for kind in OBJECT_TYPES:
                self._read(kind)
        else:
            self.run("CREATE TABLE links (pair INTEGER, a INTEGER, b INTEGER, type INTEGER,"
                     " PRIMARY KEY (pair, a, b, type)) WITHOUT ROWID")  # fmt: skip
            self.run("CREATE TABLE merged (kind TEXT, old INTEGER, new INTEGER, PRIMARY KEY (kind, old))")
            self.run("CREATE TABLE setup (document TEXT)")

    def create_tables(self) -> None:
        """Make the tables with all columns added so far: many times faster than one by one."""
        with self.lock:
            if not self._created:
                for kind in OBJECT_TYPES:
                    self._create(kind)
                self._created = True

    def scalar(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """The number in the first column of the first row."""
        return int(self.rows(sql, parameters)[0][0] or 0)

    def get(self, kind: ObjectType, record: int, *, archived: bool | None = False) -> Row | None:
        """A record with all its columns; `archived` None takes it either way."""
        found = self.rows(f"SELECT * FROM {kind.name} WHERE {_ID} = ?", [record])
        rows = [dict(it) for it in found if archived is None or bool(it["_archived"]) == archived]
        return rows[0] if rows else None

    def reserve(self, kind: ObjectType, count: int = 1) -> range:
        """The next `count` ids of this type."""
        with self.lock:
            first = self._last[kind] + 1
            self._last[kind] += count
        return range(first, first + count)

    def start_after(self, kind: ObjectType, record: int) -> None:
        """Hand out ids beyond this one from now on."""
        with self.lock:
            self._last[kind] = max(self._last[kind], record)

    def insert(self, kind: ObjectType, row: Mapping[str, Value]) -> None:
        self.insert_many(kind.name, list(row), [list(row.values())])

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        names = ", ".join(quote(it) for it in columns)
        marks = ", ".join("?" * len(columns))
        with self.transaction():
            self._db.executemany(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", rows)

    def update(self, kind: ObjectType, record: int, changes: Mapping[str, Value]) -> None:
        sets = ", ".join(f"{quote(it)} = ?" for it in changes)
        if changes:
            self.run(f"UPDATE {kind.name} SET {sets} WHERE {_ID} = ?", [*changes.values(), record])

    def remove(self, kind: ObjectType, record: int) -> None:
        """Take away a record without a trace."""
        self.run(f"DELETE FROM {kind.name} WHERE {_ID} = ?", [record])
        self.run(f"DELETE FROM {history_of(kind)} WHERE record = ?", [record])

    def remember(self, kind: ObjectType, record: int, now: int, until: int) -> None:
        """Keep a record, or its absence, as it is now, for the search index until it has caught up."""
        columns = ", ".join(quote(it) for it in self._columns[kind])
        stale = stale_of(kind)
        with self.lock:
            self.run(f"DELETE FROM {stale} WHERE _until <= ?", [now])
            if self.scalar(f"SELECT count(*) FROM {stale} WHERE {_ID} = ?", [record]):
                return
            copied = self.run(
                f"INSERT INTO {stale} ({columns}, _until) SELECT {columns}, ? FROM {kind.name} WHERE {_ID} = ?",
                [until, record],
            )
            if not copied:
                self.run(f"INSERT INTO {stale} ({_ID}, _until, _archived) VALUES (?, ?, 1)", [record, until])

    def add_column(self, kind: ObjectType, definition: Property) -> None:
        """Room for a property; one that was there before finds its values again."""
        with self.lock:
            if definition.name in self._columns[kind]:
                return
            shape = self._columns[kind][definition.name] = (
                "INTEGER" if definition.type == "datetime" else "TEXT"
            )
            if self._created:
                for table in (kind.name, stale_of(kind)):
                    self.run(f"ALTER TABLE {table} ADD COLUMN {quote(definition.name)} {shape}")

    def columns(self, kind: ObjectType) -> list[str]:
        """All columns of a type, the id first."""
        return list(self._columns[kind])

    def create_indexes(self) -> None:
        """Called after a bulk load, which is several times faster into tables without them."""
        with self.lock:
            for kind in OBJECT_TYPES:
                for table, column in ((kind.name, kind.modified), (history_of(kind), "record")):
                    self.run(f"CREATE INDEX IF NOT EXISTS {table}_{column} ON {table} ({quote(column)})")
            self.run("CREATE INDEX IF NOT EXISTS links_back ON links (pair, b)")
            self.run("ANALYZE")

    def _create(self, kind: ObjectType) -> None:
        columns = ", ".join(f"{quote(name)} {shape}" for name, shape in self._columns[kind].items())
        self.run(f"CREATE TABLE {kind.name} ({columns})")
        self.run(f"CREATE TABLE {stale_of(kind)} ({columns}, _until INTEGER)")
        self.run(
            f"CREATE TABLE {history_of(kind)} (record INTEGER, property TEXT, at INTEGER, value,"
            " source TEXT, source_id TEXT, user INTEGER)"
        )

    def _read(self, kind: ObjectType) -> None:
        """Which columns a saved table has, and the last id that was handed out."""
        for it in self.rows(f"PRAGMA table_info({kind.name})"):
            self._columns[kind].setdefault(it["name"], it["type"])
        merged = self.scalar("SELECT max(old) FROM merged WHERE kind = ?", [kind.name])
        self._last[kind] = max(self.scalar(f"SELECT max({_ID}) FROM {kind.name}"), merged, self._last[kind])
