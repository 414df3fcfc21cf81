"""Following an object by SystemModstamp: everything at first, then what changed, with nothing lost between.

A row becomes visible when its transaction commits, with a stamp taken earlier, and many rows share a stamp
(fact sheet §5). So each pass starts `OVERLAP` before the server's clock at the start of the pass before it,
goes by (stamp, id), and leaves out rows that the last pass has already delivered just so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client, QueryAnswer, Row
from pipelint.connectors.salesforce.normalise import Reading
from pipelint.connectors.salesforce.reader import Reader
from pipelint.errors import UnexpectedAnswer
from pipelint.records import Record, Stream

OVERLAP: Final = timedelta(minutes=10)

RECYCLED: Final = timedelta(days=14)
"""Deleted rows can be asked for over 15 days (fact sheet §5): after a longer gap all is pulled anew."""

REMEMBERED: Final = 500
"""Rows of the overlap kept in a cursor; more of them are merely delivered twice."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a stream continues.

    A pass reads changes from `since` (None: everything) and is finished when `done`; until then it goes on
    in part `part` after the row `after`. `until` is the server's clock at its start. `seen` are rows that
    the pass before delivered in the overlap, `now` those of this one; id → digest. A column that was not in
    `columns` is new (mapped or granted since), and everything is pulled anew to fill it.
    """

    until: datetime
    since: datetime | None = None
    part: int = 0
    after: tuple[str, str] | None = None
    done: bool = False
    columns: tuple[str, ...] = ()
    seen: dict[str, str] = {}
    now: dict[str, str] = {}

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def read_cursor(text: str) -> Cursor:
    """The cursor of an earlier page."""
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError:
        raise UnexpectedAnswer("the place to continue from is not readable", hint="run pull --full") from None


def next_pass(text: str | None, now: datetime, columns: tuple[str, ...] = ()) -> tuple[Cursor, bool]:
    """The cursor to work from, and whether a full pull begins with it."""
    last = read_cursor(text) if text else None
    too_old = last is not None and now - last.until > RECYCLED
    if last is None or too_old or not set(columns) <= set(last.columns):
        return Cursor(until=now, columns=columns), True
    if not last.done:
        return last, False
    return Cursor(until=now, since=last.until - OVERLAP, columns=columns, seen=last.now), False


def digest(content: object) -> str:
    """Tells equal content in equal words, over processes; two changes may share an id and a second."""
    return blake2b(repr(content).encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Memory:
    """Which rows of the overlap the last pass delivered, and which this one does."""

    seen: dict[str, str]
    now: dict[str, str]

    def is_new(self, id_: str, content: object, *, recent: bool) -> bool:
        """Whether this content of the row was not delivered by the last pass; remembers it where recent."""
        if not recent and id_ not in self.seen:
            return True
        sign = digest(content)
        if recent and len(self.now) < REMEMBERED:
            self.now[id_] = sign
        return self.seen.get(id_) != sign


@dataclass(frozen=True, slots=True)
class Part:
    """One query of a pass; `passing` asks for rows that changed by time alone."""

    reader: Reader
    passing: bool = False


def pull(
    client: Client, stream: Stream, readers: Sequence[Reader], text: str | None, reading: Reading
) -> Iterator[Page]:
    """The pages of a stream; the last one is always there, and its cursor begins the next pass."""
    columns = tuple(name for reader in readers for name in reader.columns)
    cursor, begins = next_pass(text, reading.now, columns)
    reading = replace(reading, now=cursor.until)
    parts = [Part(reader) for reader in readers]
    if cursor.since is not None:
        parts += [Part(reader, passing=True) for reader in readers if reader.sobject.passing]
    while not cursor.done:
        part = parts[cursor.part]
        for answer in _answers(client, part, cursor):
            memory = Memory(cursor.seen, dict(cursor.now))
            records, deleted = _read(part, answer.records, cursor, memory, reading)
            cursor = _advanced(cursor, answer, len(parts), memory)
            yield Page(
                stream,
                records,
                cursor.text(),
                deleted,
                begins_full=begins,
                ends_full=cursor.done and cursor.since is None,
            )
            begins = False


def _answers(client: Client, part: Part, cursor: Cursor) -> Iterator[QueryAnswer]:
    reader, name = part.reader, part.reader.sobject.name
    full = cursor.since is None
    where = []
    if part.passing:
        # All-day events end at midnight of another zone: ask for two days more, and look closely later.
        where.append(f"{reader.sobject.passing} >= {soql.instant(_start(cursor) - timedelta(days=2))}")
        where.append(f"{reader.sobject.passing} <= {soql.instant(cursor.until + timedelta(days=1))}")
    elif cursor.since is not None:
        where.append(f"SystemModstamp >= {soql.instant(cursor.since)}")
    if (full or part.passing) and reader.can_be_deleted and reader.sobject.archived:
        where.append("IsDeleted = false")
    if cursor.after:
        where.append(soql.after(*cursor.after))
    statement = soql.select(reader.columns, name, where, ("SystemModstamp", "Id"))
    all_rows = reader.sobject.archived or (not full and reader.can_be_deleted)
    return client.query(statement, name=f"query {name}", all_rows=all_rows)


def _start(cursor: Cursor) -> datetime:
    return cursor.since or cursor.until


def _read(
    part: Part, rows: list[Row], cursor: Cursor, memory: Memory, reading: Reading
) -> tuple[list[Record], list[str]]:
    """The records of a page, and the ids that are gone (said only when following changes)."""
    records: list[Record] = []
    deleted: list[str] = []
    if part.passing:
        since = replace(reading, now=_start(cursor))
        rows = [row for row in rows if part.reader.passed(row, since, reading)]
    edge = soql.instant(cursor.until - OVERLAP)[:19]
    for row, (id_, read) in zip(rows, part.reader.records(rows, reading), strict=True):
        if not memory.is_new(id_, read, recent=part.passing or row["SystemModstamp"][:19] >= edge):
            continue
        records += read
        if not read and cursor.since is not None:
            deleted.append(id_)
    return records, deleted


def _advanced(cursor: Cursor, answer: QueryAnswer, parts: int, memory: Memory) -> Cursor:
    """The cursor after a page."""
    if not answer.done:
        last = answer.records[-1] if answer.records else None
        after = (last["SystemModstamp"], last["Id"]) if last else cursor.after
        return msgspec.structs.replace(cursor, after=after, now=memory.now)
    if cursor.part + 1 < parts:
        return msgspec.structs.replace(cursor, part=cursor.part + 1, after=None, now=memory.now)
    return Cursor(until=cursor.until, since=cursor.since, done=True, columns=cursor.columns, now=memory.now)
