"""The reference dialect: rules as generated Python, made to be read, and quick enough for single records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import singledispatch
from textwrap import indent
from typing import Any, NamedTuple, TypeAlias, cast

from pipelint.rules import ir, kleene
from pipelint.rules.emit import ROW_ID, spine
from pipelint.rules.kleene import COLUMN_LIMIT, Value

Row: TypeAlias = Mapping[str, Any]

_WIDTH = 90  # of a line of generated source, before its indentation
_NAMES = {name: value for name, value in vars(kleene).items() if not name.startswith("_")}


def source(expr: ir.Expr, name: str = "verdict") -> str:
    """The text of a Python function from a row of prepared columns to the value of the expression."""
    return f"def {name}(row):\n{indent('return ' + _python(expr), '    ')}\n"


def function(expr: ir.Expr, name: str = "verdict") -> Callable[[Row], Value]:
    """The expression as a function of a row; compile once, call for every record."""
    names = dict(_NAMES)
    exec(compile(source(expr, name), f"<{name}>", "exec"), names)  # noqa: S102 - our own text, constants by repr
    return cast("Callable[[Row], Value]", names[name])


def aggregator(agg: ir.Aggregate) -> Callable[[Iterable[Row]], Value]:
    """The aggregate as a function of the related rows of one record; compile once, call for every record.

    Rows whose value is unknown are passed over. `last` and `first` look at rows whose order is unknown only
    where there is no other, and tell rows of the same order apart by `ROW_ID`.
    """
    where, value, order = function(agg.where), function(agg.value), function(agg.order)
    combine = _COMBINE[agg.function]

    def result(rows: Iterable[Row]) -> Value:
        found = (_Found(order(row), row.get(ROW_ID), value(row)) for row in rows if where(row))
        return combine([row for row in found if row.value is not None])

    return result


def aggregate(agg: ir.Aggregate, rows: Iterable[Row]) -> Value:
    """The aggregate of the related rows of one record."""
    return aggregator(agg)(rows)


@singledispatch
def _python(expr: ir.Expr) -> str:
    raise TypeError(f"no expression: {expr!r}")


@_python.register
def _(expr: ir.Column) -> str:
    return f"row[{expr.name!r}]"


@_python.register
def _(expr: ir.Constant) -> str:
    return repr(expr.value)


@_python.register
def _(expr: ir.And) -> str:
    return _call("all_of", *map(_python, expr.items))


@_python.register
def _(expr: ir.Or) -> str:
    return _call("any_of", *map(_python, expr.items))


@_python.register
def _(expr: ir.Not) -> str:
    return _call("negation", _python(expr.item))


@_python.register
def _(expr: ir.Compare) -> str:
    return _call("compare", _python(expr.left), repr(expr.op), _python(expr.right))


@_python.register
def _(expr: ir.IsNull) -> str:
    return _call("is_null", _python(expr.item))


@_python.register
def _(expr: ir.In) -> str:
    return _call("is_in", _python(expr.item), repr(expr.values))


@_python.register
def _(expr: ir.Position) -> str:
    return _call("position", _python(expr.text), _python(expr.part))


@_python.register
def _(expr: ir.Concat) -> str:
    return _call("concat", *map(_python, expr.items))


@_python.register
def _(expr: ir.Length) -> str:
    return _call("length", _python(expr.item))


@_python.register
def _(expr: ir.Coalesce) -> str:
    return _call("coalesce", *map(_python, expr.items))


@_python.register
def _(expr: ir.Case) -> str:
    lines = [f"{_python(value)} if {_python(guard)} else" for guard, value in expr.branches]
    return "(" + _layout([*lines, _python(expr.otherwise)], " ") + ")"


@_python.register
def _(expr: ir.Arithmetic) -> str:
    first, steps = spine(expr)
    return _call("calculate", _python(first), *(f"({op!r}, {_python(part)})" for op, part in steps))


@_python.register
def _(expr: ir.Least) -> str:
    return _call("least", *map(_python, expr.items))


@_python.register
def _(expr: ir.Greatest) -> str:
    return _call("greatest", *map(_python, expr.items))


def _call(name: str, *arguments: str) -> str:
    return f"{name}({_layout(arguments, ', ')})"


def _layout(parts: Iterable[str], joint: str) -> str:
    """On one line where that is short enough, else one part a line."""
    parts = list(parts)
    line = joint.join(parts)
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    return "\n" + indent(f"{joint.rstrip()}\n".join(parts), "    ") + "\n"


class _Found(NamedTuple):
    """A related row that counts."""

    order: Any
    id: Any
    value: Any


def _sum(found: list[_Found]) -> int | None:
    total = sum(row.value for row in found)
    return total if -COLUMN_LIMIT <= total < COLUMN_LIMIT else None


def _last(found: list[_Found]) -> Value:
    return cast("Value", max(_in_time(found), default=_NONE).value)


def _first(found: list[_Found]) -> Value:
    return cast("Value", min(_in_time(found), default=_NONE).value)


def _in_time(found: list[_Found]) -> list[_Found]:
    """The rows whose order is known; all of them, as if of the same time, where there is none."""
    return [row for row in found if row.order is not None] or [row._replace(order=0) for row in found]


_NONE = _Found(None, None, None)
_COMBINE: dict[str, Callable[[list[_Found]], Value]] = {
    "count": len,
    "count_distinct": lambda found: len({row.value for row in found}),
    "sum": _sum,
    "min": lambda found: min((row.value for row in found), default=None),
    "max": lambda found: max((row.value for row in found), default=None),
    "last": _last,
    "first": _first,
}
