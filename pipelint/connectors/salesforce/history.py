"""Stage changes out of OpportunityHistory.

It has a row for each change of amount, probability, stage or close date, so several rows in a row may carry
the same stage (fact sheet §4): only the first of such a run is a stage change. A change needs the row before
it, so histories are always read whole, one opportunity at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from msgspec.structs import replace

from pipelint.connectors.base import Page
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client, Row
from pipelint.connectors.salesforce.normalise import identity, moment
from pipelint.connectors.salesforce.pull import Cursor, Memory, next_pass
from pipelint.connectors.salesforce.reader import ALWAYS
from pipelint.records import StageChange, Stream

SOURCE: Final = "OpportunityHistory"
COLUMNS: Final = ("Id", "OpportunityId", "StageName", "CreatedDate", "CreatedById")
ORDER: Final = ("OpportunityId", "CreatedDate", "Id")
_NAME: Final = f"query {SOURCE}"


def pull(client: Client, text: str | None) -> Iterator[Page]:
    """All histories in the order of opportunities; later, those of opportunities with a new row."""
    cursor, begins = next_pass(text, client.server_now())
    steps = _everything(client, cursor) if cursor.since is None else _changed(client, cursor)
    for found, cursor in steps:
        ends = cursor.done and cursor.since is None
        yield Page(Stream.STAGE_CHANGES, found, cursor.text(), begins_full=begins, ends_full=ends)
        begins = False


def _everything(client: Client, cursor: Cursor) -> Iterator[tuple[list[StageChange], Cursor]]:
    """Page by page, holding back the last opportunity of a page: its history may go on in the next one."""
    where = [f"OpportunityId > {soql.quoted(cursor.after[0])}"] if cursor.after else []
    held: list[Row] = []
    for answer in client.query(soql.select(COLUMNS, SOURCE, where, ORDER), name=_NAME):
        histories = _by_opportunity([*held, *answer.records])
        held = histories.pop() if histories and not answer.done else []
        if histories:
            cursor = replace(cursor, after=(histories[-1][0]["OpportunityId"], ""))
        if answer.done:
            cursor = Cursor(until=cursor.until, done=True)
        if histories or answer.done:
            yield [change for rows in histories for change in changes(rows)], cursor


def _changed(client: Client, cursor: Cursor) -> Iterator[tuple[list[StageChange], Cursor]]:
    """The whole histories of the opportunities that have a row since."""
    where = [f"SystemModstamp >= {soql.instant(cursor.since or cursor.until)}"]
    if cursor.after:
        where.append(soql.after(*cursor.after))
    statement = soql.select(("OpportunityId", *ALWAYS), SOURCE, where, ("SystemModstamp", "Id"))
    memory = Memory(cursor.seen, dict(cursor.now))
    for answer in client.query(statement, name=_NAME):
        touched = list(dict.fromkeys(row["OpportunityId"] for row in answer.records))
        found: list[StageChange] = []
        for ids in soql.chunked(touched):
            whole = soql.select(COLUMNS, SOURCE, [f"OpportunityId IN {soql.listed(ids)}"], ORDER)
            for rows in _by_opportunity(client.rows(whole, name=_NAME)):
                history = changes(rows)
                if memory.is_new(history[0].opportunity, history, recent=True):
                    found += history
        if answer.done:
            cursor = Cursor(until=cursor.until, since=cursor.since, done=True, now=memory.now)
        else:
            last = answer.records[-1]
            cursor = replace(cursor, after=(last["SystemModstamp"], last["Id"]), now=memory.now)
        yield found, cursor


def _by_opportunity(rows: Iterable[Row]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, lambda row: row["OpportunityId"])]


def changes(rows: Iterable[Row]) -> list[StageChange]:
    """The stage changes of one opportunity, from its rows in order.

    >>> row = {"OpportunityId": "o", "CreatedDate": "2026-11-21T10:00:00Z", "CreatedById": None}
    >>> rows = [row | {"Id": str(place), "StageName": stage} for place, stage in enumerate("AAB")]
    >>> [(change.from_stage, change.to_stage) for change in changes(rows)]
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
