"""Plans kept in a file, looked at by a person, and written later exactly as they were, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec

from pipelint.engine.plan import Plan, PlannedRecord
from pipelint.engine.values import Plain, plain
from pipelint.errors import PlanStale, UsageError
from pipelint.rules.catalogue import RecordKind

SCHEMA = "pipelint.plan/1"
_Key: TypeAlias = tuple[str, RecordKind, str]
SavedPlan: TypeAlias = Mapping[_Key, Mapping[str, tuple[Plain, Plain]]]
"""Connection, kind and record → field → old and new."""


class ChangeJson(msgspec.Struct, frozen=True):
    """One change as the document `pipelint.plan/1` holds it."""

    connection: str
    kind: RecordKind
    id: str
    name: str
    field: str
    old: Plain
    new: Plain


class PlanJson(msgspec.Struct, frozen=True):
    """The document."""

    schema: str
    changes: list[ChangeJson]


def as_json(plans: Iterable[Plan]) -> PlanJson:
    """The plans of all connections as one document."""
    changes = [
        ChangeJson(c.connection, c.kind, c.id, c.name, c.field, plain(c.old), plain(c.new))
        for plan in plans
        for c in plan.changes
    ]
    return PlanJson(SCHEMA, changes)


def save(plans: Iterable[Plan], path: Path) -> None:
    """Keep plans in a file, readable by its owner alone: it holds names and texts from the CRM."""
    text = msgspec.json.format(msgspec.json.encode(as_json(plans)), indent=1)
    try:
        path.touch(mode=0o600)
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise UsageError(f"the plan cannot be written to {path}: {error.strerror}") from error


def load(path: Path) -> SavedPlan:
    """Read a saved plan.

    Raises:
        UsageError: the file is not there, or is no plan.
    """
    try:
        document = msgspec.json.decode(path.read_bytes(), type=PlanJson)
    except OSError as error:
        raise UsageError(f"the plan {path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        hint = "make one with: pipelint push --dry-run --save-plan FILE"
        raise UsageError(f"{path} is no saved plan: {error}", hint=hint) from None
    if document.schema != SCHEMA:
        raise UsageError(f"{path} is in the form {document.schema}, and {SCHEMA} is expected")
    plan: dict[_Key, dict[str, tuple[Plain, Plain]]] = {}
    for change in document.changes:
        fields = plan.setdefault((change.connection, change.kind, change.id), {})
        fields[change.field] = (change.old, change.new)
    return plan


def restrict(plan: Plan, saved: SavedPlan) -> None:
    """Leave in a fresh plan what was saved; both must agree on every saved record, old and new.

    Raises:
        PlanStale: the CRM, the data or the rules have moved since.
    """
    fresh = {_key(plan, record): record for record in plan.records}
    wanted = {key: fields for key, fields in saved.items() if key[0] == plan.connection}
    moved = [key for key, fields in wanted.items() if key not in fresh or _fields(fresh[key]) != fields]
    if moved:
        some = ", ".join(record for _, _, record in moved[:5]) + (" …" if len(moved) > 5 else "")
        raise PlanStale(
            f"{len(moved)} of the {len(wanted)} records of the saved plan have moved since"
            f" ({some}); nothing was written",
            hint="make a new plan with pipelint push --dry-run --save-plan FILE, and look at it",
        )
    plan.records = [record for key, record in fresh.items() if key in wanted]


def _key(plan: Plan, record: PlannedRecord) -> _Key:
    return (plan.connection, record.kind, record.id)


def _fields(record: PlannedRecord) -> dict[str, tuple[Plain, Plain]]:
    return {change.field: (plain(change.old), plain(change.new)) for change in record.changes}
