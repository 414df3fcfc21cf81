"""Following an object by its stamp: everything at first, then what changed, with nothing lost between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from msgspec.structs import replace as moved

from pipelint.connectors.base import Page
from pipelint.connectors.overlap import Memory
from pipelint.connectors.salesforce import companions, deletions, paging, soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.cursor import GONE, OVERLAP, Cursor, anew, next_pass
from pipelint.connectors.salesforce.normalise import Reading
from pipelint.connectors.salesforce.paging import Rows
from pipelint.connectors.salesforce.reader import Reader
from pipelint.records import Record, Stream


@dataclass(frozen=True, slots=True)
class Part:
    """One query of a pass; `passing` asks for rows that changed by time alone."""

    reader: Reader
    passing: bool = False


@dataclass(slots=True)
class Found:
    """What a page of rows comes to; deletions and merges are said only when following changes."""

    records: list[Record]
    deleted: list[str]
    merged: dict[str, str]


def pull(
    client: Client,
    stream: Stream,
    readers: Sequence[Reader],
    text: str | None,
    reading: Reading,
    reread: timedelta,
) -> Iterator[Page]:
    """The pages of a stream; the last one is always there, and its cursor begins the next pass."""
    columns = tuple(name for reader in readers for name in reader.columns)
    cursor, begins = next_pass(text, reading.now, reread, columns)
    if cursor.since is not None and cursor.untouched:
        told = deletions.told(client, readers, cursor.since, cursor.until)
        cursor, gone = _without(cursor, told.ids)
        if told.gap:
            cursor, begins = anew(reading.now, columns), True
        elif gone:
            yield Page(stream, (), cursor.text(), deleted=gone)
    reading = replace(reading, now=cursor.until)
    parts = _parts(readers, cursor)
    while not cursor.done:
        part = parts[cursor.part]
        for page in paging.pages(client, _select(part, cursor), cursor.place):
            memory = Memory(cursor.seen, dict(cursor.now))
            found = _read(client, part, page.rows, cursor, memory, reading)
            cursor = _advanced(moved(cursor, now=memory.now), page, part.reader.sobject.stamp, len(parts))
            yield Page(
                stream,
                found.records,
                cursor.text(),
                found.deleted,
                begins_full=begins,
                ends_full=cursor.done and cursor.full,
                merged=found.merged,
            )
            begins = False


def _parts(readers: Sequence[Reader], cursor: Cursor) -> list[Part]:
    """The queries of a pass: a full one reads all rows as they are now, so none needs a second look."""
    parts = [Part(reader) for reader in readers]
    if not cursor.full:
        parts += [Part(reader, passing=True) for reader in readers if reader.sobject.passing]
    return parts


def _without(cursor: Cursor, ids: Sequence[str]) -> tuple[Cursor, list[str]]:
    """The ids that are not known to be gone; should one of them come back, it is delivered again."""
    gone = [id_ for id_ in ids if GONE not in {cursor.seen.get(id_), cursor.now.get(id_)}]
    seen = {id_: sign for id_, sign in cursor.seen.items() if id_ not in gone}
    return moved(
        cursor, seen=seen | dict.fromkeys(gone, GONE), now=cursor.now | dict.fromkeys(gone, GONE)
    ), gone


def _select(part: Part, cursor: Cursor) -> paging.Select:
    reader, sobject = part.reader, part.reader.sobject
    where = [sobject.where] if sobject.where else []
    if part.passing:
        # All-day events end at midnight of another zone: ask for two days more, and look closely later.
        begins = cursor.since or cursor.until
        where.append(f"{sobject.passing} >= {soql.instant(begins - timedelta(days=2))}")
        where.append(f"{sobject.passing} <= {soql.instant(cursor.until + timedelta(days=1))}")
    elif cursor.since is not None:
        where.append(f"{sobject.stamp} >= {soql.instant(cursor.since)}")
    if (cursor.full or part.passing) and reader.can_be_deleted and sobject.archived:
        where.append("IsDeleted = false")
    if cursor.after:
        where.append(soql.after(sobject.stamp, *cursor.after))
    return paging.Select(
        reader.columns,
        sobject.name,
        where,
        (sobject.stamp, "Id"),
        reader.booleans,
        all_rows=sobject.archived or (not cursor.full and reader.can_be_deleted),
    )


def _read(
    client: Client, part: Part, rows: list[Row], cursor: Cursor, memory: Memory, reading: Reading
) -> Found:
    """The records of a page that the last pass has not delivered just so."""
    stamp = part.reader.sobject.stamp
    merged = {} if cursor.full else part.reader.merged(rows)
    if part.passing:
        since = replace(reading, now=cursor.since or cursor.until)
        rows = [row for row in rows if part.reader.passed(row, since, reading)]
    companions.add(client, part.reader, rows)
    edge = soql.instant(cursor.until - OVERLAP)[:19]
    found = Found([], [], merged)
    for row, (id_, read) in zip(rows, part.reader.records(rows, reading), strict=True):
        if not memory.is_new(id_, read, recent=part.passing or row[stamp][:19] >= edge):
            continue
        found.records += read
        if not read and not cursor.full:
            found.deleted.append(id_)
    return found


def _advanced(cursor: Cursor, page: Rows, stamp: str, parts: int) -> Cursor:
    """The cursor after a page."""
    if page.done:
        return cursor.past(parts)
    last = page.rows[-1] if page.rows else None
    return cursor.at(page.place, (last[stamp], last["Id"]) if last else None)
