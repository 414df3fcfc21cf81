"""Which expressions can never be true: rules made of them are told once per connection, not once per record."""

from __future__ import annotations

import pytest

from pipelint.rules.answerable import can_be_true
from pipelint.rules.ir import FALSE, TRUE, UNKNOWN, And, Case, Coalesce, Column, Expr, Not, Or

X = Column("x")


@pytest.mark.parametrize(
    ("expr", "possible"),
    [
        (TRUE, True),
        (FALSE, False),
        (UNKNOWN, False),
        (X, True),
        (Not(X), True),
        (And((X, UNKNOWN)), False),
        (And((X, X)), True),
        (Or((X, UNKNOWN)), True),
        (Or((FALSE, UNKNOWN)), False),
        (Coalesce((UNKNOWN, X)), True),
        (Coalesce((UNKNOWN, FALSE)), False),
        (Case(((X, UNKNOWN),), FALSE), False),
        (Case(((X, TRUE),), FALSE), True),
        (Case(((FALSE, TRUE),), UNKNOWN), False),
        (Case(((X, FALSE),), X), True),
    ],
)
def test_only_what_can_be_true_counts_as_answerable(expr: Expr, possible: bool) -> None:
    assert can_be_true(expr) is possible
