"""Following a list by `updated_since`: everything at first and once a week, else what changed.

The week's full pull finds what no list of changes tells: deleted persons, organizations and activities, and what
we may not see any more (fact sheet §3). Where it takes more than our share of a day, it goes on the next day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, Literal

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.overlap import Memory
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Answered, Client, Row
from pipelint.connectors.pipedrive.reference import DAILY
from pipelint.connectors.pipedrive.streams import Reader
from pipelint.errors import CursorUnreadable, RecordRefused
from pipelint.records import Record, Stream

OVERLAP: Final = timedelta(minutes=2)
"""Stamps have whole seconds, and a change may be stored a little after its stamp (fact sheet §3)."""

WEEKLY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of a stream: what it is asked for, for everything and for changes.

    `changing`: it can be asked for changes alone; others come with full pulls only.
    """

    endpoint: e.Endpoint
    name: str
    whole: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)
    changing: bool = True
    paged: Literal["by mark", "by number", "not"] = "by mark"


_IN_ORDER: Final = {"sort": "id"}
_BY_ID: Final = {"sort_by": "id"}
_ALL: Final = {**_BY_ID, "status": "open,won,lost"}
_GONE_TOO: Final = {**_BY_ID, "status": "open,won,lost,deleted"}

LISTINGS: Final[Mapping[Stream, tuple[Listing, ...]]] = {
    Stream.OWNERS: (Listing(e.USERS, "the users", changing=False, paged="not"),),
    Stream.ACCOUNTS: (Listing(e.ORGANIZATIONS, "the organizations", _BY_ID, _BY_ID),),
    Stream.CONTACTS: (Listing(e.PERSONS, "the persons", _BY_ID, _BY_ID),),
    Stream.OPPORTUNITIES: (
        Listing(e.DEALS, "the deals", _ALL, _GONE_TOO),
        Listing(e.ARCHIVED_DEALS, "the archived deals", _ALL, _GONE_TOO),
    ),
    Stream.ACTIVITIES: (Listing(e.ACTIVITIES, "the activities", _BY_ID, _BY_ID),),
    Stream.LEADS: (
        Listing(e.LEADS, "the leads", _IN_ORDER, _IN_ORDER, paged="by number"),
        Listing(e.ARCHIVED_LEADS, "the archived leads", _IN_ORDER, changing=False, paged="by number"),
    ),
}

