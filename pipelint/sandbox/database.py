"""SQLite in memory, behind one lock: where a sandbox keeps what its CRM holds."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path


def quote(name: str) -> str:
    """An identifier of ours, safe inside SQL."""
    return '"' + name.replace('"', '""') + '"'


class Database:
    """Empty, or as `save` wrote it to a file."""

    def __init__(self, saved: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        weakref.finalize(self, self._db.close)
        if saved is not None:
            with closing(sqlite3.connect(saved)) as file:
                file.backup(self._db)

    def save(self, path: Path) -> None:
        """Write everything to a file, beside it first: a stop half-way leaves the earlier file whole."""
        beside = path.with_name(path.name + ".new")
        beside.unlink(missing_ok=True)
        with self.lock, closing(sqlite3.connect(beside)) as file:
            self._db.backup(file)
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

    def run(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Carry out a statement; answers how many rows it touched."""
        with self.lock:
            return self._db.execute(sql, parameters).rowcount

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self.lock:
            return self._db.execute(sql, parameters).fetchall()
