"""Stage changes out of the change log of deals, asked for only where a deal moved, for each costs twenty tokens.

So the history of a connection begins with its first pull: before that, moves are known of those deals alone that
moved again since. A move is a change of the stage, or of the status into won or lost and out of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.absent import left_out
from pipelint.connectors.pipedrive.budget import FOR_DETAILS, Budget
from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.moved import Brief, Moved
from pipelint.connectors.pipedrive.normalise import identity, instant
from pipelint.connectors.pipedrive.pull import OVERLAP
from pipelint.connectors.pipedrive.streams import CLOSED
from pipelint.errors import UnexpectedAnswer
from pipelint.records import StageChange, Stream


class Cursor(msgspec.Struct, omit_defaults=True):
    """Up to when moves are known, the deals that moved and are still to be asked, and those asked lately.

    `asked` are deals of the overlap with the moment of the move that was asked for.
    """

    until: datetime
    waiting: dict[str, str] = {}
    asked: dict[str, str] = {}

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


SUPPLIED: Final = frozenset(StageChange._fields)
_NAME: Final = "the changes of a deal"


def pull(client: Client, moved: Moved, budget: Budget, text: str | None) -> Iterator[Page]:
    """Nothing at first, for that is where the history begins; then the moves of the deals that moved."""
    if text is None:
        begin = Cursor(client.now())
        yield Page(Stream.STAGE_CHANGES, (), begin.text(), begins_full=True, ends_full=True)
        return
    try:
        place = msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError:
        raise UnexpectedAnswer("the place to continue from is not readable", hint="run pull --full") from None
    since = place.until - OVERLAP
    until, pages = moved.since(since, Stream.STAGE_CHANGES)
    born: list[StageChange] = []
    asked: dict[str, str] = {}
    for deals in pages:
        for deal in deals:
            if deal.deleted:
                place.waiting.pop(deal.id, None)
                continue
            born += _born(deal, since)
            sign = _sign(deal, since)
            if sign and place.asked.get(deal.id) == sign:
                asked[deal.id] = sign
            elif sign:
                place.waiting[deal.id] = sign
    place.until, place.asked = until, asked
    while place.waiting and budget.left(FOR_DETAILS) >= e.DEAL_CHANGES.tokens:
        id_, sign = next(iter(place.waiting.items()))
        found: list[StageChange] = []
        with left_out(id_, _NAME):
            found = _moves(client, id_)
        del place.waiting[id_]
        place.asked[id_] = sign
        yield Page(Stream.STAGE_CHANGES, [*born, *found], place.text())
        born = []
    yield Page(Stream.STAGE_CHANGES, born, place.text())


def _born(deal: Brief, since: datetime) -> list[StageChange]:
    """The first stage of a deal that is new and has not moved: it is in its row."""
    if deal.created_at is None or deal.created_at < since or deal.moved_at is not None:
        return []
    return [StageChange(f"{deal.id}:born", deal.id, None, deal.stage, deal.created_at)]


def _sign(deal: Brief, since: datetime) -> str:
    """The moment of a move since; empty where there was none."""
    at = deal.moved_at
    return at.isoformat() if at is not None and at >= since else ""


def _moves(client: Client, deal: str) -> list[StageChange]:
    """All moves of a deal: the log is told newest first, with the names of fields as API v1 has them."""
    rows: list[Row] = []
    for page in client.pages(e.DEAL_CHANGES, name=_NAME, id=deal):
        rows += page.rows
    rows.reverse()
    moves: list[StageChange] = []
    stage: str | None = None
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
