"""Keeps prepared tables, one per fingerprint: made once a local day, then prepared again record by record."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.cache.touched import watch
from pipelint.engine.prepare.register import register_all
from pipelint.engine.prepare.table import TICKS, Statement
from pipelint.rules.compile import CompiledPack, compile_pack
from pipelint.rules.compile_condition import Moment
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered

VERSION = 3  # of the preparation itself: raise it when the same statement would mean something else
_KEPT = 2  # tables per kind and connection, so that two packs can be compared


def prepare(
    cache: Cache, pack: Pack, compiled: CompiledPack, delivered: Delivered, read: Iterable[str]
) -> str:
    """The name of the prepared table of one kind on one connection, brought up to date for this moment."""
    later = at_end_of_day(pack, compiled)
    basis = [
        VERSION,
        delivered.connection,
        Statement(pack, later, later, delivered, read).sql(),
        register_all(cache, pack, delivered, compiled.moment.today),
    ]
    fingerprint = hashlib.sha256(json.dumps(basis, default=str).encode()).hexdigest()[:16]
    name = f"prepared_{compiled.kind}_{fingerprint}"
    preparation = _Preparation(name, pack, compiled, later, delivered, tuple(read))
    known = _known(cache.db, name)
    if known is None or not preparation.is_current(cache.db, known):
        with cache.transaction() as db:
            preparation.bring_up_to_date(db)
    return name


def at_end_of_day(pack: Pack, compiled: CompiledPack) -> CompiledPack:
    """The pack compiled for the last instant of the local day: the same all day long."""
    moment = compiled.moment
    end = moment.calendar.end_of_day(moment.as_of)
    return compile_pack(pack, compiled.kind, compiled.inputs, Moment(moment.calendar, end))


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a prepared table."""

    seq: int
    at: int


def _known(db: sqlite3.Connection, name: str) -> _Known | None:
    row = db.execute("SELECT seq, at FROM prepared WHERE name = ?", (name,)).fetchone()
    return None if row is None else _Known(*row)


@dataclass(frozen=True, slots=True)
class _Preparation:
    """How one prepared table is made, and made again in part."""

    name: str
    pack: Pack
    compiled: CompiledPack
    later: CompiledPack
    delivered: Delivered
    read: tuple[str, ...]

    @property
    def now(self) -> int:
        return self.compiled.moment.now

    @property
    def values(self) -> dict[str, object]:
        return {
            "name": self.name,
            "connection": self.delivered.connection,
            "kind": self.compiled.kind,
            "at": self.now,
        }

    def is_current(self, db: sqlite3.Connection, known: _Known) -> bool:
        """Whether neither the data nor the clock have moved anything since."""
        touched = "SELECT 1 FROM touched WHERE seq > :seq AND connection = :connection AND kind = :kind"
        ticks = f'SELECT 1 FROM "{self.name}" WHERE {TICKS} = 1'
        values = {**self.values, "seq": known.seq}
        moved = db.execute(f"SELECT EXISTS ({touched})", values).fetchone()[0]
        if moved or self.now < known.at:
            return False
        return self.now == known.at or not db.execute(f"SELECT EXISTS ({ticks})").fetchone()[0]

    def bring_up_to_date(self, db: sqlite3.Connection) -> None:
        known = _known(db, self.name)
        values = {**self.values, "seq": _latest(db), "version": _next_version(db)}
        if known is None or self.now < known.at:
            self.make(db, values)
        else:
            self.make_dirty(db, values, known.seq)
        _forget_touched(db, values)

    def make(self, db: sqlite3.Connection, values: dict[str, object]) -> None:
        """Prepare everything."""
        watch(db)
        drop(db, self.name)
        db.execute(f'CREATE TABLE "{self.name}" AS {self.statement(dirty=False).sql()}', values)
        db.execute(f'CREATE UNIQUE INDEX "{self.name}_id" ON "{self.name}" (id)')
        db.execute(f'CREATE INDEX "{self.name}_ticks" ON "{self.name}" (id) WHERE {TICKS} = 1')
        db.execute(
            "INSERT INTO prepared (name, connection, kind, seq, at, version, built)"
            " VALUES (:name, :connection, :kind, :seq, :at, :version, :version)",
            values,
        )
        _drop_old(db, values)

    def make_dirty(self, db: sqlite3.Connection, values: dict[str, object], since: int) -> None:
        """Prepare again the records that were touched since, and those that time may have moved."""
        statement = self.statement(dirty=True)
        self.choose(db, {**values, "since": since}, siblings=statement.compares_siblings)
        db.execute(f'DELETE FROM "{self.name}" WHERE id IN (SELECT record FROM temp.dirty)')
        db.execute(f'INSERT INTO "{self.name}" {statement.sql()}', values)
        db.execute(
            "INSERT OR REPLACE INTO refreshed SELECT :name, record, :version FROM temp.dirty",
            values,
        )
        db.execute("UPDATE prepared SET seq = :seq, at = :at, version = :version WHERE name = :name", values)

    def choose(self, db: sqlite3.Connection, values: dict[str, object], *, siblings: bool) -> None:
        db.execute("CREATE TEMP TABLE IF NOT EXISTS dirty (record TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("DELETE FROM temp.dirty")
        db.execute(
            f"""
            INSERT INTO temp.dirty
            SELECT record FROM touched WHERE seq > :since AND connection = :connection AND kind = :kind
            UNION SELECT id FROM "{self.name}" WHERE {TICKS} = 1
            """,
            values,
        )
        if siblings:
            db.execute(
                """
                INSERT OR IGNORE INTO temp.dirty
                SELECT other.id FROM temp.dirty d
                CROSS JOIN opportunity o ON o.connection = :connection AND o.id = d.record
                CROSS JOIN opportunity other ON other.connection = o.connection AND other.account = o.account
                """,
                values,
            )

    def statement(self, *, dirty: bool) -> Statement:
        return Statement(self.pack, self.compiled, self.later, self.delivered, self.read, dirty=dirty)


def drop(db: sqlite3.Connection, name: str) -> None:
    """Forget a prepared table."""
    db.execute(f'DROP TABLE IF EXISTS "{name}"')
    db.execute("DELETE FROM prepared WHERE name = ?", (name,))
    db.execute("DELETE FROM refreshed WHERE name = ?", (name,))


def _latest(db: sqlite3.Connection) -> int:
    """The newest number that `touched` has given."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'touched'").fetchone()
    return 0 if row is None else int(row[0])


def _next_version(db: sqlite3.Connection) -> int:
    """Greater than all before, those of tables that are gone included."""
    query = "SELECT coalesce(max(version), 0) FROM (SELECT version FROM prepared UNION SELECT version FROM judged)"
    return int(db.execute(query).fetchone()[0]) + 1


def _forget_touched(db: sqlite3.Connection, values: dict[str, object]) -> None:
    """What every prepared table of a kind has seen."""
    db.execute(
        """
        DELETE FROM touched WHERE connection = :connection AND kind = :kind AND seq <= (
          SELECT min(seq) FROM prepared WHERE connection = :connection AND kind = :kind)
        """,
        values,
    )


def _drop_old(db: sqlite3.Connection, values: dict[str, object]) -> None:
    query = (
        "SELECT name FROM prepared WHERE connection = ? AND kind = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?"
    )
    for (name,) in db.execute(query, (values["connection"], values["kind"], _KEPT)).fetchall():
        drop(db, name)
