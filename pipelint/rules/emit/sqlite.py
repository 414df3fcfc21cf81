"""The SQLite dialect: rules as SQL that SQLite 3.40 and later answer exactly as the reference does.

Text must hold no NUL character, which ends a text for SQLite's `length`, and columns must have its default
collation, which orders texts by code points. The shapes below keep inside SQLite's default limits: 1 000
levels of expression, 127 arguments of a function, 100 places on the parser's stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import singledispatch

from pipelint.rules import ir
from pipelint.rules.emit import ROW_ID, spine
from pipelint.rules.kleene import COLUMN_LIMIT

_WIDEST = 100  # as many items stand side by side; more are grouped
_END = f"char({ord(ir.SEPARATOR)})"
_SHIFT = 5 * 10**18  # gives every number within COLUMN_LIMIT 19 digits


@singledispatch
def expression(expr: ir.Expr) -> str:
    """The expression as SQL over the columns of the row at hand; truth is 1, 0 and NULL."""
    raise TypeError(f"no expression: {expr!r}")


def aggregate(agg: ir.Aggregate) -> str:
    """The aggregate as SQL, for use in `SELECT record, … FROM related_rows GROUP BY record`.

    Rows whose value is unknown are passed over. For `last` and `first` the related rows have a column of text
    called `ROW_ID`. A record without related rows has no group: give it 0 for `count`, `count_distinct` and
    `sum`, NULL for the others.
    """
    value = f"CASE WHEN {expression(agg.where)} THEN {expression(agg.value)} END"
    match agg.function:
        case "count_distinct":
            return f"count(DISTINCT {value})"
        case "sum":
            return _sum(value)
        case "last":
            return _outermost("max", agg, known="1", unknown="0")
        case "first":
            return _outermost("min", agg, known="0", unknown="1")
        case _:
            return f"{agg.function}({value})"


def _sum(value: str) -> str:
    """The sum, unknown beyond `COLUMN_LIMIT`.

    SQLite's own `sum` raises an error on overflow, which would end the run; so the upper and the lower 32
    bits are added up apart.
    """
    low = f"coalesce(sum(({value}) & 4294967295), 0)"
    high = f"(coalesce(sum(({value}) >> 32), 0) + ({low} >> 32))"
    limit = COLUMN_LIMIT >> 32
    whole = f"{high} * 4294967296 + ({low} & 4294967295)"
    return f"CASE WHEN {high} BETWEEN {-limit} AND {limit - 1} THEN {whole} END"


def _outermost(function: str, agg: ir.Aggregate, *, known: str, unknown: str) -> str:
    """The value on the row that comes last (or first) by order, then id.

    SQLite 3.40 has no ORDER BY inside an aggregate, so the value rides at the end of a text whose beginning
    sorts as the rows do: whether the order is known, the order shifted so that it has 19 digits, the id, and,
    after a separator that no id holds, `i` for a whole number or `t` for a text.
    """
    order, value = expression(agg.order), expression(agg.value)
    place = f"coalesce('{known}' || ({order} + {_SHIFT}), '{unknown}')"
    kind = f"CASE typeof({value}) WHEN 'integer' THEN 'i' ELSE 't' END"
    key = f"{place} || {_name(ROW_ID)} || {_END} || {kind} || {value}"
    best = f"{function}(CASE WHEN {expression(agg.where)} THEN {key} END)"
    start = f"instr({best}, {_END})"
    text = f"substr({best}, {start} + 2)"
    return f"CASE substr({best}, {start} + 1, 1) WHEN 'i' THEN CAST({text} AS INTEGER) ELSE {text} END"


@expression.register
def _(expr: ir.Column) -> str:
    return _name(expr.name)


@expression.register
def _(expr: ir.Constant) -> str:
    return _literal(expr.value)


@expression.register
def _(expr: ir.And) -> str:
    return _grouped(expr.items, lambda parts: f"({' AND '.join(parts)})", empty="1")


@expression.register
def _(expr: ir.Or) -> str:
    return _grouped(expr.items, lambda parts: f"({' OR '.join(parts)})", empty="0")


@expression.register
def _(expr: ir.Not) -> str:
    return f"(NOT {expression(expr.item)})"


@expression.register
def _(expr: ir.Compare) -> str:
    return f"({expression(expr.left)} {expr.op} {expression(expr.right)})"


@expression.register
def _(expr: ir.IsNull) -> str:
    return f"({expression(expr.item)} IS NULL)"


@expression.register
def _(expr: ir.In) -> str:
    item = expression(expr.item)
    if not expr.values:  # SQLite says false here even of an unknown
        return f"({item} <> {item})"
    return f"({item} IN ({', '.join(map(_literal, expr.values))}))"


@expression.register
def _(expr: ir.Position) -> str:
    return f"instr({expression(expr.text)}, {expression(expr.part)})"


@expression.register
def _(expr: ir.Concat) -> str:
    return _grouped(expr.items, lambda parts: f"({' || '.join(parts)})", empty="''")


@expression.register
def _(expr: ir.Length) -> str:
    return f"length({expression(expr.item)})"


@expression.register
def _(expr: ir.Coalesce) -> str:
    return _grouped(expr.items, lambda parts: f"coalesce({', '.join(parts)})", empty="NULL")


@expression.register
def _(expr: ir.Case) -> str:
    if not expr.branches:
        return expression(expr.otherwise)
    branches = " ".join(
        f"WHEN {expression(guard)} THEN {expression(value)}" for guard, value in expr.branches
    )
    return f"CASE {branches} ELSE {expression(expr.otherwise)} END"


@expression.register
def _(expr: ir.Least) -> str:
    return _grouped(expr.items, lambda parts: f"min({', '.join(parts)})", empty="NULL")


@expression.register
def _(expr: ir.Greatest) -> str:
    return _grouped(expr.items, lambda parts: f"max({', '.join(parts)})", empty="NULL")


@expression.register
def _(expr: ir.Arithmetic) -> str:
    if expr.op == "//":
        return _division(expression(expr.left), expression(expr.right))
    first, steps = spine(expr)
    result = " ".join([expression(first), *(f"{op} {expression(part)}" for op, part in steps)])
    if _bound(expr) < 2**63:
        return f"({result})"
    # Beyond 64 bits SQLite goes on with a rounded number; the sub-query lets us look at the result without
    # computing it twice.
    return f"(SELECT CASE typeof(x) WHEN 'integer' THEN x END FROM (SELECT {result} AS x))"


def _division(left: str, right: str) -> str:
    """Half up, away from zero: SQLite divides towards zero and knows no way to round whole numbers.

    The only quotient beyond 64 bits is that of the smallest number by -1, which SQLite gives rounded.
    """
    away = "CASE WHEN abs(n % d) < abs(d - d / 2) THEN 0 WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END"
    quotient = f"CASE typeof(n / d) WHEN 'integer' THEN n / d + {away} END"
    return f"(SELECT {quotient} FROM (SELECT {left} AS n, {right} AS d))"


def _bound(expr: ir.Expr) -> int:
    """How large, either way, a whole number can be at most."""
    match expr:
        case ir.Constant(int(value)):
            return abs(value)
        case ir.Column():
            return COLUMN_LIMIT
        case ir.Arithmetic(op="*"):
            return _bound(expr.left) * _bound(expr.right)
        case ir.Arithmetic(op="//"):
            return _bound(expr.left)
        case ir.Arithmetic():
            first, steps = spine(expr)
            return _bound(first) + sum(_bound(part) for _, part in steps)
        case ir.Case(branches, otherwise):
            return max([_bound(otherwise), *(_bound(value) for _, value in branches)])
        case ir.Coalesce(items) | ir.Least(items) | ir.Greatest(items):
            return max(map(_bound, items), default=0)
        case _:  # a length, a position, a truth
            return 2**31


def _grouped(items: Iterable[ir.Expr], join: Callable[[list[str]], str], *, empty: str) -> str:
    """Join any number of items by an operation that may be done group by group."""
    parts = list(map(expression, items))
    while len(parts) > 1:
        groups = [parts[start : start + _WIDEST] for start in range(0, len(parts), _WIDEST)]
        parts = [join(group) if len(group) > 1 else group[0] for group in groups]
    return parts[0] if parts else empty


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: int | str | bool | None) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return str(int(value))
