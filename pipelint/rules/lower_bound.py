"""What a test says over a history that begins too late: only what the rows seen decide (rules.md §4.4)."""

from __future__ import annotations

from pipelint.rules.conditions import Number, Test
from pipelint.rules.fields import NUMERIC
from pipelint.rules.ir import FALSE, TRUE, UNKNOWN, Case, Compare, Constant, Expr, IsNull, Not


def lower_bound(test: Test, exact: Expr) -> Expr:
    """The answer over a partial history; `exact` is the answer if nothing were missing.

    A count, and a sum that cannot shrink, is at least what was seen. A latest or last value stands if a row
    was seen at all: later rows than those cannot be missing.
    """
    value = test.field.main
    if test.field.type not in NUMERIC:
        return Case(((Not(IsNull(value)), exact),), UNKNOWN) if test.name != "blank" else _not_blank(value)
    if test.name in {"blank", "present"}:
        return exact
    bounds = [operand.scaled for operand in test.operands if isinstance(operand, Number)]
    if not bounds:
        return UNKNOWN
    highest = Constant(max(bounds))
    match test.name:
        case "at_least":
            return _once(Compare(">=", value, highest), TRUE)
        case "more_than":
            return _once(Compare(">", value, highest), TRUE)
        case "less_than":
            return _once(Compare(">=", value, highest), FALSE)
        case "at_most" | "is" | "one_of" | "between":
            return _once(Compare(">", value, highest), FALSE)
        case "is_not" | "none_of":
            return _once(Compare(">", value, highest), TRUE)
        case _:
            return UNKNOWN


def _once(reached: Expr, answer: Expr) -> Expr:
    return Case(((reached, answer),), UNKNOWN)


def _not_blank(value: Expr) -> Expr:
    return _once(Not(IsNull(value)), FALSE)
