"""Simplifying a rule changes no answer, unknown included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.rules.ir import (
    FALSE,
    TRUE,
    UNKNOWN,
    And,
    Arithmetic,
    Case,
    Coalesce,
    Column,
    Compare,
    Concat,
    Constant,
    Expr,
    Greatest,
    In,
    IsNull,
    Least,
    Length,
    Not,
    Or,
    Position,
)
from pipelint.rules.optimise import simplify
from tests.rules.expressions import expressions, records, value_of

A, B, C = Column("a"), Column("b"), Column("c")
ONE, TWO = Constant(1), Constant(2)


@settings(max_examples=600, deadline=None)
@given(expressions, st.lists(records, min_size=1, max_size=5))
def test_the_value_stays_the_same_on_every_record(expr: Expr, rows: list[dict[str, Any]]) -> None:
    simple = simplify(expr)
    assert [value_of(simple, row) for row in rows] == [value_of(expr, row) for row in rows]


@settings(max_examples=300, deadline=None)
@given(expressions)
def test_what_is_simple_stays_as_it_is(expr: Expr) -> None:
    assert simplify(simplify(expr)) == simplify(expr)


@pytest.mark.parametrize(
    ("expr", "simple"),
    [
        (And((A, And((B, And((C,)))))), And((A, B, C))),
        (Or((A, Or((B, C)))), Or((A, B, C))),
        (And((A, Or((B, C)))), And((A, Or((B, C))))),
        (And((A, TRUE, A)), A),
        (And((A, UNKNOWN, FALSE)), FALSE),
        (And((A, UNKNOWN)), And((A, UNKNOWN))),
        (Or((A, FALSE)), A),
        (Or((A, UNKNOWN, TRUE)), TRUE),
        (And(()), TRUE),
        (Or(()), FALSE),
        (Not(Not(A)), A),
        (Not(TRUE), FALSE),
        (Not(UNKNOWN), UNKNOWN),
        (Compare("<", A, UNKNOWN), UNKNOWN),
        (Compare("<", ONE, TWO), TRUE),
        (In(TWO, (1, 2)), TRUE),
        (In(UNKNOWN, ()), UNKNOWN),
        (In(A, ()), In(A, ())),
        (IsNull(UNKNOWN), TRUE),
        (IsNull(ONE), FALSE),
        (IsNull(A), IsNull(A)),
        (Coalesce((UNKNOWN, A, Coalesce((B, ONE)), C)), Coalesce((A, B, ONE))),
        (Coalesce((UNKNOWN,)), UNKNOWN),
        (Coalesce((ONE, A)), ONE),
        (Case(((FALSE, A), (UNKNOWN, B)), C), C),
        (Case(((A, ONE), (TRUE, TWO), (B, ONE)), C), Case(((A, ONE),), TWO)),
        (Arithmetic("//", Constant(7), TWO), Constant(4)),
        (Arithmetic("//", Constant(7), Constant(0)), UNKNOWN),
        (Arithmetic("*", Constant(2**62), TWO), UNKNOWN),
        (Arithmetic("+", A, UNKNOWN), UNKNOWN),
        (Least((ONE, TWO)), ONE),
        (Greatest((A, UNKNOWN)), UNKNOWN),
        (Length(Concat((Constant("ab"), Constant("c")))), Constant(3)),
        (Position(Constant("abc"), Constant("c")), Constant(3)),
    ],
)
def test_simplified(expr: Expr, simple: Expr) -> None:
    assert simplify(expr) == simple
