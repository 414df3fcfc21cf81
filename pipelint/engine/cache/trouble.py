"""What SQLite cannot do, told to the person who can do something about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipelint.errors import CacheUnusable

_HINTS: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: (
        "is not a database",
        "Point `cache` at another file, or move this one away: the next pull makes a new one.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "Restore it from a backup, or move it away: the next pull makes a new one, without the history "
        "that only the old one had.",
    ),
    sqlite3.SQLITE_READONLY: (
        "may not be written",
        "Give this user the right to write to it and its folder.",
    ),
    sqlite3.SQLITE_PERM: ("may not be opened", "Give this user the right to write to it and its folder."),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Check that its folder exists and that this user may write there.",
    ),
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full",
        "Free some space and run again: everything stored so far is kept.",
    ),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check the disk; what was stored before is kept."),
    sqlite3.SQLITE_BUSY: (
        "is in use by another program",
        "Close the program that is writing to it, and run again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "is in use by another program",
        "Close the program that is writing to it, and run again.",
    ),
}


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what a person can mend into `CacheUnusable`; the rest is a mistake of ours and stays."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the kind of error; the rest says where in SQLite it arose.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _HINTS:
            raise
        what, hint = _HINTS[code]
        raise CacheUnusable(f"The cache {path} {what}", hint=hint) from error


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has ended it already
            db.execute("ROLLBACK")
        raise