FULL_EVERY: Final[Mapping[Stream, timedelta]] = {
    Stream.OWNERS: DAILY,
    # Archived leads have no list of changes.
    Stream.LEADS: DAILY,
    Stream.ACCOUNTS: WEEKLY,
    Stream.CONTACTS: WEEKLY,
    Stream.OPPORTUNITIES: WEEKLY,
    Stream.ACTIVITIES: WEEKLY,
}


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a stream continues.

    A pass that began at `until` reads changes from `since` (None: everything), is in list `part` at the page
    marked `next`, and finished when `done`. `full_at` is when the last full pull began. `seen` are rows that the
    pass before delivered in the overlap, `now` those of this one; id → digest.

    Of activities: up to `mails` the e-mails of deals are known (None: not yet), and at `looked_at` all open deals
    were asked for theirs.
    """

    until: datetime
    full_at: datetime
    since: datetime | None = None
    part: int = 0
    next: str | None = None
    done: bool = False
    seen: dict[str, str] = {}
    now: dict[str, str] = {}
    mails: datetime | None = None
    looked_at: datetime | None = None

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def read_cursor(text: str) -> Cursor:
    """The cursor of an earlier page."""
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError:
        raise CursorUnreadable from None


def next_pass(stream: Stream, text: str | None, now: datetime) -> tuple[Cursor, bool]:
    """The cursor to work from, and whether a full pull begins with it."""
    last = read_cursor(text) if text else None
    if last is None:
        return Cursor(until=now, full_at=now), True
    if not last.done:
        return last, False
    if now - last.full_at >= FULL_EVERY[stream]:
        return Cursor(until=now, full_at=now), True
    fresh = Cursor(until=now, full_at=last.full_at, since=last.until - OVERLAP, seen=last.now)
    return msgspec.structs.replace(fresh, mails=last.mails, looked_at=last.looked_at), False


@dataclass(slots=True)
class Walk:
    """The pages of one stream; `watch` is shown the rows of a pass from its beginning, page by page."""

    client: Client
    stream: Stream
    reader: Reader
    asked: Mapping[str, str]
    """What is asked for beyond the listing, on lists of deals, persons and organizations."""
    watch: Callable[[Cursor, Sequence[Row]], None] | None = None

    def pages(self, text: str | None) -> Iterator[Page]:
        """The last one is always there, and its cursor begins the next pass."""
        cursor, begins = next_pass(self.stream, text, self.client.now())
        if text is not None and not _listings(self.stream, cursor):
            yield Page(self.stream, (), text)
            return
        yield from self.go_on(cursor, begins=begins)

    def go_on(self, cursor: Cursor, *, begins: bool) -> Iterator[Page]:
        """The pages from a cursor on; `begins`: a full pull begins with the first."""
        listings = _listings(self.stream, cursor)
        watch = self.watch if cursor.part == 0 and cursor.next is None else None
        while not cursor.done:
            for rows, mark in self._answers(listings[cursor.part], cursor):
                memory = Memory(cursor.seen, dict(cursor.now))
                records, deleted = self._read(rows, cursor, memory)
                cursor = _advanced(cursor, mark, len(listings), memory)
                if watch is not None:
                    watch(cursor, rows)
                ends = cursor.done and cursor.since is None
                yield Page(self.stream, records, cursor.text(), deleted, begins_full=begins, ends_full=ends)
                begins = False

    def _answers(self, listing: Listing, cursor: Cursor) -> Iterator[Answered]:
        params = {**(listing.whole if cursor.since is None else listing.later), **self.asked}
        if cursor.since is not None:
            params["updated_since"] = instant_text(cursor.since)
        match listing.paged:
            case "not":
                return iter([Answered(self.client.get(listing.endpoint, name=listing.name).data or [], None)])
            case "by number":
                # Numbers shift where rows are deleted: a list that was cut begins anew, and misses none.
                return self.client.counted(listing.endpoint, name=listing.name, params=params)
        pages = self.client.pages(listing.endpoint, name=listing.name, params=params, begin=cursor.next)
        if cursor.next is None:
            return pages
        try:
            first = next(pages)
        except RecordRefused:
            # How long the mark of a next page lives is not documented: the list begins anew.
            return self.client.pages(listing.endpoint, name=listing.name, params=params)
        return chain([first], pages)

    def _read(self, rows: Sequence[Row], cursor: Cursor, memory: Memory) -> tuple[list[Record], list[str]]:
        """The records of a page, and the ids that are gone (said only when following changes)."""
        records: list[Record] = []
        deleted: list[str] = []
        edge = instant_text(cursor.until - OVERLAP)
        for row, read in zip(rows, self.reader.records(self.stream, rows), strict=True):
            stamp = str(row.get("update_time") or row.get("modified") or "").replace(" ", "T")
            if not memory.is_new(str(row["id"]), read, recent=stamp >= edge[: len(stamp)]):
                continue
            records += read
            if not read and cursor.since is not None:
                deleted.append(str(row["id"]))
        return records, deleted


def _listings(stream: Stream, cursor: Cursor) -> list[Listing]:
    """The lists of a pass: those without a list of changes are for full pulls."""
    return [listing for listing in LISTINGS[stream] if listing.changing or cursor.since is None]


def _advanced(cursor: Cursor, mark: str | None, parts: int, memory: Memory) -> Cursor:
    """The cursor after a page."""
    if mark is not None:
        return msgspec.structs.replace(cursor, next=mark, now=memory.now)
    if cursor.part + 1 < parts:
        return msgspec.structs.replace(cursor, part=cursor.part + 1, next=None, now=memory.now)
    return msgspec.structs.replace(cursor, part=0, next=None, done=True, seen={}, now=memory.now)


def instant_text(value: datetime) -> str:
    """Whole seconds: a fraction is refused (fact sheet §1)."""
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def daily(
    client: Client, stream: Stream, text: str | None, ask: Callable[[], Sequence[Record]]
) -> Iterator[Page]:
    """One page with everything of a stream that is asked for once a day, and an empty one between."""
    now = client.now()
    if text is not None and now - read_cursor(text).full_at < DAILY:
        yield Page(stream, (), text)
        return
    cursor = Cursor(until=now, full_at=now, done=True)
    yield Page(stream, ask(), cursor.text(), begins_full=True, ends_full=True)
