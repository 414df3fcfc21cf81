"""Turns tests of texts, choices and numbers into the intermediate form (rules.md §4.3b)."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Literal, TypeAlias, cast

from pipelint.rules.conditions import Count, Number, Operand, Other, Test, Word
from pipelint.rules.fields import NUMERIC
from pipelint.rules.ir import (
    SCALE,
    SEPARATOR,
    UNKNOWN,
    And,
    Arithmetic,
    Compare,
    Concat,
    Constant,
    Expr,
    In,
    Length,
    Not,
    Or,
    Position,
)
from pipelint.rules.text import fold

_Sign: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]


def within(value: Expr, low: Expr, high: Expr) -> Expr:
    """From low to high, both ends included."""
    return And((Compare(">=", value, low), Compare("<=", value, high)))


def _folded(operand: Operand) -> Expr:
    return (
        operand.field.column("fold")
        if isinstance(operand, Other)
        else Constant(fold(cast("Word", operand).text))
    )


def _equal_any(value: Expr, operands: tuple[Operand, ...], read: Callable[[Operand], Expr]) -> Expr:
    others = [Compare("=", value, read(operand)) for operand in operands if isinstance(operand, Other)]
    constants = tuple(
        cast("int | str", cast("Constant", read(operand)).value)
        for operand in operands
        if not isinstance(operand, Other)
    )
    if not others:
        return In(value, constants)
    return Or((*others, In(value, constants))) if constants else Or(tuple(others))


def compare_text(test: Test) -> Expr:
    """Texts and choices, folded unless case counts."""
    value = test.field.column("fold")
    first = test.operands[0]
    match test.name:
        case "is":
            return Compare("=", value, _folded(first))
        case "is_not":
            return Compare("<>", value, _folded(first))
        case "one_of":
            return _equal_any(value, test.operands, _folded)
        case "none_of":
            return Not(_equal_any(value, test.operands, _folded))
        case "exactly":
            plain = first.field.column() if isinstance(first, Other) else Constant(cast("Word", first).text)
            return Compare("=", test.field.column(), plain)
        case "contains":
            return Compare(">", Position(value, _folded(first)), Constant(0))
        case "starts_with":
            return Compare("=", Position(value, _folded(first)), Constant(1))
        case "ends_with":
            end = Constant(SEPARATOR)
            return Compare(">", Position(Concat((value, end)), Concat((_folded(first), end))), Constant(0))
        case "shorter_than":
            return Compare("<", Length(test.field.column()), Constant(cast("Count", first).value))
        case _:
            return Compare(">", Length(test.field.column()), Constant(cast("Count", first).value))


def _place(operand: Operand) -> Expr:
    return (
        operand.field.column("place") if isinstance(operand, Other) else Constant(cast("Word", operand).rank)
    )


def compare_ordered(test: Test) -> Expr:
    """Ordered choices, by their place."""
    value, first = test.field.column("place"), test.operands[0]
    match test.name:
        case "is":
            return Compare("=", value, _place(first))
        case "is_not":
            return Compare("<>", value, _place(first))
        case "one_of":
            return _equal_any(value, test.operands, _place)
        case "none_of":
            return Not(_equal_any(value, test.operands, _place))
        case "at_or_after":
            return Compare(">=", value, _place(first))
        case _:
            return Compare("<", value, _place(first))


def compare_number(test: Test) -> Expr:
    """Numbers, money and days, exact to four decimals."""
    value, operands = test.field.main, test.operands
    match test.name:
        case "between":
            low, high = operands
            return And((_compare_number(">=", value, low), _compare_number("<=", value, high)))
        case "one_of":
            return _number_in(value, operands)
        case "none_of":
            return Not(_number_in(value, operands))
        case name:
            return _compare_number(_SIGN[name], value, operands[0])


def beyond(test: Test) -> Expr:
    """Whether a number lies above everything that the test names."""
    if test.field.type not in NUMERIC:
        return UNKNOWN
    operands = test.operands[1:] if test.name == "between" else test.operands
    return And(tuple(_compare_number(">", test.field.main, operand) for operand in operands))


def _number_in(value: Expr, operands: tuple[Operand, ...]) -> Expr:
    constants = tuple(operand.scaled for operand in operands if isinstance(operand, Number))
    others = tuple(_compare_number("=", value, each) for each in operands if isinstance(each, Other))
    if not others:
        return In(value, constants)
    return Or((*others, In(value, constants))) if constants else Or(others)


def _compare_number(sign: _Sign, value: Expr, operand: Operand) -> Expr:
    if not isinstance(operand, Other):
        return Compare(sign, value, Constant(cast("Number", operand).scaled))
    times = SCALE if operand.times is None else operand.times
    # Both sides are multiplied, in lowest terms, so that nothing is divided and little can overflow.
    common = gcd(times, SCALE)
    left = _multiplied(value, SCALE // common)
    right = _multiplied(operand.field.main, times // common)
    if isinstance(operand.plus, int):
        right = Arithmetic("+", right, Constant(operand.direction * operand.plus * (SCALE // common)))
    return Compare(sign, left, right)


def _multiplied(value: Expr, factor: int) -> Expr:
    return value if factor == 1 else Arithmetic("*", value, Constant(factor))


_SIGN: dict[str, _Sign] = {
    "is": "=",
    "is_not": "<>",
    "at_least": ">=",
    "more_than": ">",
    "at_most": "<=",
    "less_than": "<",
}


def compare_choices(test: Test) -> Expr:
    """Several choices at once."""
    held = test.field.column("set")
    if test.name == "at_least":
        return Compare(">=", test.field.column("size"), Constant(cast("Count", test.operands[0]).value))
    hits = tuple(
        Compare(
            ">",
            Position(held, Constant(f"{SEPARATOR}{fold(cast('Word', operand).text)}{SEPARATOR}")),
            Constant(0),
        )
        for operand in test.operands
    )
    match test.name:
        case "includes" | "includes_all":
            return And(hits)
        case "includes_any":
            return Or(hits)
        case _:
            return Not(Or(hits))
