"""Stage changes out of the change log of deals, asked for only where a deal moved, for each costs twenty tokens.

So the history of a connection begins with its first pull: before that, moves are known of those deals alone that
moved again since. A move is a change of the stage, or of the status into won or lost and out of it. A deal that is
opened again shows no moment of that: it is known by its having been closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.absent import left_out
from pipelint.connectors.pipedrive.backlog import Backlog
from pipelint.connectors.pipedrive.budget import Budget
from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.moved import Brief, Moved
from pipelint.connectors.pipedrive.normalise import identity, instant
from pipelint.connectors.pipedrive.pull import OVERLAP
from pipelint.connectors.pipedrive.streams import CLOSED
from pipelint.errors import CursorUnreadable
from pipelint.records import StageChange, Stream


class Waits(NamedTuple):
    """A deal that is to be asked for its moves: when the last one was, and the stage it is in."""

    moved: datetime
    stage: str | None


class Cursor(msgspec.Struct, omit_defaults=True):
    """Up to when moves are known, the deals that moved and are still to be asked, and those asked lately.

    `asked` are deals of the overlap with the moment of the move that was asked for; `open` the deals that were
    open when last seen.
    """

    until: datetime
    waiting: dict[str, Waits] = {}
    asked: dict[str, datetime] = {}
    open: set[int] = set()

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


SUPPLIED: Final = frozenset(StageChange._fields)
_NAME: Final = "the changes of a deal"

_DEALS_A_PAGE: Final = 10
"""Each is a call; a page that is not too long loses little when it is cut."""


class History:
    """The stream of stage changes; `complete_since` is set by a pull where deals still wait."""

    def __init__(self, client: Client, moved: Moved, budget: Budget, backlog: Backlog) -> None:
        self._client = client
        self._moved = moved
        self._budget = budget
        self._backlog = backlog
        self.complete_since: datetime | None = None

    def pull(self, text: str | None) -> Iterator[Page]:
        """Nothing at first, for that is where the history begins; then the moves of the deals that moved."""
        if text is None:
            open_ = {int(deal.id) for deals in self._moved.open() for deal in deals}
            begin = Cursor(self._client.now(), open=open_)
            yield Page(Stream.STAGE_CHANGES, (), begin.text(), begins_full=True, ends_full=True)
            return
        try:
            place = msgspec.json.decode(text, type=Cursor)
        except msgspec.MsgspecError:
            raise CursorUnreadable from None
        since = place.until - OVERLAP
        until, pages = self._moved.since(since, Stream.STAGE_CHANGES)
        asked = place.asked
        place.asked = {}
        records: list[StageChange] = []
        for deals in pages:
            records += _seen(deals, since, place, asked)
        place.until = until
        while some := self._affordable(place):
            for deal, waits in some.items():
                with left_out(deal, _NAME):
                    records += self._moves(deal, waits.stage)
                place.asked[deal] = place.waiting.pop(deal).moved
            yield Page(Stream.STAGE_CHANGES, records, place.text())
            records = []
        moves = [waits.moved for waits in place.waiting.values()]
        self._backlog.note(Stream.STAGE_CHANGES, len(moves), min(moves, default=None))
        self.complete_since = _day_after(max(moves)) if moves else None
        yield Page(Stream.STAGE_CHANGES, records, place.text())

    def _affordable(self, place: Cursor) -> dict[str, Waits]:
        most = min(_DEALS_A_PAGE, self._budget.left_for_details() // e.DEAL_CHANGES.tokens)
        return dict(islice(place.waiting.items(), most))

    def _moves(self, deal: str, now: str | None) -> list[StageChange]:
        """All moves of a deal that is in stage `now`."""
        rows: list[Row] = []
        for page in self._client.pages(e.DEAL_CHANGES, name=_NAME, id=deal):
            rows += page.rows
        rows.reverse()  # the log is told newest first
        return _moves(deal, rows, now)


def _day_after(move: datetime) -> datetime:
    """Midnight after a move: what is prepared for a history is made anew each time that it begins otherwise."""
    return datetime.combine(move.date() + timedelta(days=1), time(), UTC)


def _seen(
    deals: Sequence[Brief], since: datetime, place: Cursor, asked: dict[str, datetime]
) -> Iterator[StageChange]:
    """What deals tell by themselves; those that moved since and were not asked already wait to be asked."""
    for deal in deals:
        number = int(deal.id)
        if deal.deleted:
            place.open.discard(number)
            place.waiting.pop(deal.id, None)
            continue
        created = deal.created_at if deal.created_at is not None and deal.created_at >= since else None
        reopened = deal.open and created is None and number not in place.open
        (place.open.add if deal.open else place.open.discard)(number)
        if reopened:
            place.waiting[deal.id] = Waits(deal.changed_at, deal.stage)
        elif deal.moved_at is None:
            if created is not None:
                # The first stage of a deal that has not moved is in its row.
                yield StageChange(f"{deal.id}:born", deal.id, None, deal.stage, created)
        elif deal.moved_at >= since:
            known = asked.get(deal.id)
            if known is not None and known >= deal.moved_at:
                place.asked[deal.id] = known
            else:
                place.waiting[deal.id] = Waits(deal.moved_at, deal.stage)


def _moves(deal: str, rows: Sequence[Row], now: str | None) -> list[StageChange]:
    """The moves in a change log, oldest first, with the names of fields as API v1 has them.

    The stage before the first change of it is told by that change, or is the one that the deal is in `now`.
    """
    stages = (identity(row.get("old_value")) for row in rows if row.get("field_key") == "stage_id")
    stage = next(stages, now)
    moves: list[StageChange] = []
    for row in rows:
        key, new = row.get("field_key"), identity(row.get("new_value"))
        at = instant(row.get("time"))
        if at is None or key not in {"stage_id", "status"}:
            continue
        if key == "stage_id":
            before, after = identity(row.get("old_value")) or stage, new
            stage = new
        elif new in CLOSED:
            before, after = stage, new
        else:
            before, after = identity(row.get("old_value")), stage
        moves.append(
            StageChange(
                f"{deal}:{key}:{at:%Y%m%dT%H%M%S}",
                deal,
                before,
                after,
                at,
                identity(row.get("actor_user_id")),
            )
        )
    return moves
