"""Following an object type: everything by the list, then what changed by the search.

The search's index lags, and it never tells of archived or deleted records, of changed links, or of what we may
not see any more (fact sheet §5). So each pass begins a little before the end of the one before, and a full pull
comes round every day or week, by list: it costs a call for each hundred records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.hubspot.answers import Row, Rows
from pipelint.connectors.hubspot.associations import Link, links, told_links
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.normalise import instant, milliseconds, text
from pipelint.connectors.hubspot.readers import Given, Reading
from pipelint.connectors.hubspot.search import Place, between, by_id, changed
from pipelint.connectors.hubspot.streams import MERGED, Followed
from pipelint.connectors.overlap import Memory
from pipelint.errors import CursorUnreadable
from pipelint.records import Record, Stream

OVERLAP: Final = timedelta(minutes=10)

DAILY: Final = timedelta(hours=23)
"""A little less than a day, so that a schedule comes to it at about the same time."""

WEEKLY: Final = timedelta(days=7)

LIST_ROWS: Final = 100
LISTS_A_PAGE: Final = 10
"""So many pages of a list, or as many rows of a search, make one of ours: links are asked for a thousand at a time."""

LONGEST: Final = 12_000
"""Characters of property names in an address; above about 16,000 HubSpot refuses it (fact sheet §4)."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a stream continues.

    A pass that began at `until` reads changes from `since` (None: everything), is in part `part`, at the mark
    `after` of a list or the place `place` of a search, and finished when `done`. `full_at` is when the last full
    pull began. `seen` are rows that the pass before delivered in the overlap, `now` those of this one. `kinds`
    are the object types that make up the stream.
    """

    until: datetime
    full_at: datetime
    since: datetime | None = None
    part: int = 0
    after: str | None = None
    place: Place | None = None
    done: bool = False
    seen: dict[str, str] = {}
    now: dict[str, str] = {}
    kinds: tuple[str, ...] = ()

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def next_pass(
    text_: str | None, now: datetime, full_every: timedelta, kinds: tuple[str, ...] = ()
) -> tuple[Cursor, bool]:
    """The cursor to work from, and whether a full pull begins with it.

    It does where a type came to a stream, or left it: what is there of a new one was never pulled.
    """
    full = Cursor(until=now, full_at=now, kinds=kinds)
    if text_ is None:
        return full, True
    try:
        last = msgspec.json.decode(text_, type=Cursor)
    except msgspec.MsgspecError:
        raise CursorUnreadable from None
    if last.kinds != kinds or (last.done and now - last.full_at >= full_every):
        return full, True
    if not last.done:
        return last, False
    since = last.until - OVERLAP
    return Cursor(until=now, full_at=last.full_at, since=since, seen=last.now, kinds=kinds), False


@dataclass(frozen=True, slots=True)
class Part:
    """One object type of a pass, with what is asked for; `passing`: the instant of rows that changed by time alone."""

    followed: Followed
    properties: tuple[str, ...]
    passing: str = ""


class Found(NamedTuple):
    """What a page of rows came to; `fresh` are those that the overlap had not brought already."""

    fresh: list[Row]
    records: list[Record]
    deleted: list[str]
    merged: dict[str, str]


@dataclass(frozen=True, slots=True)
class Walk:
    """The pages of one stream; `watch` is shown the new rows of a pass from its beginning, page by page."""

    client: Client
    stream: Stream
    reading: Reading
    parts: tuple[Part, ...]
    full_every: timedelta
    watch: Callable[[Cursor, Sequence[Row]], None] | None = None

    def pages(self, text_: str | None) -> Iterator[Page]:
        """The last one is always there, and its cursor begins the next pass."""
        kinds = tuple(part.followed.kind for part in self.parts)
        cursor, begins = next_pass(text_, self.client.now(), self.full_every, kinds)
        parts = list(self.parts)
        if cursor.since is not None:
            parts += [replace(part, passing=name) for part in parts for name in part.followed.passing]
        watch = self.watch if (cursor.part, cursor.after, cursor.place) == (0, None, None) else None
        while not cursor.done:
            part = parts[cursor.part]
            for rows, after, place in self._answers(part, cursor):
                memory = Memory(cursor.seen, dict(cursor.now))
                found = self._read(part, rows, cursor, memory)
                last = after is None and place is None
                cursor = _advanced(cursor, after, place, last=last, parts=len(parts), memory=memory)
                if watch is not None and not part.passing:
                    watch(cursor, found.fresh)
                yield Page(
                    self.stream,
                    found.records,
                    cursor.text(),
                    found.deleted,
                    begins_full=begins,
                    ends_full=cursor.done and cursor.since is None,
                    merged=found.merged,
                )
                begins = False

    def _answers(self, part: Part, cursor: Cursor) -> Iterator[tuple[list[Row], str | None, Place | None]]:
        kind, stamp = part.followed.kind, part.followed.stamp
        beyond = (cursor.place.after if cursor.place else None) or "0"
        if cursor.since is None and part.followed.where:
            for rows in by_id(self.client, kind, part.properties, [part.followed.where], beyond):
                yield rows, None, Place(0, rows[-1].id)
            yield [], None, None
        elif cursor.since is None:
            yield from self._listed(part, cursor.after)
        elif part.passing:
            first, last = milliseconds(cursor.since), milliseconds(cursor.until)
            for rows in between(self.client, kind, part.passing, part.properties, first, last, beyond):
                yield rows, None, Place(first, rows[-1].id)
            yield [], None, None
        else:
            place = cursor.place or Place(milliseconds(cursor.since))
            gathered: list[Row] = []
            for rows, following in changed(self.client, kind, stamp, part.properties, place):
                gathered += rows
                if len(gathered) >= LISTS_A_PAGE * LIST_ROWS or following is None:
                    yield gathered, None, following
                    gathered = []

    def _listed(self, part: Part, after: str | None) -> Iterator[tuple[list[Row], str | None, None]]:
        path = self.client.reading.objects(part.followed.kind)
        first, *more = _fitting(part.properties)
        query = [("limit", str(LIST_ROWS)), ("properties", ",".join(first))]
        if part.followed.links and not part.followed.labels:
            query.append(("associations", ",".join(part.followed.links)))
        pages = self.client.pages(path, query, name=f"the {part.followed.kind}", after=after)
        while some := list(islice(pages, LISTS_A_PAGE)):
            rows = [row for page in some for row in page.results]
            for names in more:
                self._complete(part.followed.kind, rows, names)
            yield rows, some[-1].after, None

    def _complete(self, kind: str, rows: Sequence[Row], names: Sequence[str]) -> None:
        """Properties that had no room in the address of the list."""
        by_id = {row.id: row for row in rows}
        for first in range(0, len(rows), LIST_ROWS):
            some = rows[first : first + LIST_ROWS]
            for read in batch_read(self.client, kind, [row.id for row in some], names):
                if read.id in by_id:  # one that was merged meanwhile answers as another
                    by_id[read.id].properties.update(read.properties)

    def _read(self, part: Part, rows: Sequence[Row], cursor: Cursor, memory: Memory) -> Found:
        """What a page came to; ids that are gone are told only when following changes."""
        following = cursor.since is not None
        reading = replace(self.reading, now=cursor.until)
        latest = {row.id: row for row in rows}  # a record that was at a border twice
        linked = self._linked(part.followed, latest, listed=not following)
        edge = milliseconds(cursor.until - OVERLAP)
        result = Found([], [], [], {})
        for id_, row in latest.items():
            read = part.followed.read(
                Given(reading, row, {to: found.get(id_, ()) for to, found in linked.items()})
            )
            recent = bool(part.passing) or _moment(row, part.followed.stamp) >= edge
            if not memory.is_new(f"{part.followed.kind}:{id_}", read, recent=recent):
                continue
            result.fresh.append(row)
            result.records.extend(read)
            # A merge makes a new deal, and the old ones are gone without a word (fact sheet §5).
            merged = [
                old for old in (text(row.properties.get(MERGED)) or "").split(";") if old not in {"", id_}
            ]
            result.merged.update(dict.fromkeys(merged, id_))
            if following:
                result.deleted.extend([*merged] if read else [id_, *merged])
        return result

    def _linked(
        self, followed: Followed, rows: Mapping[str, Row], *, listed: bool
    ) -> dict[str, dict[str, list[Link]]]:
        """The links of some rows, by the type they lead to: told by a list, except for labels and long ones."""
        found: dict[str, dict[str, list[Link]]] = {}
        for to in followed.links:
            told = {} if followed.labels or not listed else told_links(rows, to, followed.links)
            asked = [id_ for id_ in rows if id_ not in told]
            found[to] = told | (links(self.client, followed.kind, to, asked) if asked else {})
        return found


def batch_read(
    client: Client, kind: str, ids: Sequence[str], names: Sequence[str], history: Sequence[str] = ()
) -> list[Row]:
    """Some records by id; those that are gone are left out."""
    body = {"inputs": [{"id": id_} for id_ in ids], "properties": list(names)}
    if history:
        body["propertiesWithHistory"] = list(history)
    path = client.reading.objects(kind, "batch", "read")
    return client.batch(path, body, Rows, name=f"{kind} by their ids").results


def _fitting(names: Sequence[str]) -> list[list[str]]:
    """The names in portions that fit into an address."""
    portions: list[list[str]] = [[]]
    length = 0
    for name in names:
        if portions[-1] and length + len(name) + 3 > LONGEST:
            portions.append([])
            length = 0
        portions[-1].append(name)
        length += len(name) + 3  # a comma travels as three characters
    return portions


def _moment(row: Row, stamp: str) -> int:
    at = instant(row.properties.get(stamp))
    return milliseconds(at) if at else 0


def _advanced(
    cursor: Cursor, after: str | None, place: Place | None, *, last: bool, parts: int, memory: Memory
) -> Cursor:
    """The cursor after a page."""
    if not last:
        return msgspec.structs.replace(cursor, after=after, place=place, now=memory.now)
    if cursor.part + 1 < parts:
        return msgspec.structs.replace(cursor, part=cursor.part + 1, after=None, place=None, now=memory.now)
    return Cursor(
        until=cursor.until,
        full_at=cursor.full_at,
        since=cursor.since,
        done=True,
        now=memory.now,
        kinds=cursor.kinds,
    )
