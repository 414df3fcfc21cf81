"""The records of a connection as they were at a past moment, in temporary tables over the cache's own.

SQLite looks for a table among the temporary ones first. So everything that reads records reads the past
without knowing, for as long as these tables are there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from pipelint.engine.cache import links
from pipelint.engine.cache.coverage import Held
from pipelint.engine.cache.crm_history import apply_crm_history
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.cache.tables import Table, table
from pipelint.engine.cache.trouble import explained
from pipelint.engine.cache.undo_log import LOGGED, logged_columns
from pipelint.records import Stream

Row: TypeAlias = dict[str, Any]

_BATCH = 1000


@contextmanager
def rebuilt(
    cache: Cache,
    connection: str,
    at: int,
    held: Mapping[Stream, Held],
    progress: Callable[[Stream, int], None] | None = None,
) -> Iterator[None]:
    """Put the past before the present: rows as they were at `at` (microseconds UTC), and what runs knew then.

    `held` says what was pulled by then. A table that was not is empty, a column that was not is NULL: what
    is not known of that time is not taken from another. `progress` is told the rows of each table.
    """
    with explained(cache.path):
        _to_disk(cache.db)
        try:
            with _reading(cache.db):
                _Rebuild(cache.db, connection, at, held).run(progress or _silent)
            yield
        finally:
            for name in (*(stream.value for stream in Stream), "finding_event"):
                cache.db.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _silent(stream: Stream, rows: int) -> None:
    """Tells nobody."""


def _to_disk(db: sqlite3.Connection) -> None:
    """A copy of the cache need not fit into memory; changing this drops what is temporary, so only once."""
    if db.execute("PRAGMA temp_store").fetchone()[0] != 1:
        db.execute("PRAGMA temp_store = FILE")


@contextmanager
def _reading(db: sqlite3.Connection) -> Iterator[None]:
    """One state of the data throughout, whoever pulls meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT" if db.in_transaction else "SELECT 1")


class _Rebuild:
    def __init__(self, db: sqlite3.Connection, connection: str, at: int, held: Mapping[Stream, Held]) -> None:
        self.db = db
        self.connection = connection
        self.at = at
        self.held = held

    def run(self, progress: Callable[[Stream, int], None]) -> None:
        for stream in Stream:
            first, *indexes = table(stream).create(temporary=True)
            self.db.execute(first)
            if stream not in LOGGED:
                self.copy(table(stream), set(table(stream).columns), "AND at <= :at")
            elif stream in self.held:
                self.restore(table(stream), self.held[stream].fields)
            for index in indexes:
                self.db.execute(index)
            progress(stream, self.db.execute(f"SELECT count(*) FROM temp.{stream.value}").fetchone()[0])
        apply_crm_history(self.db, self.connection, self.at)
        self.derive_links()
        self.findings()

    def copy(self, spec: Table, columns: Collection[str], where: str = "") -> None:
        chosen = ", ".join(f'"{name}"' if name in columns else "NULL" for name in spec.columns)
        self.db.execute(
            f"INSERT INTO temp.{spec.name} SELECT {chosen} FROM main.{spec.name}"
            f" WHERE connection = :connection {where}",
            {"connection": self.connection, "at": self.at},
        )

    def restore(self, spec: Table, fields: Collection[str]) -> None:
        """The rows of today, and every change since undone."""
        columns = {"connection", "pull", *spec.key}
        columns |= {name for name in logged_columns(spec) if name in fields or name not in spec.fields}
        columns |= {"custom"} & {*spec.columns}
        self.copy(spec, columns, "AND via = 'direct'" if spec.stream is Stream.ACTIVITY_LINKS else "")
        replaced: list[Row] = []
        for key, row, whole in self.undone(spec):
            same = " AND ".join(f'"{name}" = ?' for name in spec.key)
            values = (self.connection, *key)
            if row is None:
                self.db.execute(f"DELETE FROM temp.{spec.name} WHERE {same}", values)
                continue
            found = self.db.execute(f"SELECT * FROM temp.{spec.name} WHERE {same}", values)
            names = [column[0] for column in found.description]
            today = found.fetchone()
            if today or whole:
                held = dict(zip(names, today, strict=True)) if today else {"pull": 0}
                held |= {name: value for name, value in row.items() if name in columns}
                replaced.append({**held, "connection": self.connection})
            if len(replaced) == _BATCH:
                self.put(spec, replaced)
        self.put(spec, replaced)

    def put(self, spec: Table, rows: list[Row]) -> None:
        values = ", ".join("?" * len(spec.columns))
        self.db.executemany(
            f"REPLACE INTO temp.{spec.name} VALUES ({values})",
            [[row.get(name) for name in spec.columns] for row in rows],
        )
        rows.clear()

    def undone(self, spec: Table) -> Iterator[tuple[list[str], Row | None, bool]]:
        """Key and former values of every row that has changed since, all of them or some; None if it was not there."""
        noted = self.db.execute(
            """
            SELECT key, event, was FROM undo_log
            WHERE connection = ? AND stream = ? AND at > ? ORDER BY key, id DESC
            """,
            (self.connection, spec.name, self.at),
        )
        for key, entries in groupby(noted, itemgetter(0)):
            row: Row | None = {}
            whole = False
            for _, event, was in entries:
                match event:
                    case "came":
                        row = None
                    case "went":
                        row, whole = msgspec.json.decode(was), True
                    case _:
                        row = (row or {}) | msgspec.json.decode(was)
            yield msgspec.json.decode(key), row, whole

    def derive_links(self) -> None:
        """Which activities counted for an opportunity through contacts and accounts as they were."""
        links.watch(self.db)
        self.db.execute(
            "INSERT OR IGNORE INTO temp.touched_activity SELECT DISTINCT activity FROM temp.activity_link"
            " WHERE kind IN ('contact', 'account')"
        )
        links.infer(self.db, self.connection, 0)

    def findings(self) -> None:
        """What runs had recorded by then: it says since when something was flagged."""
        self.db.execute(
            "CREATE TEMP TABLE finding_event AS SELECT * FROM main.finding_event"
            " WHERE connection = ? AND at <= ?",
            (self.connection, self.at),
        )
        self.db.execute(
            "CREATE INDEX temp.finding_event_by_record ON finding_event (connection, kind, record, rule)"
        )
