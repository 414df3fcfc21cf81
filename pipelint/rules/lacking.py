"""Whether a condition lacks an input that was not supplied, rather than a value that is blank (rules.md §4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelint.rules.compile_condition import Inputs
from pipelint.rules.conditions import Condition, fields_in
from pipelint.rules.fields import Field
from pipelint.rules.ir import FALSE, TRUE, Column, Compare, Constant, Expr, Or


def lacking(conditions: Iterable[Condition], inputs: Inputs) -> Expr:
    """True where an input of these conditions was not supplied, for the connection or for this record."""
    fields = {field.name: field for condition in conditions for field in fields_in(condition)}
    if any(name in inputs.unsynced for name in fields):
        return TRUE
    markers = dict.fromkeys(_markers(fields.values(), inputs))
    return Or(tuple(Compare("=", Column(marker), Constant(1)) for marker in markers)) if markers else FALSE


def _markers(fields: Iterable[Field], inputs: Inputs) -> Iterator[str]:
    for field in fields:
        if field.marker:
            yield field.marker
        if field.name in inputs.partial:
            yield field.column("partial").name
