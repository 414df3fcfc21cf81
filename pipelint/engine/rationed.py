"""What of a plan is written now, where the CRM takes each write from a daily allowance: the most urgent first.

New errors come first, then what is worse, then what is worth more; the rest is carried over to the next runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, takewhile

from pipelint.connectors.base import Budgeted, Connector, WriteBudget
from pipelint.engine.plan import Plan, PlannedRecord
from pipelint.engine.written import Part
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile import SEVERITY_NUMBER


@dataclass(frozen=True, slots=True)
class Ration:
    """A plan measured against its CRM's allowance."""

    budget: WriteBudget
    records: int
    """Of the whole plan."""
    tokens: int
    """What the whole plan takes."""
    now: int
    """Of the records, what is written in this run."""
    tokens_now: int

    @property
    def carried(self) -> int:
        """What is left for later runs."""
        return self.records - self.now

    @property
    def days(self) -> int:
        """The days until all is written, today included."""
        later = self.tokens - self.tokens_now
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
    records, tokens = plan.differing, _price(plan.records, budget)
    tokens += sum(budget.prices[kind] * count for kind, count in plan.held_back.items())
    plan.records.sort(key=_urgency)
    spent = accumulate(budget.prices[record.kind] for record in plan.records)
    plan.records = plan.records[: sum(1 for _ in takewhile(lambda so_far: so_far <= budget.left, spent))]
    return Ration(budget, records, tokens, len(plan.records), _price(plan.records, budget))


def affordable(connector: Connector, plan: Plan, kind: RecordKind) -> int | None:
    """How many records of a kind may be written beside what is planned; None where nothing is counted."""
    if not isinstance(connector, Budgeted):
        return None
    budget = connector.write_budget()
    return max(budget.left - _price(plan.records, budget), 0) // budget.prices[kind]


def _price(records: Iterable[PlannedRecord], budget: WriteBudget) -> int:
    return sum(budget.prices[record.kind] for record in records)


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
