"""Writes a plan into its CRM, batch by batch: journalled before it is sent, confirmed or read back after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from pipelint.connectors.base import Change, Connector, Outcome, WriteLimits
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.clock import Clock
from pipelint.engine.journal import confirm, intend
from pipelint.engine.plan import Plan, PlannedRecord
from pipelint.engine.refusals import Refusal, lift, named
from pipelint.engine.shown import doubt
from pipelint.engine.stopping import Stopping
from pipelint.engine.values import plain, to_json
from pipelint.errors import CacheUnusable, PermissionMissing, PipelintError
from pipelint.rules.catalogue import RecordKind


@dataclass(slots=True)
class PushResult:
    """What became of a plan; with an error, all before it is written and confirmed, the rest is not sent."""

    written: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    """By the CRM, now or earlier: those of earlier are not sent again by themselves before something changes."""
    skipped: int = 0
    """Records that are gone from the CRM."""
    unknown: int = 0
    """Records of which the CRM could not say whether they were written; the next run asks again."""
    locked: int = 0
    """Records that somebody else was writing to: the next run tries again."""
    newly_refused: int = 0
    """Sent in this run, and refused; what is left alone on purpose does not count."""
    api_calls: int = 0
    seconds: float = 0.0
    error: PipelintError | None = None

    @property
    def incomplete(self) -> bool:
        """Whether something that should have been written was not."""
        return bool(self.newly_refused or self.unknown or self.locked)


def push(
    cache: Cache, connector: Connector, plan: Plan, run: str, *, clock: Clock, stopping: Stopping
) -> PushResult:
    """Write what is planned. An error of the CRM ends it and is part of the result."""
    started, calls = clock(), connector.api_calls
    result = PushResult(unchanged=plan.unchanged + plan.deferred, refused=list(plan.refused))
    barred: set[str] = set()
    try:
        for batch in _batches(plan.records, connector.write_limits):
            if batch[0].kind in barred:
                continue
            stopping.check()
            try:
                _write(cache, connector, batch, run, clock, result)
            except PermissionMissing as error:
                # What may not be written of one kind of record keeps nothing from the other.
                barred.add(batch[0].kind)
                _try_again(cache, connector.name, batch[0].kind, result)
                result.error = result.error or error
    except CacheUnusable:
        raise
    except PipelintError as error:
        result.error = error
    result.refused = [named(cache.db, connector.name, each) for each in result.refused]
    result.api_calls = connector.api_calls - calls
    result.seconds = (clock() - started).total_seconds()
    return result


def _try_again(cache: Cache, connection: str, kind: RecordKind, result: PushResult) -> None:
    """Where the right is missing altogether, what was refused on the way says nothing of the records."""
    mine = [each for each in result.refused if each.kind == kind and each.since is None]
    with cache.transaction() as db:
        for each in mine:
            lift(db, connection, kind, each.id)
        doubt(db, connection, kind, [each.id for each in mine])
    result.refused = [each for each in result.refused if each not in mine]
    result.newly_refused -= len(mine)


def _batches(records: Sequence[PlannedRecord], limits: WriteLimits) -> Iterator[list[PlannedRecord]]:
    """Records of one account in a row: writing them side by side would lock each other out.

    Where each is a call of its own, the plan's order of urgency stands.
    """
    if limits.batch == 1:
        yield from ([record] for record in records)
        return
    ordered = sorted(records, key=lambda record: (record.kind, record.group, record.id))
    for _, of_kind in groupby(ordered, lambda record: record.kind):
        remaining = list(of_kind)
        size = limits.together(len(remaining))
        for first in range(0, len(remaining), size):
            yield remaining[first : first + size]


def _write(
    cache: Cache,
    connector: Connector,
    batch: list[PlannedRecord],
    run: str,
    clock: Clock,
    result: PushResult,
) -> None:
    intend(cache, connector.name, run, batch, clock())
    by_id = {record.id: record for record in batch}
    outcomes: list[tuple[PlannedRecord, Outcome]] = []
    try:
        for outcome in _sent(connector, by_id):
            outcomes.append((by_id[outcome.id], outcome))  # noqa: PERF401 - kept up to an error
    finally:
        # What was answered before an error is known for certain, and must not be asked again.
        confirm(cache, connector.name, run, outcomes, clock())
        for record, outcome in outcomes:
            _count(result, record, outcome)


def _sent(connector: Connector, by_id: dict[str, PlannedRecord]) -> Iterator[Outcome]:
    """One outcome for each record; where none came back, the CRM is asked, and written to once more."""
    lost = []
    for outcome in connector.write([_change(record) for record in by_id.values()]):
        if outcome.status == "unknown":
            lost.append(by_id[outcome.id])
        else:
            yield outcome
    missing = []
    for record, found in _read_back(connector, lost):
        if found is None:
            missing.append(record)
        else:
            yield found
    if not missing:
        return
    again = []
    for outcome in connector.write([_change(record) for record in missing]):
        if outcome.status == "unknown":
            again.append(by_id[outcome.id])
        else:
            yield outcome
    for record, found in _read_back(connector, again):
        yield found or Outcome(record.id, "unknown", message="no answer came, twice")


def _read_back(
    connector: Connector, records: Sequence[PlannedRecord]
) -> Iterator[tuple[PlannedRecord, Outcome | None]]:
    """Whether what was sent is there now; None where it is not."""
    if not records:
        return
    names = sorted({change.field for record in records for change in record.changes})
    current = dict(connector.read(records[0].kind, [record.id for record in records], names))
    for record in records:
        if record.id not in current:
            yield record, Outcome(record.id, "gone")
        elif all(plain(current[record.id][change.field]) == plain(change.new) for change in record.changes):
            yield record, Outcome(record.id, "written")
        else:
            yield record, None


def _change(record: PlannedRecord) -> Change:
    values = {change.field: change.new for change in record.changes}
    return Change(record.kind, record.id, values, record.group)


def _count(result: PushResult, record: PlannedRecord, outcome: Outcome) -> None:
    match outcome.status:
        case "written":
            result.written += 1
        case "gone":
            result.skipped += 1
        case "locked":
            result.locked += 1
        case "unknown":
            result.unknown += 1
        case "refused":
            result.newly_refused += not outcome.meant
            result.refused.append(
                Refusal(
                    record.kind,
                    record.id,
                    outcome.code,
                    outcome.message,
                    record.modified_at,
                    to_json(record.wanted),
                )
            )
