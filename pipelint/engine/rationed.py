"""What of a plan is written now, where the CRM takes each write from a daily allowance: the most urgent first.

New errors come first, then what is worse, then what is worth more; the rest is carried over to the next runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipelint.connectors.base import Budgeted, Connector, WriteBudget
from pipelint.engine.plan import Plan, PlannedRecord
from pipelint.engine.written import Part
from pipelint.rules.compile import SEVERITY_NUMBER


@dataclass(frozen=True, slots=True)
class Ration:
    """A plan measured against its CRM's allowance."""

    budget: WriteBudget
    records: int
    """Of the whole plan."""
    now: int
    """Of these, what is written in this run."""

    @property
    def tokens(self) -> int:
        """What the whole plan takes."""
        return self.records * self.budget.price

    @property
    def carried(self) -> int:
        """What is left for later runs."""
        return self.records - self.now

    @property
    def days(self) -> int:
        """The days until all is written, today included."""
        later = self.carried * self.budget.price
        return 1 + math.ceil(later / self.budget.daily) if self.budget.daily else 1

    @property
    def takes(self) -> timedelta:
        """How long the writing of this run takes."""
        return timedelta(seconds=math.ceil(self.now * self.budget.seconds))


def ration(plan: Plan, connector: Connector) -> Ration | None:
    """Put the plan in order of urgency and keep what the allowance covers; None where the CRM has no such one."""
    if not isinstance(connector, Budgeted):
        return None
    budget = connector.write_budget()
    differing = plan.differing
    ordered = sorted(plan.records, key=_urgency)
    plan.records = ordered[: budget.left // budget.price]
    return Ration(budget, differing, len(plan.records))


def affordable(connector: Connector) -> int | None:
    """How many records may be written now; None where nothing is counted."""
    if not isinstance(connector, Budgeted):
        return None
    budget = connector.write_budget()
    return budget.left // budget.price


def urgency(
    wanted: Sequence[Part], shown: Sequence[Part], value: int, id_: str
) -> tuple[bool, int, int, str]:
    """Sorts the most urgent first: does it tell of an error that the CRM does not show yet, how bad is it?"""
    known = {part.rule for part in shown}
    new = any(part.severity == "error" and part.rule not in known for part in wanted)
    worst = max((SEVERITY_NUMBER[part.severity] for part in wanted), default=0)
    return not new, -worst, -value, id_


def _urgency(record: PlannedRecord) -> tuple[bool, int, int, str]:
    return urgency(record.shows.parts, record.holds.parts, record.value, record.id)
