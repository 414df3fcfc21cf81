"""Which fields were held during which time: what a past day can be asked for, and what not."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from pipelint.engine.cache.encode import instant, microseconds
from pipelint.engine.cache.state import State
from pipelint.records import Stream

_CUSTOM = "custom."


class Held(NamedTuple):
    """Canonical fields and the CRM's names of the pack's own ones."""

    fields: frozenset[str]
    custom: frozenset[str]


def note(db: sqlite3.Connection, state: State) -> None:
    """What is held now: a field that is new begins here, one that is missing ended with the last pull."""
    names: list[str] = []
    if state.supply is not None:
        names = sorted(state.supply.fields) + [_CUSTOM + name for name in sorted(state.supply.custom)]
    values = {
        "connection": state.connection,
        "stream": state.stream.value,
        "names": msgspec.json.encode(names).decode(),
        "begun": _stamp(state.last_full_at),
        "ended": _stamp(state.last_pull_at or state.last_full_at),
    }
    for statement in (
        """
        UPDATE held SET until = :ended
        WHERE connection = :connection AND stream = :stream AND until IS NULL
          AND field NOT IN (SELECT value FROM json_each(:names))
        """,
        """
        INSERT OR REPLACE INTO held (connection, stream, field, since)
        SELECT :connection, :stream, value, :begun FROM json_each(:names)
        WHERE NOT EXISTS (
          SELECT 1 FROM held
          WHERE connection = :connection AND stream = :stream AND field = value AND until IS NULL
        )
        """,
    ):
        db.execute(statement, values)


def held_at(db: sqlite3.Connection, connection: str, at: datetime) -> Mapping[Stream, Held]:
    """What was held of each stream at that moment; a stream that was not pulled yet is absent."""
    query = """
        SELECT DISTINCT stream, field FROM held
        WHERE connection = :connection AND since <= :at AND coalesce(until, :at) >= :at
    """
    found: dict[Stream, set[str]] = {}
    for stream, field in db.execute(query, {"connection": connection, "at": microseconds(at)}):
        found.setdefault(Stream(stream), set()).add(field)
    return {stream: _held(names) for stream, names in found.items()}


def beginnings(db: sqlite3.Connection, connection: str) -> list[datetime]:
    """The moments from which on more is held than before, in their order."""
    query = "SELECT DISTINCT since FROM held WHERE connection = ? ORDER BY since"
    return [instant(since) for (since,) in db.execute(query, (connection,))]


def _held(names: set[str]) -> Held:
    custom = {name.removeprefix(_CUSTOM) for name in names if name.startswith(_CUSTOM)}
    return Held(frozenset(name for name in names if not name.startswith(_CUSTOM)), frozenset(custom))


def _stamp(value: datetime | None) -> int | None:
    return None if value is None else microseconds(value)
