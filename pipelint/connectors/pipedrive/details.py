"""What hangs on a deal and costs a call: participants and products, asked for only where the deal moved.

A deal tells how many it has, so most need no call. The rest are asked for within our share of the budget; the
first time, when all open deals are due, this may take several runs, and the stream counts as complete only
after the last of them. Neither participants nor products tell of their removal, so each goes by its deal and
its place, and what a deal is asked for replaces what it had.

Not every change moves the deal: their number shows when all deals are listed, and one that took the place of
another when the deal's turn comes to be asked once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final, NamedTuple, TypeAlias

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.pipedrive.backlog import Backlog
from pipelint.connectors.pipedrive.budget import Budget
from pipelint.connectors.pipedrive.moved import Brief, Moved
from pipelint.connectors.pipedrive.pull import OVERLAP
from pipelint.errors import CursorUnreadable
from pipelint.records import ContactRole, LineItem, Stream

Detail: TypeAlias = ContactRole | LineItem

GOOD_FOR: Final = timedelta(days=30)
"""After this time an open deal is asked once more, and a closed one forgotten: it stays as it was last seen."""


class Told(NamedTuple):
    """What a deal says of its details: how many, and a sign of what else a change shows in."""

    number: int
    sign: str


class Asked(NamedTuple):
    """What was told when a deal was asked, and on which day.

    `people` are those on whom the records depend; `open` is whether the deal was open when last seen.
    """

    told: Told
    day: int
    people: tuple[str, ...] = ()
    open: bool = True


class Waits(NamedTuple):
    """What a deal tells that is still to be asked, and since when."""

    told: Told
    since: datetime


class Place(msgspec.Struct, omit_defaults=True):
    """Where the stream continues, as its cursor keeps it.

    `asked` are the deals that were asked; `waiting` those still to be asked, the longest first. `listing` is set
    until all deals were seen, `filling` until all open ones of these were asked.
    """

    until: datetime
    asked: dict[str, Asked] = {}
    waiting: dict[str, Waits] = {}
    listing: bool = False
    filling: bool = False

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    def wait(self, deal: str, told: Told) -> None:
        """Let a deal wait at the end, or where it waits already."""
        since = self.waiting[deal].since if deal in self.waiting else self.until
        self.waiting[deal] = Waits(told, since)

    def due(self, most: int) -> dict[str, Told]:
        """Deals whose turn has come once more; closed ones are forgotten then."""
        begin = self.until.toordinal() - GOOD_FOR.days
        old = [(deal, asked) for deal, asked in self.asked.items() if asked.day <= begin]
        for deal, asked in old:
            if not asked.open:
                del self.asked[deal]
        return {deal: asked.told for deal, asked in islice((it for it in old if it[1].open), most)}


@dataclass(frozen=True, slots=True)
class Details:
    """One stream that hangs on deals.

    `told` says how many there are to ask for (none: it needs no call). `free` are the records that the deal
    itself tells. `ask` gets the records of some deals, in order, and leaves out deals that are gone; `at_most` is of
    how many for so many tokens. `people` are those on whom the records of a deal depend.
    """

    stream: Stream
    told: Callable[[Brief], Told]
    free: Callable[[Brief], Sequence[Detail]]
    ask: Callable[[Mapping[str, Told]], Mapping[str, Sequence[Detail]]]
    at_most: Callable[[int], int]
    people: Callable[[Sequence[Detail]], Iterable[str]]

    def pull(self, moved: Moved, budget: Budget, backlog: Backlog, text: str | None) -> Iterator[Page]:
        """Pages of what changed; asking ends early where our share for such calls is used."""
        place = _read(text) if text else None
        begins = place is None or place.listing
        if place is None or place.listing:
            until, pages = moved.everything(self.stream)
            place = Place(until, listing=True, filling=True)
        else:
            until, pages = moved.since(place.until - OVERLAP, self.stream)
            pages = chain(moved.listed(), pages)
        for deals in pages:
            records, parents = self._seen(deals, place)
            if begins or records or parents:
                # The moment is not moved on before all is seen: what is cut here is looked at again.
                yield Page(self.stream, records, place.text(), begins_full=begins, parents=parents)
                begins = False
        place.until, place.listing = until, False
        for deal, asked in place.asked.items():
            if asked.open and not moved.people.isdisjoint(asked.people):
                place.wait(deal, asked.told)
        yield from self._asked(place, budget, begins=begins)
        longest = next(iter(place.waiting.values()), None)
        backlog.note(self.stream, len(place.waiting), longest and longest.since)

    def _seen(self, deals: Sequence[Brief], place: Place) -> tuple[list[Detail], list[str]]:
        """What a page of deals tells without a call, and of which of them it is all; deals that need one wait."""
        records: list[Detail] = []
        parents: list[str] = []
        for deal in deals:
            told = self.told(deal)
            before = place.asked.get(deal.id)
            if before is not None and not deal.deleted:
                place.asked[deal.id] = before._replace(open=deal.open)
                if not deal.open or (before.open and told == before.told):
                    continue  # a deal that was closed as it stood, or our own write
            if told.number and deal.open and not deal.deleted:
                place.wait(deal.id, told)
                continue
            records += () if deal.deleted else self.free(deal)
            if deal.open or deal.deleted:
                parents.append(deal.id)
            place.waiting.pop(deal.id, None)
            place.asked.pop(deal.id, None)
        return records, parents

    def _asked(self, place: Place, budget: Budget, *, begins: bool) -> Iterator[Page]:
        """A page for each call, and one at the end where nothing was to be asked."""
        day = place.until.toordinal()
        while True:
            most = self.at_most(budget.left_for_details())
            some = {deal: waits.told for deal, waits in islice(place.waiting.items(), most)}
            some = some or place.due(most)
            found = self.ask(some) if some else {}
            for deal, told in some.items():
                asked = place.asked.get(deal, Asked(told, day))
                people = tuple(self.people(found[deal])) if deal in found else asked.people
                place.asked[deal] = asked._replace(told=told, day=day, people=people)
                place.waiting.pop(deal, None)
            records = list(chain.from_iterable(found.values()))
            ends = place.filling and not place.waiting
            place.filling = place.filling and not ends
            yield Page(
                self.stream,
                records,
                place.text(),
                begins_full=begins,
                ends_full=ends,
                parents=list(found),
            )
            begins = False
            if not some or not (place.waiting or place.due(1)):
                return


def place_id(deal: str, place: int) -> str:
    """The id of the record in one place of a deal."""
    return f"{deal}:{place}"


def _read(text: str) -> Place:
    try:
        return msgspec.json.decode(text, type=Place)
    except msgspec.MsgspecError:
        raise CursorUnreadable from None
