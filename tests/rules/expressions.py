"""Random well-typed expressions and records, and an interpreter made from the words of the form itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from pipelint.rules.ir import (
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

# Names that would fall over if they were not quoted, or that the dialects use themselves.
NUMBERS = ("n", "d", "x", 'the "amount"', "row")
TEXTS = ("select", "it's")
TRUTHS = ("verdict",)

LIMIT = 2**61
whole_numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(-(10**6), 10**6),
    st.integers(-LIMIT, LIMIT - 1),
    st.sampled_from([-LIMIT, LIMIT - 1]),
)
letters = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
texts = st.one_of(st.text("aAß%_'\"\\\x1f é𝒳", max_size=4), st.text(letters, max_size=6))


def _now_and_then_unknown(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


records = st.fixed_dictionaries(
    {name: _now_and_then_unknown(whole_numbers) for name in NUMBERS}
    | {name: _now_and_then_unknown(texts) for name in TEXTS}
    | {name: st.sampled_from([None, 0, 1]) for name in TRUTHS}
)


def _several(items: st.SearchStrategy[Expr]) -> st.SearchStrategy[tuple[Expr, ...]]:
    return st.lists(items, max_size=3).map(tuple)


def _choices(depth: int, same: st.SearchStrategy[Expr]) -> list[st.SearchStrategy[Expr]]:
    """What works on values of any one type."""
    branch = st.tuples(truths(depth), same)
    return [
        st.builds(Coalesce, _several(same)),
        st.builds(Case, st.lists(branch, max_size=2).map(tuple), same),
    ]


@lru_cache
def numbers(depth: int) -> st.SearchStrategy[Expr]:
    leaf = st.builds(Column, st.sampled_from(NUMBERS)) | st.builds(
        Constant, _now_and_then_unknown(whole_numbers)
    )
    if not depth:
        return leaf
    part, text = numbers(depth - 1), strings(depth - 1)
    return st.one_of(
        leaf,
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "//"]), part, part),
        st.builds(Least, _several(part)),
        st.builds(Greatest, _several(part)),
        st.builds(Position, text, text),
        st.builds(Length, text),
        *_choices(depth - 1, part),
    )


@lru_cache
def strings(depth: int) -> st.SearchStrategy[Expr]:
    leaf = st.builds(Column, st.sampled_from(TEXTS)) | st.builds(Constant, _now_and_then_unknown(texts))
    if not depth:
        return leaf
    part = strings(depth - 1)
    return st.one_of(
        leaf, st.builds(Concat, _several(part)), st.builds(Least, _several(part)), *_choices(depth - 1, part)
    )


@lru_cache
def truths(depth: int) -> st.SearchStrategy[Expr]:
    leaf = st.builds(Column, st.sampled_from(TRUTHS)) | st.builds(
        Constant, st.sampled_from([True, False, None])
    )
    if not depth:
        return leaf
    part, number, text = truths(depth - 1), numbers(depth - 1), strings(depth - 1)
    operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    return st.one_of(
        leaf,
        st.builds(And, _several(part)),
        st.builds(Or, _several(part)),
        st.builds(Not, part),
        st.builds(Compare, operators, number, number),
        st.builds(Compare, operators, text, text),
        st.builds(IsNull, number | text | part),
        st.builds(In, number, st.lists(whole_numbers, max_size=3).map(tuple)),
        st.builds(In, text, st.lists(texts, max_size=3).map(tuple)),
        *_choices(depth - 1, part),
    )


expressions = truths(3) | numbers(3) | strings(3)


def value_of(expr: Expr, record: dict[str, Any]) -> Any:
    """The value, worked out step by step."""
    match expr:
        case Column(name):
            return record[name]
        case Constant(value):
            return value
        case And(items):
            values = [value_of(item, record) for item in items]
            return False if any(v in (False, 0) for v in values) else None if None in values else True
        case Or(items):
            values = [value_of(item, record) for item in items]
            return True if any(v in (True, 1) for v in values) else None if None in values else False
        case IsNull(item):
            return value_of(item, record) is None
        case Coalesce(items):
            known = [v for item in items if (v := value_of(item, record)) is not None]
            return known[0] if known else None
        case Case(branches, otherwise):
            for guard, result in branches:
                if value_of(guard, record) in (True, 1):
                    return value_of(result, record)
            return value_of(otherwise, record)
        case _:
            return _strict(expr, record)


def _strict(expr: Expr, record: dict[str, Any]) -> Any:
    """The operations that are unknown as soon as one of their parts is."""
    parts = [value_of(part, record) for part in _parts(expr)]
    if None in parts:
        return None
    match expr:
        case Not():
            return not parts[0]
        case Compare(op):
            left, right = parts
            smaller, equal = left < right, left == right
            return {
                "=": equal,
                "<>": not equal,
                "<": smaller,
                "<=": smaller or equal,
                ">": not (smaller or equal),
                ">=": not smaller,
            }[op]
        case In(_, values):
            return any(parts[0] == value for value in values)
        case Position():
            text, part = parts
            return next((i + 1 for i in range(len(text) + 1) if text[i : i + len(part)] == part), 0)
        case Concat():
            return "".join(parts)
        case Length():
            return len(parts[0])
        case Least():
            return sorted(parts)[0] if parts else None
        case Greatest():
            return sorted(parts)[-1] if parts else None
        case Arithmetic(op):
            return _calculated(op, *parts)


def _parts(expr: Any) -> tuple[Expr, ...]:
    match expr:
        case Not(item) | In(item, _) | Length(item):
            return (item,)
        case Compare(_, left, right) | Arithmetic(_, left, right) | Position(left, right):
            return left, right
        case Concat(items) | Least(items) | Greatest(items):
            return items
        case _:
            raise TypeError(expr)


def _calculated(op: str, left: int, right: int) -> int | None:
    match op:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case _:
            if right == 0:
                return None
            # The nearest whole number; of two equally near ones, the one farther from zero.
            near = left // right
            result = min((near, near + 1), key=lambda q: (abs(left - q * right), -abs(q)))
    return result if -(2**63) <= result < 2**63 else None
