"""The organisation's records: one SQLite table per object, so that SOQL runs as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pipelint.sandbox.database import Database, quote
from pipelint.sandbox.salesforce import ids
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import Schema, SObject

Value = str | int | float | None
Row = dict[str, Value]


class Store(Database):
    """A typed table for each object; ids are handed out in order."""

    def __init__(self, schema: Schema, *, saved: Path | None = None) -> None:
        super().__init__(saved)
        self.schema = schema
        self._last: dict[str, int] = {}
        self.metadata_changed_at: datetime | None = None
        for sobject in schema:
            if saved is None:
                self._create(sobject)
                continue
            self._complete(sobject)
            [[highest]] = self.rows(f'SELECT max("Id") FROM {quote(sobject.name)}')
            self._last[sobject.name] = ids.number_of(highest) if highest else 0

    def numbers(self, sql: str, parameters: Sequence[Value] = ()) -> list[int]:
        """The first column of every row, where it is a row number."""
        with self.lock:
            return [row[0] for row in self._db.execute(sql, parameters)]

    def get(self, sobject: SObject, record_id: str) -> Row | None:
        """A record by its 18-character id, deleted or not."""
        return self.find(sobject, Id=record_id)

    def find(self, sobject: SObject, **equal: Value) -> Row | None:
        """The first record whose columns have these values."""
        return next(iter(self.find_all(sobject, **equal)), None)

    def find_all(self, sobject: SObject, **equal: Value) -> list[Row]:
        where = " AND ".join(f"{quote(column)} IS ?" for column in equal) or "1"
        found = self.rows(
            f"SELECT * FROM {quote(sobject.name)} WHERE {where} ORDER BY _row", list(equal.values())
        )
        return [dict(row) for row in found]

    def reserve(self, sobject: SObject, count: int = 1) -> list[str]:
        """The next `count` ids of this object."""
        with self.lock:
            first = self._last[sobject.name] + 1
            self._last[sobject.name] += count
        return [ids.make(sobject.prefix, number) for number in range(first, first + count)]

    def insert(self, sobject: SObject, row: Mapping[str, Value]) -> None:
        self.insert_many(sobject, list(row), [list(row.values())])

    def insert_many(self, sobject: SObject, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        names = ", ".join(quote(column) for column in columns)
        marks = ", ".join("?" * len(columns))
        with self.transaction():
            self._db.executemany(f"INSERT INTO {quote(sobject.name)} ({names}) VALUES ({marks})", rows)

    def update(self, sobject: SObject, record_id: str, changes: Mapping[str, Value]) -> None:
        sets = ", ".join(f"{quote(column)} = ?" for column in changes)
        self.run(f'UPDATE {quote(sobject.name)} SET {sets} WHERE "Id" = ?', [*changes.values(), record_id])

    def remove(self, sobject: SObject, record_id: str) -> None:
        self.run(f'DELETE FROM {quote(sobject.name)} WHERE "Id" = ?', [record_id])

    def add_column(self, sobject: SObject, field: Field) -> None:
        with self.lock:
            self.run(f"ALTER TABLE {quote(sobject.name)} ADD COLUMN {_column(field)}")
            sobject.put(field)

    def rename_column(self, sobject: SObject, old: Field, new: Field) -> None:
        with self.lock:
            names = f"{quote(old.name)} TO {quote(new.name)}"
            self.run(f"ALTER TABLE {quote(sobject.name)} RENAME COLUMN {names}")
            sobject.drop(old.name)
            sobject.put(new)

    def drop_column(self, sobject: SObject, field: Field) -> None:
        with self.lock:
            self.run(f"ALTER TABLE {quote(sobject.name)} DROP COLUMN {quote(field.name)}")
            sobject.drop(field.name)

    def create_indexes(self) -> None:
        """Called after a bulk load, which is several times faster into tables without them."""
        with self.lock:
            for sobject in self.schema:
                stamp = {"SystemModstamp"} & set(sobject.fields) if sobject.indexes else set()
                for column in (*sobject.indexes, *stamp):
                    self.run(
                        f"CREATE INDEX IF NOT EXISTS {quote(f'{sobject.name}.{column}')}"
                        f" ON {quote(sobject.name)} ({quote(column)})"
                    )
            self.run("ANALYZE")

    def _complete(self, sobject: SObject) -> None:
        """Add what an earlier sandbox, which saved the file, did not have yet."""
        present = {row["name"] for row in self.rows(f"PRAGMA table_info({quote(sobject.name)})")}
        if not present:
            self._create(sobject)
            return
        for field in sobject.fields.values():
            if field.name not in present:
                self.run(f"ALTER TABLE {quote(sobject.name)} ADD COLUMN {_column(field)}")

    def _create(self, sobject: SObject) -> None:
        columns = ", ".join(_column(field) for field in sobject.fields.values())
        self.run(f"CREATE TABLE {quote(sobject.name)} (_row INTEGER PRIMARY KEY, {columns}, UNIQUE (Id))")
        self._last[sobject.name] = 0


def _column(field: Field) -> str:
    default = f" DEFAULT {int(bool(field.default))}" if field.type == "boolean" else ""
    return f"{quote(field.name)} {field.column_type}{default}"
