"""The rows of a query page by page, by whichever API suits their number (fact sheet §3).

The first page of the REST API tells how many rows there are; many are better read through the Bulk API, which
needs few calls of the daily allowance. So are statements too long for an address. Where the Bulk API does
not serve an object or this user, REST has to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pipelint.connectors.salesforce import bulk, soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.refusal import QueryTimedOut, RequestInvalid
from pipelint.errors import Fix, PermissionMissing, RecordGone

_REFUSED: Final = (PermissionMissing, RequestInvalid)
_GONE: Final = (*_REFUSED, RecordGone)


@dataclass(frozen=True, slots=True)
class Select:
    """A statement and how its rows come. In the Bulk API an order costs time, so it is asked for if `sorted`."""

    columns: Sequence[str]
    source: str
    where: Sequence[str]
    order: Sequence[str]
    booleans: frozenset[str] = frozenset()
    all_rows: bool = False
    sorted: bool = False

    @property
    def name(self) -> str:
        return f"query {self.source}"

    def text(self, *, bulk: bool = False) -> str:
        order = () if bulk and not self.sorted else self.order
        return soql.select(self.columns, self.source, self.where, order)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job's results go on; without a job the caller knows its own place, from the last row."""

    job: str = ""
    locator: str = ""


BEGINNING: Final = Place()


@dataclass(frozen=True, slots=True)
class Rows:
    """A page. `place` is where to go on after it, if it came from a job."""

    rows: list[Row]
    done: bool
    place: Place = BEGINNING


def pages(client: Client, select: Select, place: Place = BEGINNING) -> Iterator[Rows]:
    """The pages of a statement; with a `place`, those that are left of a job of an earlier run."""
    if place.job:
        try:
            yield from _results(client, select, place)
        except _GONE:  # dropped after seven days or by somebody, or of another version
            yield from pages(client, select)
        return
    if not soql.fits(select.text()):
        try:
            yield from _by_bulk(client, select)
        except _REFUSED:
            raise Fix(
                f"too many fields of {select.source} are wanted for one query",
                hint="map fewer custom fields in the pack, or let the integration user use the Bulk API",
            ) from None
        return
    answers = client.query(select.text(), name=select.name, all_rows=select.all_rows, final=QueryTimedOut)
    try:
        first = next(answers)
    except QueryTimedOut:  # ordering millions of rows takes REST too long
        yield from _by_bulk(client, select)
        return
    if not first.done and first.totalSize > client.settings.bulk_above:
        with suppress(*_REFUSED):
            yield from _by_bulk(client, select)
            return
    yield Rows(first.records, first.done)
    for answer in answers:
        yield Rows(answer.records, answer.done)


def _by_bulk(client: Client, select: Select) -> Iterator[Rows]:
    """By a job; its place is told before the wait, so that a run that is cut does not begin another one."""
    job = bulk.create(client, select.text(bulk=True), select.name, all_rows=select.all_rows)
    place = Place(job)
    yield Rows([], done=False, place=place)
    yield from _results(client, select, place)


def _results(client: Client, select: Select, place: Place) -> Iterator[Rows]:
    bulk.wait(client, place.job, select.name)
    while True:
        found = bulk.result_set(client, place.job, place.locator, select.booleans, select.name)
        place = replace(place, locator=found.locator)
        if not found.locator:
            yield Rows(found.rows, done=True)
            break
        yield Rows(found.rows, done=False, place=place)
    bulk.delete(client, place.job, select.name)
