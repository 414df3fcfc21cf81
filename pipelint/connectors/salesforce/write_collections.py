"""Writing our fields with sObject Collections: what becomes of each record is known by its position.

One unknown field or one wrong JSON type fails a whole request (fact sheet §6), so changes are checked against
the description first; a request that fails nevertheless is halved until the culprit stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from pipelint.connectors.base import Change, Outcome
from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.salesforce.answers import decoded
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import sent, stored
from pipelint.connectors.salesforce.outcomes import judged, refused_here, unknown
from pipelint.connectors.salesforce.refusal import RequestInvalid
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import Busy, PipelintError, RecordGone, RecordRefused, Retry

BATCH: Final = 200
"""Records that travel in one request at most (fact sheet §6)."""


class RowError(msgspec.Struct):
    """Why a record was refused; the key is `statusCode` here, `errorCode` elsewhere (fact sheet §6)."""

    statusCode: str  # noqa: N815 - Salesforce's name
    message: str = ""
    fields: list[str] = []


class RowResult(msgspec.Struct):
    """What became of one record; a refused one may lack its id."""

    success: bool
    errors: list[RowError] = []


def write(client: Client, batch: Sequence[Change]) -> Iterator[Outcome]:
    """The outcomes of a batch; those of its records that somebody else had locked are sent again."""
    pending = {change.id: change for change in batch}
    settled: list[Outcome] = []
    locked: dict[str, Outcome] = {}
    trouble: PipelintError | None = None

    def attempt() -> None:
        nonlocal trouble
        locked.clear()
        try:
            for outcome in _send(client, list(pending.values())):
                if outcome.status == "locked":
                    locked[outcome.id] = outcome
                else:
                    del pending[outcome.id]
                    settled.append(outcome)
        except PipelintError as error:  # retried below already, or not to be retried
            trouble = error
            return
        if locked:
            raise Busy(f"{len(locked)} records are locked")

    with suppress(Busy):
        client.policy.run("update of locked records", attempt)
    yield from settled
    yield from locked.values()
    if trouble is not None:
        if isinstance(trouble, Retry) and not isinstance(trouble, NotSent):
            yield from (
                unknown(change, trouble.message) for change in pending.values() if change.id not in locked
            )
        raise trouble


def _send(client: Client, batch: Sequence[Change]) -> Iterator[Outcome]:
    """The outcomes of one request, or of its halves where it failed as a whole."""
    body = {"allOrNone": False, "records": [_record(client, change) for change in batch]}
    name = f"update {OBJECT_OF[batch[0].kind]}"
    try:
        answer = client.call("PATCH", "composite/sobjects", name=name, body=body, final=AnswerLost)
        results = decoded(answer, list[RowResult], name)
    except AnswerLost as error:
        # It may have been done: the caller reads back before it tries again.
        yield from (unknown(change, error.message) for change in batch)
        return
    except (RequestInvalid, RecordRefused, RecordGone) as error:
        yield from _isolated(client, batch, error)
        return
    if len(results) != len(batch):
        message = f"{len(results)} results for {len(batch)} records"
        yield from (unknown(change, message) for change in batch)
    else:
        yield from map(_outcome, batch, results)


def _isolated(
    client: Client, batch: Sequence[Change], error: RequestInvalid | RecordRefused | RecordGone
) -> Iterator[Outcome]:
    """The outcomes of a batch that failed as a whole: by what the org now says of fields, or by halves."""
    if len(batch) == 1:
        yield _refused(batch[0], error)
        return
    client.forget_descriptions()
    refused = {change.id: found for change in batch if (found := refused_here(client, change))}
    yield from refused.values()
    rest = [change for change in batch if change.id not in refused]
    middle = len(rest) if refused else len(rest) // 2
    for part in (rest[:middle], rest[middle:]):
        if part:
            yield from _send(client, part)


def _record(client: Client, change: Change) -> dict[str, Any]:
    sobject = OBJECT_OF[change.kind]
    by_name = client.describe(sobject).by_name
    values = {name: sent(stored(by_name[name], value)) for name, value in change.values.items()}
    return {"attributes": {"type": sobject}, "id": change.id, **values}


def _outcome(change: Change, result: RowResult) -> Outcome:
    if result.success:
        return Outcome(change.id, "written")
    error = result.errors[0] if result.errors else RowError("UNKNOWN", "refused without a reason")
    return judged(change.id, error.statusCode, error.message, error.fields)


def _refused(change: Change, error: RequestInvalid | RecordRefused | RecordGone) -> Outcome:
    """The outcome of a change whose request was refused as a whole."""
    if isinstance(error, RecordGone):
        return Outcome(change.id, "gone", message=error.message)
    return Outcome(change.id, "refused", error.code, error.message)
