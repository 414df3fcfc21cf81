"""Histories of opportunities out of OpportunityHistory: stages, and the fields that it holds as well.

It has a row for each change of amount, probability, stage or close date, so several rows in a row may carry
the same value (fact sheet §4): only the first of such a run is a change. A change needs the row before it, so
histories are always read whole, one opportunity at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final

from msgspec.structs import replace

from pipelint.connectors.base import Page
from pipelint.connectors.overlap import Memory
from pipelint.connectors.salesforce import paging, soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.cursor import Cursor, next_pass
from pipelint.connectors.salesforce.normalise import identity, moment
from pipelint.records import Record, StageChange, Stream

SOURCE: Final = "OpportunityHistory"
ALWAYS: Final = ("Id", "OpportunityId", "CreatedDate", "CreatedById")
ORDER: Final = ("OpportunityId", "CreatedDate", "Id")
_STAMP: Final = "SystemModstamp"
_NAME: Final = f"query {SOURCE}"


@dataclass(frozen=True, slots=True)
class Telling:
    """What is read out of histories: the columns it takes, and the records that rows of one opportunity make."""

    stream: Stream
    columns: Sequence[str]
    records: Callable[[Sequence[Row]], Sequence[Record]]

    @property
    def all_columns(self) -> tuple[str, ...]:
        return (*ALWAYS, *self.columns)


def pull(client: Client, telling: Telling, text: str | None) -> Iterator[Page]:
    """All histories in the order of opportunities; later, those of opportunities with a new row."""
    cursor, begins = next_pass(text, client.server_now(), timedelta.max, telling.all_columns)
    steps = _everything(client, cursor, telling) if cursor.full else _changed(client, cursor, telling)
    for found, cursor in steps:
        ends = cursor.done and cursor.full
        yield Page(telling.stream, found, cursor.text(), begins_full=begins, ends_full=ends)
        begins = False


def _everything(client: Client, cursor: Cursor, telling: Telling) -> Iterator[tuple[list[Record], Cursor]]:
    """Page by page, holding back the last opportunity of a page: its history may go on in the next one.

    After a page of REST the cursor names the last opportunity that was delivered. A job goes on by itself, so
    there it names the one held back, which a run that continues reads anew.
    """
    where = [f"OpportunityId > {soql.quoted(cursor.after[0])}"] if cursor.after else []
    select = paging.Select(telling.all_columns, SOURCE, where, ORDER, sorted=True)
    again = cursor.after[0] if cursor.after and cursor.job else ""
    ready = (
        [row for rows in _whole(client, telling, [again]) for row in telling.records(rows)] if again else []
    )
    held: list[Row] = []
    for page in paging.pages(client, select, cursor.place):
        rows = [row for row in page.rows if row["OpportunityId"] != again]
        histories = _by_opportunity([*held, *rows])
        held = histories.pop() if histories and not page.done else []
        last = held if page.place.job else histories[-1] if histories else []
        if page.done:
            cursor = cursor.past(1)
        else:
            after = (last[0]["OpportunityId"], "") if last else cursor.after
            cursor = replace(cursor, job=page.place.job, locator=page.place.locator, after=after)
        found = [*ready, *(record for rows in histories for record in telling.records(rows))]
        ready = []
        if found or page.done or page.place.job:
            yield found, cursor


def _changed(client: Client, cursor: Cursor, telling: Telling) -> Iterator[tuple[list[Record], Cursor]]:
    """The whole histories of the opportunities that have a row since."""
    where = [f"{_STAMP} >= {soql.instant(cursor.since or cursor.until)}"]
    if cursor.after:
        where.append(soql.after(_STAMP, *cursor.after))
    statement = soql.select(("Id", "OpportunityId", _STAMP), SOURCE, where, (_STAMP, "Id"))
    memory = Memory(cursor.seen, dict(cursor.now))
    for answer in client.query(statement, name=_NAME):
        touched = list(dict.fromkeys(row["OpportunityId"] for row in answer.records))
        found: list[Record] = []
        for rows in _whole(client, telling, touched):
            history = telling.records(rows)
            if memory.is_new(str(identity(rows[0]["OpportunityId"])), history, recent=True):
                found += history
        cursor = replace(cursor, now=memory.now)
        if answer.done:
            cursor = cursor.past(1)
        else:
            last = answer.records[-1]
            cursor = replace(cursor, after=(last[_STAMP], last["Id"]))
        yield found, cursor


def _whole(client: Client, telling: Telling, opportunities: Sequence[str]) -> Iterator[list[Row]]:
    """The whole histories of some opportunities."""
    for ids in soql.chunked(opportunities):
        where = [f"OpportunityId IN {soql.listed(ids)}"]
        statement = soql.select(telling.all_columns, SOURCE, where, ORDER)
        yield from _by_opportunity(client.rows(statement, name=_NAME))


def _by_opportunity(rows: Iterable[Row]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, lambda row: row["OpportunityId"])]


def stage_changes(rows: Iterable[Row]) -> list[StageChange]:
    """The stage changes of one opportunity, from its rows in order.

    >>> row = {"OpportunityId": "o", "CreatedDate": "2026-11-21T10:00:00Z", "CreatedById": None}
    >>> rows = [row | {"Id": str(place), "StageName": stage} for place, stage in enumerate("AAB")]
    >>> [(change.from_stage, change.to_stage) for change in stage_changes(rows)]
    [(None, 'A'), ('A', 'B')]
    """
    found: list[StageChange] = []
    stage: str | None = None
    for row in rows:
        if found and row["StageName"] == stage:
            continue
        now, at = row["StageName"], moment(row["CreatedDate"])
        ids = [str(identity(row[name])) for name in ("Id", "OpportunityId")]
        found.append(StageChange(ids[0], ids[1], stage, now, at, identity(row["CreatedById"])))
        stage = now
    return found


STAGES: Final = Telling(Stream.STAGE_CHANGES, ("StageName",), stage_changes)
