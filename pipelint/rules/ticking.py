"""What the clock alone can decide otherwise before the local day ends: comparisons with an instant that moves.

Whole days move at midnight only. `older_than: 4 hours` and `within_last` of a date with time move with every
minute, and so may the verdict of a record that holds an instant which the bound has yet to pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelint.rules.ir import And, Column, Compare, Constant, Expr, Or

ALWAYS = And(())
NEVER = Or(())


@dataclass(frozen=True, slots=True)
class _Window:
    """The instants of a column that a moving bound passes before the day ends."""

    column: Column
    first: int
    last: int

    @property
    def holds(self) -> Expr:
        return And(
            (
                Compare(">=", self.column, Constant(self.first)),
                Compare("<=", self.column, Constant(self.last)),
            )
        )


class _Elsewhere(Exception):
    """The two differ in more than the bounds of comparisons."""


def ticking(pairs: Iterable[tuple[Expr, Expr]]) -> Expr:
    """Where one of the expressions may come to another value today.

    A pair is one expression compiled for now and for the end of the local day: what differs between the two is
    what moves.
    """
    found: dict[_Window, None] = {}
    try:
        for now, later in pairs:
            found |= dict.fromkeys(_windows(now, later))
    except _Elsewhere:
        return ALWAYS
    return Or(tuple(window.holds for window in found))


def _windows(now: object, later: object) -> Iterator[_Window]:
    if now == later:
        return
    if type(now) is not type(later) or isinstance(now, Constant):
        raise _Elsewhere
    match now, later:
        case (
            Compare(left=Column() as column, right=Constant(value=int(first))),
            Compare(right=Constant(value=int(last))),
        ) if (now.op, now.left) == (later.op, later.left):
            yield _Window(column, min(first, last), max(first, last))
        case tuple(), tuple():
            if len(now) != len(later):
                raise _Elsewhere
            for one, other in zip(now, later, strict=True):
                yield from _windows(one, other)
        case _:
            parts = getattr(now, "__slots__", None)
            if not parts:
                raise _Elsewhere
            for name in parts:
                yield from _windows(getattr(now, name), getattr(later, name))
