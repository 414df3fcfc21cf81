"""A finding: one rule on one record, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from pipelint.engine.evidence import Evidence
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.pack import Severity
from pipelint.rules.waivers import Waiver

FindingStatus: TypeAlias = Literal["flagged", "waived", "trial", "hidden", "pending", "could_not_check"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule on one record, unless it is clean there; `pending` while its time of grace lasts.

    `amount` is what the record is worth, × 10 000; `written` says whether the finding may be written into the
    CRM; `keeps` that it could not be checked for lack of data, so that what was written before stays.
    """

    connection: str
    crm: str
    kind: RecordKind
    id: str
    name: str
    url: str | None
    owner: str
    pipeline: str
    stage: str
    rule: str
    severity: Severity
    status: FindingStatus
    message: str
    fix: str
    items: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    amount: int | None
    written: bool
    keeps: bool
    since: date | None = None
    """The day from which it has stood, as far as runs have recorded it."""
    waiver: Waiver | None = None
    """What waives it, where the status says so."""
    hidden_by: str = ""
    """The rule that hides it, where the status says so."""
    due: date | None = None
    """The day on which its time of grace is over, where the status says pending."""
    unsynced_items: tuple[str, ...] = ()
    """What else it may list: items that could not be checked for lack of data."""


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Errors first, then by value at stake, then by name."""
    return sorted(found, key=lambda f: (-SEVERITY_NUMBER[f.severity], -(f.amount or 0), f.name, f.rule))
