"""The organisation's records: one SQLite table per object, so that SOQL runs as SQL."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipelint.sandbox.salesforce import ids
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import Schema, SObject

Value = str | int | float | None
Row = dict[str, Value]


def quote(name: str) -> str:
    """An identifier of ours, safe inside SQL."""
    return '"' + name.replace('"', '""') + '"'


class Store:
    """Typed tables behind one lock; ids are handed out in order."""

    def __init__(self, schema: Schema, *, saved: Path | None = None) -> None:
        self.schema = schema
        self.lock = threading.RLock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        weakref.finalize(self, self._db.close)
        self._last: dict[str, int] = {}
        self.metadata_changed_at: datetime | None = None
        if saved is None:
            for sobject in schema:
                self._create(sobject)
        else:
            file = sqlite3.connect(saved)
            file.backup(self._db)
            file.close()
            for sobject in schema:
                self._complete(sobject)
                [[highest]] = self.rows(f'SELECT max("Id") FROM {quote(sobject.name)}')
                self._last[sobject.name] = ids.number_of(highest) if highest else 0

    def save(self, path: Path) -> None:
        """Write everything to a file, beside it first: a stop half-way leaves the earlier file whole."""
        beside = path.with_name(path.name + ".new")
        beside.unlink(missing_ok=True)
        with self.lock:
            file = sqlite3.connect(beside)
            self._db.backup(file)
            file.close()
        beside.replace(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; transactions may stand within one another."""
        with self.lock:
            self._db.execute("SAVEPOINT step")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK TO step")
                self._db.execute("RELEASE step")
                raise
            self._db.execute("RELEASE step")

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[sqlite3.Row]:
        with self.lock:
            return self._db.execute(sql, parameters).fetchall()

    def numbers(self, sql: str, parameters: Sequence[Value] = ()) -> list[int]:
        """The first column of every row, where it is a row number."""
        with self.lock:
            return [row[0] for row in self._db.execute(sql, parameters)]

    def scalar(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        with self.lock:
            found: tuple[int] = tuple(self._db.execute(sql, parameters).fetchone())
            return found[0]

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
        with self.lock:
            self._db.execute(
                f'UPDATE {quote(sobject.name)} SET {sets} WHERE "Id" = ?', [*changes.values(), record_id]
            )

    def remove(self, sobject: SObject, record_id: str) -> None:
        with self.lock:
            self._db.execute(f'DELETE FROM {quote(sobject.name)} WHERE "Id" = ?', [record_id])

    def add_column(self, sobject: SObject, field: Field) -> None:
        with self.lock:
            self._db.execute(f"ALTER TABLE {quote(sobject.name)} ADD COLUMN {_column(field)}")
            sobject.put(field)

    def rename_column(self, sobject: SObject, old: Field, new: Field) -> None:
        with self.lock:
            names = f"{quote(old.name)} TO {quote(new.name)}"
            self._db.execute(f"ALTER TABLE {quote(sobject.name)} RENAME COLUMN {names}")
            sobject.drop(old.name)
            sobject.put(new)

    def drop_column(self, sobject: SObject, field: Field) -> None:
        with self.lock:
            self._db.execute(f"ALTER TABLE {quote(sobject.name)} DROP COLUMN {quote(field.name)}")
            sobject.drop(field.name)

    def create_indexes(self) -> None:
        """Called after a bulk load, which is several times faster into tables without them."""
        with self.lock:
            for sobject in self.schema:
                stamp = {"SystemModstamp"} & set(sobject.fields) if sobject.indexes else set()
                for column in (*sobject.indexes, *stamp):
                    self._db.execute(
                        f"CREATE INDEX IF NOT EXISTS {quote(f'{sobject.name}.{column}')}"
                        f" ON {quote(sobject.name)} ({quote(column)})"
                    )
            self._db.execute("ANALYZE")

    def _complete(self, sobject: SObject) -> None:
        """Add what an earlier sandbox, which saved the file, did not have yet."""
        present = {row["name"] for row in self.rows(f"PRAGMA table_info({quote(sobject.name)})")}
        if not present:
            self._create(sobject)
            return
        for field in sobject.fields.values():
            if field.name not in present:
                self._db.execute(f"ALTER TABLE {quote(sobject.name)} ADD COLUMN {_column(field)}")

    def _create(self, sobject: SObject) -> None:
        columns = ", ".join(_column(field) for field in sobject.fields.values())
        self._db.execute(
            f"CREATE TABLE {quote(sobject.name)} (_row INTEGER PRIMARY KEY, {columns}, UNIQUE (Id))"
        )
        self._last[sobject.name] = 0


def _column(field: Field) -> str:
    default = f" DEFAULT {int(bool(field.default))}" if field.type == "boolean" else ""
    return f"{quote(field.name)} {field.column_type}{default}"
