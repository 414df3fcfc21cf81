"""What a CRM offers that a pack may name, as pulls found it: fields, choices, pipelines, stages; those gone as well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from pipelint.connectors.base import Connector, Kind
from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import Stream

What: TypeAlias = Literal["field", "choice", "pipeline", "stage"]

_KINDS: Mapping[Stream, Kind] = {
    Stream.OPPORTUNITIES: "opportunity",
    Stream.ACCOUNTS: "account",
    Stream.LEADS: "lead",
}
_COLUMNS = "what, place, name, label, key, since, gone, hidden"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing under one label: under a new label it is new, and what it was called before is gone.

    `place` is what it belongs to: the kind of a field, `kind.field` of a choice, the pipeline of a stage. `key`
    is the CRM's own id, which a rename leaves alone, where it has one. `since` and `gone` are the pulls
    (microseconds UTC) that saw it first and missed it first; `hidden`: it is there, and this user cannot see it.
    """

    what: What
    place: str
    name: str
    label: str
    key: str = ""
    since: int = 0
    gone: int | None = None
    hidden: bool = False

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.what, self.place, self.name, self.label

    @property
    def part(self) -> str:
        """What is looked at as a whole: all that a kind of record has, all pipelines, all stages."""
        return self.place.partition(".")[0] if self.what in {"field", "choice"} else self.what


def load(db: sqlite3.Connection, connection: str) -> list[Seen]:
    """Everything that the pulls of a connection have seen, in a fixed order."""
    query = f"SELECT {_COLUMNS} FROM crm_schema WHERE connection = ? ORDER BY what, place, since, name, label"
    return [
        Seen(what, place, name, label, key, since, gone, bool(hidden))
        for what, place, name, label, key, since, gone, hidden in db.execute(query, (connection,))
    ]


def observe(cache: Cache, connector: Connector, at: datetime) -> None:
    """Remember what the CRM offers now; what it does not offer any more is kept as gone."""
    before = load(cache.db, connector.name)
    after = [*fields_now(connector, before, at), *_stages_now(cache.db, connector, before, at)]
    known = {each.identity: each for each in before}
    changed = [each for each in after if known.get(each.identity) != each]
    marks = ", ".join("?" * 9)
    with cache.transaction() as db:
        db.executemany(
            f"INSERT OR REPLACE INTO crm_schema (connection, {_COLUMNS}) VALUES ({marks})",
            ((connector.name, *astuple(each)) for each in changed),
        )


def fields_now(connector: Connector, before: Sequence[Seen], at: datetime) -> Iterator[Seen]:
    """The fields and choices of the kinds of records that the connection delivers, as they are at this moment.

    A kind that is not delivered tells nothing about its fields, and nothing is said of it.
    """
    delivered = set(connector.streams())
    for kind in (kind for stream, kind in _KINDS.items() if stream in delivered):
        mine = [each for each in before if each.part == kind]
        now = list(_fields(connector, kind))
        found = list(merged(mine, now, microseconds(at)))
        if _names(now) != _names(mine):
            # Asked for only when a field came or went: it takes a call of its own.
            keys = connector.field_ids(kind)
            found = [_keyed(each, keys) for each in found]
        yield from found


def _stages_now(
    db: sqlite3.Connection, connector: Connector, before: Sequence[Seen], at: datetime
) -> Iterator[Seen]:
    """The pipelines and stages that the pull has brought."""
    delivered = set(connector.streams())
    for stream, part in ((Stream.PIPELINES, "pipeline"), (Stream.STAGES, "stage")):
        if stream in delivered:
            mine = [each for each in before if each.part == part]
            yield from merged(mine, list(_pulled(db, connector.name, stream)), microseconds(at))


def merged(before: Sequence[Seen], now: Sequence[Seen], at: int) -> Iterator[Seen]:
    """What was seen before and what is seen now, each with the pulls that saw and missed it first."""
    held = {each.identity: each for each in before}
    keys = {each.identity[:3]: each.key for each in before if each.key}
    present = {each.identity for each in now}
    for each in now:
        last = held.get(each.identity)
        if last is not None and last.gone is None:
            yield last
        else:
            yield replace(each, key=keys.get(each.identity[:3], ""), since=at)
    for each in before:
        if each.identity not in present:
            yield replace(each, gone=each.gone or at)


def _fields(connector: Connector, kind: Kind) -> Iterator[Seen]:
    for field in connector.fields(kind):
        yield Seen("field", kind, field.name, field.label)
        for value, label in field.choices.items():
            yield Seen("choice", f"{kind}.{field.name}", value, label)


def _pulled(db: sqlite3.Connection, connection: str, stream: Stream) -> Iterator[Seen]:
    """The pipelines or stages that are there: the cache keeps those gone as inactive, since records still name them.

    One that the CRM itself delivers as inactive is there, and carries the number of the last delivery.
    """
    place = "pipeline" if stream is Stream.STAGES else "''"
    rows = db.execute(
        f"""
        SELECT {place}, id, coalesce(label, id) FROM {stream.value} WHERE connection = :connection
          AND (active IS NOT 0 OR pull = (SELECT max(pull) FROM {stream.value} WHERE connection = :connection))
        """,
        {"connection": connection},
    )
    what: What = "stage" if stream is Stream.STAGES else "pipeline"
    yield from (Seen(what, place or "", id_, label) for place, id_, label in rows)


def _keyed(each: Seen, keys: Mapping[str, str]) -> Seen:
    """With the CRM's id of a field, which one that is gone keeps; one that still has it is only hidden."""
    key = keys.get(each.name, "") if each.what == "field" else ""
    if each.gone is None:
        return replace(each, key=key)
    return replace(each, hidden=bool(key) and each.key == key)


def _names(seen: Iterable[Seen]) -> set[str]:
    return {each.name for each in current(seen, "field")}


def current(seen: Iterable[Seen], what: What, place: str | None = None) -> list[Seen]:
    """What is there now, of one sort and in one place."""
    return [each for each in seen if each.gone is None and each.what == what and place in {None, each.place}]
