"""Writing our fields with sObject Collections: what becomes of each record is known by its position.

One unknown field or one wrong JSON type fails a whole request (fact sheet §6), so changes are checked against
the description first; a request that fails nevertheless is halved until the culprit stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import msgspec

from pipelint.connectors.base import Change, Kind, Outcome, WriteLimits, WriteValue
from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.answers import decoded
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import READERS, identity, sent, stored
from pipelint.connectors.salesforce.refusal import RequestInvalid, brief, meaning
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import Busy, PermissionMissing, PipelintError, RecordGone, RecordRefused, Retry

LIMITS: Final = WriteLimits(batch=200)


class RowError(msgspec.Struct):
    """Why a record was refused; the key is `statusCode` here, `errorCode` elsewhere (fact sheet §6)."""

    statusCode: str  # noqa: N815 - Salesforce's name
    message: str = ""
    fields: list[str] = []


class RowResult(msgspec.Struct):
    """What became of one record; a refused one may lack its id."""

    success: bool
    errors: list[RowError] = []


def write(client: Client, changes: Sequence[Change]) -> Iterator[Outcome]:
    """One outcome for each change; where an error is raised, changes without an outcome were not sent.

    Changes of one group (an account) go together and one request at a time, because updating opportunities
    may lock the account (fact sheet §6).
    """
    ordered = sorted(changes, key=lambda change: (change.kind, change.group, change.id))
    ready = []
    for change in ordered:
        refused = _refused_here(client, change)
        if refused:
            yield refused
        else:
            ready.append(change)
    for kind in dict.fromkeys(change.kind for change in ready):
        for batch in soql.chunked([change for change in ready if change.kind == kind], LIMITS.batch):
            yield from _batch(client, batch)


def read(
    client: Client, kind: Kind, ids: Sequence[str], names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
    """The values that records have now, normalised; ids that are gone are left out."""
    sobject = OBJECT_OF[kind]
    info = client.describe(sobject)
    if unseen := [name for name in names if not info.sees(name)]:
        raise PermissionMissing(f"{sobject}.{unseen[0]} is not there or not visible", hint="run setup")
    for some in soql.chunked(ids):
        statement = soql.select(["Id", *names], sobject, [f"Id IN {soql.listed(some)}"])
        for row in client.rows(statement, name=f"query {sobject}"):
            values = {}
            for name in names:
                field = info.by_name[name]
                values[name] = stored(field, READERS[field.type](row[name]))
            yield str(identity(row["Id"])), values


def _refused_here(client: Client, change: Change) -> Outcome | None:
    """A change that cannot succeed, and would take 199 others with it."""
    info = client.describe(OBJECT_OF[change.kind])
    unseen = tuple(name for name in change.values if not info.sees(name))
    if unseen:
        message = f"No such column '{unseen[0]}', or no access to it: run setup"
        return Outcome(change.id, "refused", "INVALID_FIELD", message, unseen)
    closed = tuple(name for name in change.values if not info.by_name[name].updateable)
    if closed:
        message = f"'{closed[0]}' may not be edited by the integration user: run setup"
        return Outcome(change.id, "refused", "INVALID_FIELD_FOR_INSERT_UPDATE", message, closed)
    return None


def _batch(client: Client, batch: Sequence[Change]) -> Iterator[Outcome]:
    """Send a batch, and again those of its records that somebody else had locked."""
    pending = {change.id: change for change in batch}
    settled: list[Outcome] = []
    locked: dict[str, Outcome] = {}
    trouble: PipelintError | None = None

    def attempt() -> None:
        nonlocal trouble
        locked.clear()
        try:
            for outcome in _send(client, list(pending.values())):
                if _is_lock(outcome):
                    locked[outcome.id] = replace(outcome, status="locked")
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
                _unknown(change, trouble.message) for change in pending.values() if change.id not in locked
            )
        raise trouble


def _is_lock(outcome: Outcome) -> bool:
    return outcome.status == "refused" and issubclass(meaning(None, outcome.code, "").raises, Busy)


def _send(client: Client, batch: Sequence[Change]) -> Iterator[Outcome]:
    """The outcomes of one request, or of its halves where it failed as a whole."""
    body = {"allOrNone": False, "records": [_record(client, change) for change in batch]}
    name = f"update {OBJECT_OF[batch[0].kind]}"
    try:
        answer = client.call("PATCH", "composite/sobjects", name=name, body=body, final=AnswerLost)
        results = decoded(answer, list[RowResult], name)
    except AnswerLost as error:
        # It may have been done: the caller reads back before it tries again.
        yield from (_unknown(change, error.message) for change in batch)
        return
    except (RequestInvalid, RecordRefused, RecordGone) as error:
        yield from _isolated(client, batch, error)
        return
    if len(results) != len(batch):
        message = f"{len(results)} results for {len(batch)} records"
        yield from (_unknown(change, message) for change in batch)
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
    refused = {change.id: found for change in batch if (found := _refused_here(client, change))}
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
    gone = issubclass(meaning(None, error.statusCode, error.message).raises, RecordGone)
    return Outcome(
        change.id, "gone" if gone else "refused", error.statusCode, brief(error.message), tuple(error.fields)
    )


def _refused(change: Change, error: RequestInvalid | RecordRefused | RecordGone) -> Outcome:
    """The outcome of a change whose request was refused as a whole."""
    if isinstance(error, RecordGone):
        return Outcome(change.id, "gone", message=error.message)
    return Outcome(change.id, "refused", error.code, error.message)


def _unknown(change: Change, message: str) -> Outcome:
    return Outcome(change.id, "unknown", message=message)
