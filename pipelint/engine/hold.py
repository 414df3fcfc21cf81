"""A connection held after an undo: its runs go on without writing, until a person says `push --resume`.

Without it the next scheduled run would write again what was just taken back.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache


def hold(cache: Cache, connection: str, run: str, at: datetime) -> None:
    """Write nothing from now on."""
    with cache.transaction() as db:
        db.execute("INSERT OR REPLACE INTO hold VALUES (?, ?, ?)", (connection, run, microseconds(at)))


def release(cache: Cache, connection: str) -> None:
    """Go on."""
    with cache.transaction() as db:
        db.execute("DELETE FROM hold WHERE connection = ?", (connection,))


def held_by(db: sqlite3.Connection, connection: str) -> str | None:
    """The undo that holds a connection."""
    row = db.execute("SELECT run FROM hold WHERE connection = ?", (connection,)).fetchone()
    return None if row is None else str(row[0])
