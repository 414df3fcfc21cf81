"""What a flagged rule hides on its record (rules.md §4.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from pipelint.engine.evaluate import Outcome
from pipelint.rules.compile import CompiledCheck
from pipelint.rules.pack import Rule

Found: TypeAlias = tuple[CompiledCheck, Outcome, int]
"""A check that is not clean, what became of it, and its severity where it is flagged."""


def hidden_by(
    by_rule: Mapping[str, list[Found]], waived: Collection[str], pending: Collection[str]
) -> dict[str, str]:
    """The rules, and the items of rules, that a flagged rule hides here, and which one does (rules.md §4.7)."""
    return {
        name: rule
        for rule, checks in by_rule.items()
        if checks[0][0].rule.status != "trial"
        and rule not in pending
        and any(check.name not in waived for check, outcome, _ in checks if outcome is Outcome.FLAGGED)
        for name in checks[0][0].rule.hides
    }


def hider(rule: Rule, standing: Sequence[Found], hidden: Mapping[str, str]) -> str:
    """The rule that hides a rule, or the first of its items that stands."""
    return hidden.get(rule.name) or hidden[standing[0][0].name]
