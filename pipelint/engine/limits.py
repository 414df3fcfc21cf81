"""How much one plan may change: a plan over a limit is refused whole, before the first write."""

from __future__ import annotations

from decimal import Decimal

from pipelint.config.project import WriteBack
from pipelint.engine.plan import Plan
from pipelint.errors import LimitExceeded

SHARE_FROM = 10
"""So many records may always change: two of three are a large share of a small estate, and no accident."""


def exceeded(plan: Plan, settings: WriteBack) -> LimitExceeded | None:
    """Why a plan is larger than the project's `write_back` allows: the numbers, and which limit to raise."""
    changed = plan.differing
    pilot = settings.first_push if plan.pilot else None
    limit = pilot.max_changes if pilot else settings.max_changes
    if changed > limit:
        name = "write_back.first_push.max_changes" if pilot else "write_back.max_changes"
        return LimitExceeded(
            f"the plan changes {changed:,} records, and {name} allows {limit:,}:"
            " it is refused whole, and nothing is written",
            hint=f"look at the plan with pipelint push --dry-run, then set {name} to {changed} or more",
        )
    again = plan.differing_again
    if again > SHARE_FROM and again > settings.max_share * plan.written_before:
        share = _percent(Decimal(again) / plan.written_before)
        return LimitExceeded(
            f"the plan changes {again:,} of the {plan.written_before:,} records written"
            f" before ({share}), and write_back.max_share allows {_percent(settings.max_share)}:"
            " it is refused whole, and nothing is written",
            hint="look at the plan with pipelint push --dry-run: if so many findings are right, set"
            f" write_back.max_share to {_percent_above(again, plan.written_before)} or more",
        )
    return None


def _percent(share: Decimal) -> str:
    return f"{share:.0%}"


def _percent_above(some: int, all_: int) -> str:
    """The smallest whole percentage that allows so many."""
    return f"{-(-100 * some // all_)}%"
