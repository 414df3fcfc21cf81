"""What a test says over a history that begins too late: only what the rows seen decide (rules.md §4.4)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pipelint.rules.conditions import All, Condition, Other, Test
from pipelint.rules.facts import OverRows
from pipelint.rules.ir import FALSE, TRUE, UNKNOWN, Case, Constant, Expr, IsNull, Not

Seen: TypeAlias = Literal["grows", "stands", "lost"]
"""What the rows seen say: at least so much, the value itself if a row was seen, or nothing."""


def seen_of(form: OverRows) -> Seen:
    """A count, and a sum that cannot shrink, is at least what was seen; a latest or last value stands."""
    match form.function:
        case "count" | "count_distinct" | "greatest":
            return "grows"
        case "latest" | "last":
            return "stands"
        case "sum_days" if any(_is_forward(test, form) for test in _required(form.where)):
            return "grows"
        case _:
            return "lost"


def _is_forward(test: Test, form: OverRows) -> bool:
    """Whether the test lets only rows through whose end comes after their start."""
    if test.field != form.end or test.name not in {"after", "on_or_after"}:
        return False
    operand = test.operands[0]
    return isinstance(operand, Other) and operand.field == form.start and operand.plus is None


def _required(where: Condition | None) -> list[Test]:
    if isinstance(where, Test):
        return [where]
    return [test for item in where.items for test in _required(item)] if isinstance(where, All) else []


def lower_bound(test: Test, exact: Expr, beyond: Expr, seen: Seen) -> Expr:
    """The answer over a partial history.

    `exact` is the answer if nothing were missing, `beyond` is true of a number that lies above all that the
    test names, which settles the tests that are neither a lower nor an upper limit.
    """
    if seen == "lost":
        return UNKNOWN
    row_seen = Not(IsNull(test.field.main))
    if seen == "stands" or test.name in {"blank", "present"}:
        return Case(((row_seen, exact),), UNKNOWN)
    match test.name:
        case "at_least" | "more_than":
            decided = Case(((exact, TRUE),), UNKNOWN)
        case "at_most" | "less_than":
            decided = Case(((Not(exact), FALSE),), UNKNOWN)
        case name:
            decided = Case(((beyond, Constant(name in {"is_not", "none_of"})),), UNKNOWN)
    return decided if test.if_blank is None else Case(((row_seen, decided),), UNKNOWN)
