"""What hangs on a deal and costs a call: participants and products, asked for only where the deal moved.

A deal tells how many it has, so most need no call. The rest are asked for within our share of the budget; the
first time, when all open deals are due, this may take several runs, and the stream counts as complete only
after the last of them. Neither participants nor products tell of their removal, so each goes by its deal and
its place: fewer than before leave the last places empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeAlias

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.pipedrive.budget import FOR_DETAILS, Budget
from pipelint.connectors.pipedrive.moved import Brief, Moved
from pipelint.connectors.pipedrive.pull import OVERLAP
from pipelint.errors import UnexpectedAnswer
from pipelint.records import ContactRole, LineItem, Stream

Detail: TypeAlias = ContactRole | LineItem


class Told(NamedTuple):
    """What a deal says of its details: how many, and a sign of what else a change shows in."""

    number: int
    sign: str


class Place(msgspec.Struct, omit_defaults=True):
    """Where the stream continues, as its cursor keeps it.

    `asked` are the deals that were asked, with what they had told and how many records came; `waiting` those
    still to be asked. `listing` is set until all deals were seen, `filling` until all open ones of these were asked.
    """

    until: datetime
    asked: dict[str, tuple[Told, int]] = {}
    waiting: dict[str, Told] = {}
    listing: bool = False
    filling: bool = False

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Details:
    """One stream that hangs on deals.

    `told` says how many there are to ask for (none: it needs no call). `free` are the records that the deal
    itself tells. `ask` gets the records of some deals, in order, and leaves out deals that are gone; `at_most` is of
    how many for so many tokens.
    """

    stream: Stream
    told: Callable[[Brief], Told]
    free: Callable[[Brief], Sequence[Detail]]
    ask: Callable[[Mapping[str, Told]], Mapping[str, Sequence[Detail]]]
    at_most: Callable[[int], int]

    def pull(self, moved: Moved, budget: Budget, text: str | None) -> Iterator[Page]:
        """Pages of what changed; asking ends early where our share for such calls is used."""
        place = _read(text) if text else None
        begins = place is None or place.listing
        if place is None or place.listing:
            until, pages = moved.everything(self.stream)
            place = Place(until, listing=True, filling=True)
        else:
            until, pages = moved.since(place.until - OVERLAP, self.stream)
        for deals in pages:
            records, deleted = self._seen(deals, place)
            if begins or records or deleted:
                # The moment is not moved on before all is seen: what is cut here is looked at again.
                yield Page(self.stream, records, place.text(), deleted, begins_full=begins)
                begins = False
        place.until, place.listing = until, False
        yield from self._asked(place, budget, begins=begins)

    def _seen(self, deals: Sequence[Brief], place: Place) -> tuple[list[Detail], list[str]]:
        """What a page of deals tells without a call; deals that need one wait."""
        records: list[Detail] = []
        deleted: list[str] = []
        for deal in deals:
            told = self.told(deal)
            before, kept = place.asked.get(deal.id, (None, 0))
            if not deal.deleted and (told == before or (before and not deal.open)):
                continue  # our own write, or a deal that was closed as it stood
            if told.number and deal.open and not deal.deleted:
                place.waiting[deal.id] = told
                continue
            free = [] if deal.deleted else self.free(deal)
            records += free
            deleted += places(deal.id, len(free), max(kept, 1))
            place.waiting.pop(deal.id, None)
            place.asked.pop(deal.id, None)
        return records, deleted

    def _asked(self, place: Place, budget: Budget, *, begins: bool) -> Iterator[Page]:
        """A page for each call, and one at the end where nothing was to be asked."""
        while True:
            some = dict(islice(place.waiting.items(), self.at_most(budget.left(FOR_DETAILS))))
            records: list[Detail] = []
            deleted: list[str] = []
            if some:
                found = self.ask(some)
                for deal in some:
                    kept = place.asked.get(deal, (None, 0))[1]
                    rows = found.get(deal)
                    if rows is not None:
                        records += rows
                        deleted += places(deal, len(rows), kept)
                        kept = len(rows)
                    place.asked[deal] = (place.waiting.pop(deal), kept)
            ends = place.filling and not place.waiting
            place.filling = place.filling and not ends
            yield Page(self.stream, records, place.text(), deleted, begins_full=begins, ends_full=ends)
            begins = False
            if not some or not place.waiting:
                return


def place_id(deal: str, place: int) -> str:
    """The id of the record in one place of a deal."""
    return f"{deal}:{place}"


def places(deal: str, first: int, end: int) -> list[str]:
    """The ids of the places of a deal from `first` on, before `end`."""
    return [place_id(deal, place) for place in range(first, end)]


def _read(text: str) -> Place:
    try:
        return msgspec.json.decode(text, type=Place)
    except msgspec.MsgspecError:
        raise UnexpectedAnswer("the place to continue from is not readable", hint="run pull --full") from None
