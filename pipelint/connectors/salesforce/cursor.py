"""Where a stream continues: what a pass is reading, how far it has come, what it need not deliver again.

A row becomes visible when its transaction commits, with a stamp taken earlier, and many rows share a stamp
(fact sheet §5). So each pass starts `OVERLAP` before the server's clock at the start of the pass before it,
goes by (stamp, id), and leaves out rows that the last pass has already delivered just so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from pipelint.connectors.overlap import digest
from pipelint.connectors.salesforce.paging import Place
from pipelint.errors import CursorUnreadable

OVERLAP: Final = timedelta(minutes=10)

RECYCLED: Final = timedelta(days=14)
"""Deleted rows can be asked for over 15 days (fact sheet §5): after a longer gap all is pulled anew."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in a pass, kept as text.

    A pass reads changes from `since` (None: everything) and is finished when `done`; until then it goes on
    in part `part`: after the row `after`, or in the Bulk job `job` at its set `locator`. `until` is the
    server's clock at its start, `full_at` that of the last pass that read everything. `seen` are rows that
    the pass before delivered in the overlap, `now` those of this one; id → digest. A column that was not in
    `columns` is new (mapped or granted since), and everything is pulled anew to fill it.
    """

    until: datetime
    since: datetime | None = None
    full_at: datetime | None = None
    part: int = 0
    after: tuple[str, str] | None = None
    job: str = ""
    locator: str = ""
    done: bool = False
    columns: tuple[str, ...] = ()
    seen: dict[str, str] = {}
    now: dict[str, str] = {}

    @property
    def full(self) -> bool:
        return self.since is None

    @property
    def untouched(self) -> bool:
        """Whether the pass has not read anything yet."""
        return not (self.part or self.after or self.job or self.done)

    @property
    def place(self) -> Place:
        return Place(self.job, self.locator)

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    def at(self, place: Place, after: tuple[str, str] | None) -> Cursor:
        """Further on in the same part: in a job, or after a row."""
        moved = after if after and not place.job else self.after
        return msgspec.structs.replace(self, job=place.job, locator=place.locator, after=moved)

    def past(self, parts: int) -> Cursor:
        """At the beginning of the next part, or at the end of the pass."""
        if self.part + 1 < parts:
            return msgspec.structs.replace(self, part=self.part + 1, after=None, job="", locator="")
        return Cursor(
            until=self.until,
            since=self.since,
            full_at=self.full_at,
            done=True,
            columns=self.columns,
            now=self.now,
        )


def read_cursor(text: str) -> Cursor:
    """The cursor of an earlier page."""
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError:
        raise CursorUnreadable from None


def anew(now: datetime, columns: tuple[str, ...] = ()) -> Cursor:
    """The beginning of a pass that reads everything."""
    return Cursor(until=now, full_at=now, columns=columns)


def next_pass(
    text: str | None, now: datetime, reread: timedelta, columns: tuple[str, ...] = ()
) -> tuple[Cursor, bool]:
    """The cursor to work from, and whether a full pull begins with it: at first, and every `reread` again."""
    last = read_cursor(text) if text else None
    if last is None or not set(columns) <= set(last.columns) or now - last.until > RECYCLED:
        return anew(now, columns), True
    if not last.done:
        return last, False
    full_at = last.full_at or last.until
    if now - full_at >= reread:
        return anew(now, columns), True
    return Cursor(
        until=now, since=last.until - OVERLAP, full_at=full_at, columns=columns, seen=last.now
    ), False


GONE: Final = digest([])
"""The digest of a row that is deleted or left out."""
