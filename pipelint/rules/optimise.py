"""Rules made smaller without changing a single answer, unknown included (performance.md §3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

from pipelint.rules import ir, kleene


@singledispatch
def simplify(expr: ir.Expr) -> ir.Expr:
    """The same value on every row: constants worked out, nested groups flattened, idle parts left out."""
    raise TypeError(f"no expression: {expr!r}")


@simplify.register
def _(expr: ir.Column | ir.Constant) -> ir.Expr:
    return expr


@simplify.register
def _(expr: ir.And) -> ir.Expr:
    return _joined(ir.And, expr.items, neutral=ir.TRUE, decisive=ir.FALSE)


@simplify.register
def _(expr: ir.Or) -> ir.Expr:
    return _joined(ir.Or, expr.items, neutral=ir.FALSE, decisive=ir.TRUE)


@simplify.register
def _(expr: ir.Not) -> ir.Expr:
    item = simplify(expr.item)
    return item.item if isinstance(item, ir.Not) else _worked_out(ir.Not(item), [item], kleene.negation)


@simplify.register
def _(expr: ir.Compare) -> ir.Expr:
    left, right = simplify(expr.left), simplify(expr.right)
    return _worked_out(
        ir.Compare(expr.op, left, right), [left, right], lambda a, b: kleene.compare(a, expr.op, b)
    )


@simplify.register
def _(expr: ir.IsNull) -> ir.Expr:
    item = simplify(expr.item)
    return ir.Constant(item.value is None) if isinstance(item, ir.Constant) else ir.IsNull(item)


@simplify.register
def _(expr: ir.In) -> ir.Expr:
    item = simplify(expr.item)
    return _worked_out(ir.In(item, expr.values), [item], lambda value: kleene.is_in(value, expr.values))


@simplify.register
def _(expr: ir.Position) -> ir.Expr:
    text, part = simplify(expr.text), simplify(expr.part)
    return _worked_out(ir.Position(text, part), [text, part], kleene.position)


@simplify.register
def _(expr: ir.Concat) -> ir.Expr:
    items = tuple(map(simplify, expr.items))
    return _worked_out(ir.Concat(items), items, kleene.concat)


@simplify.register
def _(expr: ir.Length) -> ir.Expr:
    item = simplify(expr.item)
    return _worked_out(ir.Length(item), [item], kleene.length)


@simplify.register
def _(expr: ir.Coalesce) -> ir.Expr:
    items: list[ir.Expr] = []
    for item in _flattened(ir.Coalesce, expr.items):
        if item != ir.UNKNOWN:
            items.append(item)
        if isinstance(item, ir.Constant) and item != ir.UNKNOWN:
            break  # nothing after a known constant is ever reached
    return _one_or(ir.Coalesce, items, ir.UNKNOWN)


@simplify.register
def _(expr: ir.Case) -> ir.Expr:
    branches: list[tuple[ir.Expr, ir.Expr]] = []
    otherwise = expr.otherwise
    for guard, value in expr.branches:
        guard = simplify(guard)
        if not isinstance(guard, ir.Constant):
            branches.append((guard, simplify(value)))
        elif guard.value:
            otherwise = value
            break
    otherwise = simplify(otherwise)
    return ir.Case(tuple(branches), otherwise) if branches else otherwise


@simplify.register
def _(expr: ir.Arithmetic) -> ir.Expr:
    left, right = simplify(expr.left), simplify(expr.right)
    return _worked_out(
        ir.Arithmetic(expr.op, left, right), [left, right], lambda a, b: kleene.calculate(a, (expr.op, b))
    )


@simplify.register
def _(expr: ir.Least) -> ir.Expr:
    items = tuple(map(simplify, expr.items))
    return _worked_out(ir.Least(items), items, kleene.least)


@simplify.register
def _(expr: ir.Greatest) -> ir.Expr:
    items = tuple(map(simplify, expr.items))
    return _worked_out(ir.Greatest(items), items, kleene.greatest)


def _worked_out(expr: ir.Expr, parts: Sequence[ir.Expr], operation: Callable[..., Any]) -> ir.Expr:
    """An operation on an unknown is unknown, one on constants is a constant; else the expression as it is."""
    values = [part.value for part in parts if isinstance(part, ir.Constant)]
    if None in values:
        return ir.UNKNOWN
    return ir.Constant(operation(*values)) if len(values) == len(parts) else expr


def _joined(
    kind: type[ir.And | ir.Or], items: Sequence[ir.Expr], *, neutral: ir.Expr, decisive: ir.Expr
) -> ir.Expr:
    """Kleene's and (or): repeated and neutral items say nothing, a decisive one says it all."""
    kept = [item for item in dict.fromkeys(_flattened(kind, items)) if item != neutral]
    return decisive if decisive in kept else _one_or(kind, kept, neutral)


def _flattened(kind: type[ir.And | ir.Or | ir.Coalesce], items: Sequence[ir.Expr]) -> list[ir.Expr]:
    """The items made smaller, with those of the same kind taken apart."""
    simple = map(simplify, items)
    return [part for item in simple for part in (item.items if isinstance(item, kind) else (item,))]


def _one_or(kind: type[ir.And | ir.Or | ir.Coalesce], items: Sequence[ir.Expr], empty: ir.Expr) -> ir.Expr:
    match items:
        case []:
            return empty
        case [only]:
            return only
        case _:
            return kind(tuple(items))
