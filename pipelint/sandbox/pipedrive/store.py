"""The company's records: one SQLite table each, in the columns of the schema."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from pipelint.sandbox.database import Database
from pipelint.sandbox.pipedrive.schema import TABLES, Json, Table

Row: TypeAlias = dict[str, Json]
"""A record as the API shows it: booleans, lists and objects, not their SQL forms."""


class Store(Database):
    """The tables of the schema, and small documents beside them; ids are handed out in order."""

    def __init__(self, saved: Path | None = None) -> None:
        super().__init__(saved)
        if saved is not None:
            return
        self.run("CREATE TABLE documents (name TEXT PRIMARY KEY, document TEXT)")
        for table in TABLES.values():
            columns = ", ".join(
                f'"{it.name}" {it.sql}{" PRIMARY KEY" if number == 0 else ""}'
                for number, it in enumerate(table.columns.values())
            )
            self.run(f"CREATE TABLE {table.name} ({columns})")

    def keep(self, name: str, document: object) -> None:
        """Keep a small document beside the tables, so that it is saved with them."""
        self.run("REPLACE INTO documents VALUES (?, ?)", (name, json.dumps(document)))

    def kept(self, name: str) -> Json:
        found = self.rows("SELECT document FROM documents WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def select(self, table: Table, where: str = "1", parameters: Sequence[object] = ()) -> list[Row]:
        """Records by what stands behind WHERE."""
        found = self.rows(f"SELECT * FROM {table.name} WHERE {where}", parameters)
        return [_shown(table, it) for it in found]

    def get(self, table: Table, record_id: object, key: str = "id") -> Row | None:
        return next(iter(self.select(table, f"{key} = ?", [record_id])), None)

    def next_id(self, table: Table) -> int:
        key = next(iter(table.columns))
        with self.lock:
            [[highest]] = self.rows(f"SELECT max({key}) FROM {table.name}")
        return int(highest or 0) + 1

    def insert(self, table: Table, row: Mapping[str, Json]) -> int:
        """Insert a record with the next number, and answer that."""
        key = next(iter(table.columns))
        with self.lock:
            number = row.get(key) or self.next_id(table)
            self.insert_many(table, [{**row, key: number}])
        return int(number)

    def insert_many(self, table: Table, rows: Iterable[Mapping[str, Json]]) -> None:
        """Insert records that have their number, in one statement."""
        columns = [(it.name, it.json) for it in table.columns.values()]
        marks = ", ".join("?" * len(columns))
        with self.transaction():
            self._db.executemany(
                f"INSERT INTO {table.name} VALUES ({marks})",
                ([_stored(row.get(name), json_=json_) for name, json_ in columns] for row in rows),
            )

    def update(self, table: Table, record_id: object, changes: Mapping[str, Json], key: str = "id") -> None:
        sets = ", ".join(f'"{name}" = ?' for name in changes)
        values = [_stored(value, json_=table.columns[name].json) for name, value in changes.items()]
        self.run(f"UPDATE {table.name} SET {sets} WHERE {key} = ?", [*values, record_id])

    def create_indexes(self) -> None:
        """Called after a bulk load, which is several times faster into tables without them."""
        with self.lock:
            for table in TABLES.values():
                for column in table.indexes:
                    self.run(f"CREATE INDEX IF NOT EXISTS {table.name}_{column} ON {table.name} ({column})")
            self.run("ANALYZE")


def _stored(value: Json, *, json_: bool) -> Json:
    return json.dumps(value, ensure_ascii=False) if json_ and value is not None else value


def _shown(table: Table, row: sqlite3.Row) -> Row:
    shown: Row = {}
    for name, column in table.columns.items():
        value = row[name]
        if value is None:
            shown[name] = [] if column.kind in {"integers", "list"} else None
        elif column.json:
            shown[name] = json.loads(value)
        elif column.kind == "boolean":
            shown[name] = bool(value)
        elif column.kind == "number" and float(value).is_integer():
            shown[name] = int(value)
        else:
            shown[name] = value
    return shown
