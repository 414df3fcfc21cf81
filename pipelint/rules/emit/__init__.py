"""The dialects: each makes something that can be run out of the intermediate form, with the same answers."""

from __future__ import annotations

from pipelint.rules.ir import Arithmetic, Expr

ROW_ID = "id"  # the column, of text, that settles which of two related rows of the same time is the newer


def spine(expr: Arithmetic) -> tuple[Expr, list[tuple[str, Expr]]]:
    """An operation as its first number and the steps that follow, so that a long sum need not nest.

    Sums and differences are taken apart down their left side; other operations have a single step.
    """
    steps: list[tuple[str, Expr]] = [(expr.op, expr.right)]
    first = expr.left
    while expr.op in ("+", "-") and isinstance(first, Arithmetic) and first.op in ("+", "-"):
        steps.append((first.op, first.right))
        first = first.left
    return first, steps[::-1]
