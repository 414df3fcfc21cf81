"""Writing our fields with Bulk 2.0 jobs: what becomes of each record is known by its id, the order is not kept.

A job takes one internal batch of Salesforce's: several would run side by side, and lock each other's accounts.
What a job cannot carry, did not come to, or found locked goes by sObject Collections, a few at a time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Final

from pipelint.connectors.base import Change, Outcome
from pipelint.connectors.salesforce import ingest, soql, write_collections
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import identity, sent, stored
from pipelint.connectors.salesforce.outcomes import judged, unknown
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import PipelintError

JOB: Final = 10_000
"""Records of one internal batch (fact sheet §6)."""
MAX_BYTES: Final = 90 * 1024 * 1024
"""Of one upload; beyond 100 MB it is refused."""
MAX_CELL: Final = 32_000
"""Characters of one value (fact sheet §9)."""
CLEARED: Final = "#N/A"
"""Empties a field, where an empty cell would leave it alone."""


def write(client: Client, changes: Sequence[Change]) -> Iterator[Outcome]:
    """The outcomes of changes of one kind; where an error is raised, those without an outcome were not sent."""
    left = {change.id: change for change in changes}
    rows = {change.id: cells for change in changes if (cells := _cells(client, change)) is not None}
    for upload in _uploads(rows):
        for outcome in _job(client, [left[id_] for id_ in upload], _csv(upload)):
            if outcome.status != "locked":
                del left[outcome.id]
                yield outcome
    for batch in soql.chunked(list(left.values()), write_collections.BATCH):
        yield from write_collections.write(client, batch)


def _job(client: Client, changes: Sequence[Change], data: bytes) -> Iterator[Outcome]:
    """The outcomes of a job; of rows that it did not come to there are none."""
    name = f"bulk update {OBJECT_OF[changes[0].kind]}"
    job = ingest.filled(client, OBJECT_OF[changes[0].kind], data, name)
    try:
        ingest.close(client, job, name)
        ended = ingest.wait(client, job, name)
        successful = ingest.results(client, job, "successfulResults", name)
        failed = ingest.results(client, job, "failedResults", name)
    except PipelintError as error:
        # The job goes on over there, whether we can ask for it or not.
        yield from (unknown(change, error.message) for change in changes)
        raise
    ours = {change.id: change for change in changes}
    for row in successful:
        if change := ours.pop(_id(row), None):
            yield Outcome(change.id, "written")
    for row in failed:
        if change := ours.pop(_id(row), None):
            yield _reason(change, row["sf__Error"])
    if ended.state == "JobComplete":
        yield from (unknown(change, "the job does not say what became of it") for change in ours.values())
    ingest.delete(client, job, name)


def _id(row: Mapping[str, str]) -> str:
    """The record of a result; `sf__Id` may be empty where it failed, our own column is not."""
    return str(identity(row.get("Id") or row["sf__Id"]))


def _reason(change: Change, error: str) -> Outcome:
    """An error such as `CODE:message:Field --`, whose message may hold colons, too."""
    code, _, rest = error.partition(":")
    message, colon, fields = rest.rpartition(":")
    names = [name.strip() for name in fields.removesuffix("--").split(",") if name.strip()]
    return judged(change.id, code, message if colon else rest, names)


def _cells(client: Client, change: Change) -> dict[str, str] | None:
    """The values of a change as cells; None where a cell cannot carry one of them."""
    by_name = client.describe(OBJECT_OF[change.kind]).by_name
    cells = {}
    for name, value in change.values.items():
        ready = sent(stored(by_name[name], value))
        if ready == CLEARED or len(str(ready)) > MAX_CELL:
            return None
        cells[name] = CLEARED if ready is None else str(ready)
    return cells


def _uploads(rows: Mapping[str, dict[str, str]]) -> Iterator[dict[str, dict[str, str]]]:
    """The rows in portions that one upload can hold."""
    portion: dict[str, dict[str, str]] = {}
    size = 0
    for id_, cells in rows.items():
        more = sum(len(cell.encode()) + 4 for cell in cells.values()) + len(id_) + 4
        if portion and size + more > MAX_BYTES:
            yield portion
            portion, size = {}, 0
        portion[id_] = cells
        size += more
    if portion:
        yield portion


def _csv(rows: Mapping[str, dict[str, str]]) -> bytes:
    """An upload. A field that a record does not change stays empty, and thus as it is."""
    names = list(dict.fromkeys(name for cells in rows.values() for name in cells))
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Id", *names])
    writer.writerows([id_, *(cells.get(name, "") for name in names)] for id_, cells in rows.items())
    return text.getvalue().encode()
