"""What is remembered between pulls: where each stream continues, and what its rows hold.

A supply comes into force with the last page of a full pull that delivers it: until then a missing value may
just not have come yet, and a rule must not take it for blank. It shrinks at once when less is delivered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from pipelint.connectors.base import Supply
from pipelint.engine.cache.encode import instant, microseconds
from pipelint.records import Stream


@dataclass(frozen=True, slots=True)
class Pending:
    """A full pull under way: its first number, and what it delivers."""

    pull: int
    supply: Supply


@dataclass(frozen=True, slots=True)
class State:
    """One row of `sync_state`."""

    connection: str
    stream: Stream
    pull: int
    cursor: str | None = None
    supply: Supply | None = None
    pending: Pending | None = None
    first_pull_at: datetime | None = None
    last_pull_at: datetime | None = None
    last_full_at: datetime | None = None

    @property
    def covered(self) -> Supply | None:
        """What every row will hold once the pull under way is complete."""
        return self.pending.supply if self.pending else self.supply


class _SupplyJson(msgspec.Struct, frozen=True):
    fields: list[str]
    custom: list[str]
    complete_since: int | None = None
    whole: list[str] = []
    from_full: bool = False
    last_only: list[str] = []


class _PendingJson(msgspec.Struct, frozen=True):
    pull: int
    supply: _SupplyJson


_supply = msgspec.json.Decoder(_SupplyJson)
_pending = msgspec.json.Decoder(_PendingJson)
_COLUMNS = "connection, stream, pull, cursor, supply, pending, first_pull_at, last_pull_at, last_full_at"


def load(db: sqlite3.Connection, connection: str, stream: Stream) -> State | None:
    """What is known of one stream, if it was ever begun."""
    query = f"SELECT {_COLUMNS} FROM sync_state WHERE connection = ? AND stream = ?"
    row = db.execute(query, (connection, stream.value)).fetchone()
    return None if row is None else _state(row)


def load_all(db: sqlite3.Connection, connection: str) -> Iterator[State]:
    """What is known of every stream of a connection."""
    yield from map(
        _state, db.execute(f"SELECT {_COLUMNS} FROM sync_state WHERE connection = ?", (connection,))
    )


def save(db: sqlite3.Connection, state: State) -> None:
    """Remember it."""
    pending = state.pending
    db.execute(
        f"INSERT OR REPLACE INTO sync_state ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            state.connection,
            state.stream.value,
            state.pull,
            state.cursor,
            _text(_supply_json(state.supply)) if state.supply else None,
            _text(_PendingJson(pending.pull, _supply_json(pending.supply))) if pending else None,
            _stamp(state.first_pull_at),
            _stamp(state.last_pull_at),
            _stamp(state.last_full_at),
        ),
    )


def begun(state: State | None, connection: str, supply: Supply, pull: int, *, full: bool) -> State:
    """The state at the start of a pull: a full one when asked, at first, or to fill a new field."""
    known = state or State(connection, supply.stream, pull)
    covered = known.covered
    if full or covered is None or not _covers(covered, supply):
        return replace(full_begun(known, supply, pull), cursor=None)
    pending = replace(known.pending, supply=supply) if known.pending else None
    return replace(known, pull=pull, supply=_common(known.supply, supply), pending=pending)


def full_begun(state: State, supply: Supply, pull: int) -> State:
    """The state when everything begins to come, asked for or not."""
    return replace(state, pull=pull, supply=_common(state.supply, supply), pending=Pending(pull, supply))


def full_ended(state: State, pending: Pending, now: datetime) -> State:
    """The state when everything has come: what was delivered is in force."""
    first = state.first_pull_at or now
    ended = replace(state, pending=None, first_pull_at=first, last_full_at=now)
    return replace(ended, supply=_dated(pending.supply, ended))


def finished(state: State, supply: Supply, started: datetime) -> State:
    """The state after the last page of any pull; a full one that was not ended stays under way."""
    in_force = state.supply if state.pending else _dated(supply, state)
    return replace(state, last_pull_at=started, supply=in_force)


def _dated(supply: Supply, state: State) -> Supply:
    """The supply with the moment from which a history that begins with our full pull is complete.

    Where the connector names a later one, something of before is still missing.
    """
    if not supply.from_full:
        return supply
    moments = [at for at in (state.last_full_at, supply.complete_since) if at is not None]
    return replace(supply, complete_since=max(moments, default=None))


def _covers(held: Supply, supply: Supply) -> bool:
    return supply.fields <= held.fields and supply.custom <= held.custom


def _common(held: Supply | None, supply: Supply) -> Supply | None:
    if held is None:
        return None
    return replace(held, fields=held.fields & supply.fields, custom=held.custom & supply.custom)


def _state(
    row: tuple[str, str, int, str | None, str | None, str | None, int | None, int | None, int | None],
) -> State:
    connection, name, pull, cursor, supply, pending, *stamps = row
    stream = Stream(name)
    first, last, full = (None if stamp is None else instant(stamp) for stamp in stamps)
    under_way = _pending.decode(pending) if pending else None
    return State(
        connection=connection,
        stream=stream,
        pull=pull,
        cursor=cursor,
        supply=_from_json(stream, _supply.decode(supply)) if supply else None,
        pending=Pending(under_way.pull, _from_json(stream, under_way.supply)) if under_way else None,
        first_pull_at=first,
        last_pull_at=last,
        last_full_at=full,
    )


def _supply_json(supply: Supply) -> _SupplyJson:
    return _SupplyJson(
        sorted(supply.fields),
        sorted(supply.custom),
        _stamp(supply.complete_since),
        sorted(supply.whole),
        supply.from_full,
        sorted(supply.last_only),
    )


def _from_json(stream: Stream, supply: _SupplyJson) -> Supply:
    since = None if supply.complete_since is None else instant(supply.complete_since)
    sets = (supply.fields, supply.custom, supply.whole, supply.last_only)
    fields, custom, whole, last_only = map(frozenset, sets)
    return Supply(stream, fields, custom, since, whole, supply.from_full, last_only=last_only)


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _stamp(value: datetime | None) -> int | None:
    return None if value is None else microseconds(value)
