"""The cache in SQLite: opening it, storing pages, and what is known about each connection."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache import coverage, links, state
from pipelint.engine.cache.observe import Interval
from pipelint.engine.cache.state import State
from pipelint.engine.cache.store import Stored, delete, delete_unseen, store_page
from pipelint.engine.cache.trouble import explained, transaction
from pipelint.errors import CacheUnusable
from pipelint.records import Stream

SCHEMA_VERSION = 11
"""The number of migrations; kept in the file, so that the usual opening need not import sqlite-utils."""

_APPLICATION_ID = 0x706C6E74  # "plnt": tells our files from any other SQLite database
_BUSY_SECONDS = 10.0
_PRAGMAS = (
    "page_size = 8192",  # an opportunity of 1.6 KB leaves half of a 4 KB page empty
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "wal_autocheckpoint = 4000",  # the usual 1000 copies the whole log at nearly every commit of a pull
    "cache_size = -16384",
    "temp_store = MEMORY",
)


class Cache:
    """The records of a project, and what was found in them."""

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self.db = db
        self.path = path

    @classmethod
    def open(cls, path: Path | Literal[":memory:"]) -> Self:
        """Open or create the cache, bringing an older one up to date."""
        if isinstance(path, Path):
            _create(path)
        with explained(str(path)):
            db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                _refuse_foreign(db, str(path))
                for pragma in _PRAGMAS:
                    db.execute(f"PRAGMA {pragma}")
                if _pragma(db, "user_version") < SCHEMA_VERSION:
                    _migrate(db)
            except BaseException:
                db.close()
                raise
        return cls(db, str(path))

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; what SQLite cannot do is told as `CacheUnusable`."""
        with explained(self.path), transaction(self.db):
            yield self.db

    def begin_pull(self, connection: str) -> int:
        """The number of the pull that begins now; rows carry the number of the pull that last saw them."""
        query = "SELECT coalesce(max(pull), 0) + 1 FROM sync_state WHERE connection = ?"
        return int(self.db.execute(query, (connection,)).fetchone()[0])

    def begin_stream(self, connection: str, supply: Supply, pull: int, *, full: bool = False) -> str | None:
        """Where to continue; None is the beginning, which a field that we do not hold yet asks for too."""
        with self.transaction() as db:
            known = state.load(db, connection, supply.stream)
            begun = state.begun(known, connection, supply, pull, full=full)
            state.save(db, begun)
            coverage.note(db, begun)
            return begun.cursor

    def store(self, connection: str, page: Page, supply: Supply, pull: int, now: datetime) -> Stored:
        """Store a page together with its cursor; the last one of a full pull removes what none has shown."""
        with self.transaction() as db:
            known = state.load(db, connection, page.stream) or State(connection, page.stream, pull)
            if page.begins_full:
                known = state.full_begun(known, supply, pull)
            stored = store_page(db, connection, page, _interval(known, supply, now), pull)
            if page.ends_full and known.pending:
                unseen = delete_unseen(db, connection, page.stream, known.pending.pull, pull)
                stored = stored._replace(deleted=stored.deleted + unseen)
                known = state.full_ended(known, known.pending, now)
                coverage.note(db, known)
            state.save(db, replace(known, cursor=page.cursor, pull=pull))
            return stored

    def finish_stream(self, connection: str, supply: Supply, started: datetime) -> None:
        """All pages of a pull that began at `started` are stored."""
        with self.transaction() as db:
            if known := state.load(db, connection, supply.stream):
                state.save(db, state.finished(known, supply, started))

    def withdraw(self, connection: str, stream: Stream) -> None:
        """The connection does not deliver this stream any more: it counts as not synced from now on."""
        with self.transaction() as db:
            if known := state.load(db, connection, stream):
                coverage.note(db, replace(known, supply=None))
            db.execute(
                "DELETE FROM sync_state WHERE connection = ? AND stream = ?", (connection, stream.value)
            )

    def cursor(self, connection: str, stream: Stream) -> str | None:
        """Where the stream would continue."""
        known = state.load(self.db, connection, stream)
        return known.cursor if known else None

    def streams(self, connection: str) -> dict[Stream, State]:
        """Everything remembered about the streams of a connection."""
        return {each.stream: each for each in state.load_all(self.db, connection)}

    def supply(self, connection: str) -> dict[Stream, Supply]:
        """What the rows hold; a stream whose first pull is not complete is absent."""
        return {stream: known.supply for stream, known in self.streams(connection).items() if known.supply}

    def delete(self, connection: str, stream: Stream, ids: Iterable[str]) -> int:
        """Remove records with all that hangs on them; the number that were there."""
        with self.transaction() as db:
            links.watch(db)
            deleted = delete(db, connection, stream, ids)
            links.derive(db, connection, self.begin_pull(connection) - 1)
            return deleted

    def counts(self) -> dict[str, dict[Stream, int]]:
        """Rows by connection and stream."""
        found: dict[str, dict[Stream, int]] = {}
        for stream in Stream:
            query = f"SELECT connection, count(*) FROM {stream.value} GROUP BY connection"
            for connection, number in self.db.execute(query):
                found.setdefault(connection, {})[stream] = number
        return found

    def verify(self) -> list[str]:
        """What is wrong with the file, in SQLite's words; empty when it is sound."""
        with explained(self.path):
            found = [text for (text,) in self.db.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found


def _create(path: Path) -> None:
    """Make the file ourselves: it holds personal data, and SQLite would leave it readable to everyone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Check that this user may write there, or set `cache` to another place."
        raise CacheUnusable(f"The cache {path} cannot be opened: {reason}", hint=hint) from error


def _refuse_foreign(db: sqlite3.Connection, path: str) -> None:
    """Never alter somebody else's database, nor one whose form we cannot know."""
    ours = _pragma(db, "application_id") == _APPLICATION_ID
    if not ours and db.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]:
        hint = "Point `cache` at another file: this one is left as it is."
        raise CacheUnusable(f"The cache {path} is the database of another program", hint=hint)
    if _pragma(db, "user_version") > SCHEMA_VERSION:
        hint = "Update pipelint, or point `cache` at another file."
        raise CacheUnusable(f"The cache {path} was written by a newer pipelint", hint=hint)


def _migrate(db: sqlite3.Connection) -> None:
    from sqlite_utils import Database  # slow to import, and rarely needed

    from pipelint.engine.cache.migrations import migrations

    with transaction(db):
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        migrations.apply(Database(db, recursive_triggers=False, execute_plugins=False))
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _interval(known: State, supply: Supply, now: datetime) -> Interval | None:
    """What to compare; nothing before a first pull was complete."""
    held, since = known.supply, known.last_pull_at or known.first_pull_at
    if held is None or since is None:
        return None
    fresh = supply.fields - held.fields | {f"custom.{name}" for name in supply.custom - held.custom}
    custom = held.custom & supply.custom
    return Interval(held.fields & supply.fields, custom, since, now, fresh, supply.stamps & custom)
