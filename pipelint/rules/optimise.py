"""Rules made smaller without changing a single answer, unknown included (performance.md §3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

from pipelint.rules import kleene
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


@singledispatch
def simplify(expr: Expr) -> Expr:
    """The same value on every row: constants worked out, nested groups flattened, idle parts left out."""
    raise TypeError(f"no expression: {expr!r}")


@simplify.register
def _(expr: Column | Constant) -> Expr:
    return expr


@simplify.register
def _(expr: And) -> Expr:
    return _joined(And, expr.items, neutral=TRUE, decisive=FALSE)


@simplify.register
def _(expr: Or) -> Expr:
    return _joined(Or, expr.items, neutral=FALSE, decisive=TRUE)


@simplify.register
def _(expr: Not) -> Expr:
    item = simplify(expr.item)
    return item.item if isinstance(item, Not) else _worked_out(Not(item), [item], kleene.negation)


@simplify.register
def _(expr: Compare) -> Expr:
    left, right = simplify(expr.left), simplify(expr.right)
    return _worked_out(
        Compare(expr.op, left, right), [left, right], lambda a, b: kleene.compare(a, expr.op, b)
    )


@simplify.register
def _(expr: IsNull) -> Expr:
    item = simplify(expr.item)
    return Constant(item.value is None) if isinstance(item, Constant) else IsNull(item)


@simplify.register
def _(expr: In) -> Expr:
    item = simplify(expr.item)
    return _worked_out(In(item, expr.values), [item], lambda value: kleene.is_in(value, expr.values))


@simplify.register
def _(expr: Position) -> Expr:
    text, part = simplify(expr.text), simplify(expr.part)
    return _worked_out(Position(text, part), [text, part], kleene.position)


@simplify.register
def _(expr: Concat) -> Expr:
    items = tuple(map(simplify, expr.items))
    return _worked_out(Concat(items), items, kleene.concat)


@simplify.register
def _(expr: Length) -> Expr:
    item = simplify(expr.item)
    return _worked_out(Length(item), [item], kleene.length)


@simplify.register
def _(expr: Coalesce) -> Expr:
    items: list[Expr] = []
    for item in _flattened(Coalesce, expr.items):
        if item != UNKNOWN:
            items.append(item)
        if isinstance(item, Constant) and item != UNKNOWN:
            break  # nothing after a known constant is ever reached
    return _one_or(Coalesce, items, UNKNOWN)


@simplify.register
def _(expr: Case) -> Expr:
    branches: list[tuple[Expr, Expr]] = []
    otherwise = expr.otherwise
    for guard, value in expr.branches:
        guard = simplify(guard)
        if not isinstance(guard, Constant):
            branches.append((guard, simplify(value)))
        elif guard.value:
            otherwise = value
            break
    otherwise = simplify(otherwise)
    return Case(tuple(branches), otherwise) if branches else otherwise


@simplify.register
def _(expr: Arithmetic) -> Expr:
    left, right = simplify(expr.left), simplify(expr.right)
    return _worked_out(
        Arithmetic(expr.op, left, right), [left, right], lambda a, b: kleene.calculate(a, (expr.op, b))
    )


@simplify.register
def _(expr: Least) -> Expr:
    items = tuple(map(simplify, expr.items))
    return _worked_out(Least(items), items, kleene.least)


@simplify.register
def _(expr: Greatest) -> Expr:
    items = tuple(map(simplify, expr.items))
    return _worked_out(Greatest(items), items, kleene.greatest)


def _worked_out(expr: Expr, parts: Sequence[Expr], operation: Callable[..., Any]) -> Expr:
    """An operation on an unknown is unknown, one on constants is a constant; else the expression as it is."""
    values = [part.value for part in parts if isinstance(part, Constant)]
    if None in values:
        return UNKNOWN
    return Constant(operation(*values)) if len(values) == len(parts) else expr


def _joined(kind: type[And | Or], items: Sequence[Expr], *, neutral: Expr, decisive: Expr) -> Expr:
    """Kleene's and (or): repeated and neutral items say nothing, a decisive one says it all."""
    kept = [item for item in dict.fromkeys(_flattened(kind, items)) if item != neutral]
    return decisive if decisive in kept else _one_or(kind, kept, neutral)


def _flattened(kind: type[And | Or | Coalesce], items: Sequence[Expr]) -> list[Expr]:
    """The items made smaller, with those of the same kind taken apart."""
    simple = map(simplify, items)
    return [part for item in simple for part in (item.items if isinstance(item, kind) else (item,))]


def _one_or(kind: type[And | Or | Coalesce], items: Sequence[Expr], empty: Expr) -> Expr:
    match items:
        case []:
            return empty
        case [only]:
            return only
        case _:
            return kind(tuple(items))
