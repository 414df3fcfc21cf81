"""What each operation of the intermediate form does to values, None being unknown (rules.md §4.4 and §5).

Every dialect must give these answers. Whole numbers have 64 bits: a result beyond them is unknown, like a
number that cannot be read. Columns stay within `COLUMN_LIMIT`, so that a sum of a few of them needs no check.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

Value: TypeAlias = int | str | bool | None
_Sortable = TypeVar("_Sortable", int, str)

COLUMN_LIMIT = 2**61  # a whole number in a column is at least -COLUMN_LIMIT and less than COLUMN_LIMIT
_WORD = 2**63

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def all_of(*items: Value) -> bool | None:
    """Kleene's and: false if one is false, else unknown if one is unknown, else true."""
    if any(item is not None and not item for item in items):
        return False
    return None if None in items else True


def any_of(*items: Value) -> bool | None:
    """Kleene's or: true if one is true, else unknown if one is unknown, else false."""
    if any(items):
        return True
    return None if None in items else False


def negation(item: Value) -> bool | None:
    """The opposite; of an unknown, unknown."""
    return None if item is None else not item


def compare(left: Value, op: str, right: Value) -> bool | None:
    """Numbers by size, texts by their code points."""
    return None if left is None or right is None else _COMPARISONS[op](left, right)


def is_null(item: Value) -> bool:
    """Whether the item is unknown; always answers."""
    return item is None


def is_in(item: Value, values: tuple[int | str, ...]) -> bool | None:
    """Whether the item is one of the values."""
    return None if item is None else item in values


def position(text: str | None, part: str | None) -> int | None:
    """Where the part first begins in the text, from 1; 0 where it is not there."""
    return None if text is None or part is None else text.find(part) + 1


def concat(*items: str | None) -> str | None:
    """The texts one after the other."""
    known = _known(items)
    return None if known is None else "".join(known)


def length(item: str | None) -> int | None:
    """In Unicode code points."""
    return None if item is None else len(item)


def coalesce(*items: Value) -> Value:
    """The first known item."""
    return next((item for item in items if item is not None), None)


def least(*items: _Sortable | None) -> _Sortable | None:
    """The smallest; unknown where one is, or where there is none."""
    known = _known(items)
    return min(known) if known else None


def greatest(*items: _Sortable | None) -> _Sortable | None:
    """The largest; unknown where one is, or where there is none."""
    known = _known(items)
    return max(known) if known else None


def calculate(first: int | None, *steps: tuple[str, int | None]) -> int | None:
    """From left to right: `calculate(5, ("+", 3), ("-", 1))` is 7."""
    result = first
    for op, number in steps:
        if result is None or number is None:
            return None
        result = _ARITHMETIC[op](result, number)
        if result is not None and not -_WORD <= result < _WORD:
            return None
    return result


def _divide(left: int, right: int) -> int | None:
    """Half up, away from zero."""
    if right == 0:
        return None
    whole, rest = divmod(abs(left), abs(right))
    whole += 2 * rest >= abs(right)
    return whole if (left < 0) == (right < 0) else -whole


_ARITHMETIC: dict[str, Callable[[int, int], int | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": _divide,
}


def _known(items: tuple[_Sortable | None, ...]) -> list[_Sortable] | None:
    """The items, where none of them is unknown."""
    known = [item for item in items if item is not None]
    return known if len(known) == len(items) else None
