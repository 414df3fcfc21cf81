"""The typed intermediate form of rules and facts: a closed vocabulary that every dialect must do exactly.

Values are whole numbers, text, and truth; every operation follows SQL's rule for unknown (None): on an
unknown it is unknown, and `And` / `Or` / `Not` follow Kleene's tables (rules.md §4.4 and §5). Numbers and money
are integers × 10 000, dates are day numbers since 1970, instants are microseconds since 1970 UTC, and text has
been cleaned and folded before it gets here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

SCALE = 10_000  # how numbers and money are held: four decimal places
SEPARATOR = "\x1f"  # stands around the members of a set and at the end of a text; never part of prepared text


@dataclass(frozen=True, slots=True)
class Column:
    """A prepared column of the record (or of the related row, inside an aggregate)."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant; None is unknown."""

    value: int | str | bool | None


@dataclass(frozen=True, slots=True)
class And:
    """False if one is false, else unknown if one is unknown, else true."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if one is true, else unknown if one is unknown, else false."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    item: Expr


@dataclass(frozen=True, slots=True)
class Compare:
    """Numbers by size, texts by their code points."""

    op: Literal["=", "<>", "<", "<=", ">", ">="]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class IsNull:
    """Always answers, also for an unknown."""

    item: Expr


@dataclass(frozen=True, slots=True)
class In:
    """Whether the item equals at least one of the constants (no unknown among them)."""

    item: Expr
    values: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where `part` first begins inside `text`, counted from 1; 0 where it is not there."""

    text: Expr
    part: Expr


@dataclass(frozen=True, slots=True)
class Concat:
    """Texts one after another."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """In Unicode code points."""

    item: Expr


@dataclass(frozen=True, slots=True)
class Coalesce:
    """The first that is not unknown."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose guard is true (an unknown guard is passed over)."""

    branches: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`//` divides half up, away from zero; a division by 0 is unknown."""

    op: Literal["+", "-", "*", "//"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest; unknown where one is unknown."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Greatest:
    """The largest; unknown where one is unknown."""

    items: tuple[Expr, ...]


Expr: TypeAlias = (
    Column
    | Constant
    | And
    | Or
    | Not
    | Compare
    | IsNull
    | In
    | Position
    | Concat
    | Length
    | Coalesce
    | Case
    | Arithmetic
    | Least
    | Greatest
)

UNKNOWN = Constant(None)
TRUE = Constant(True)
FALSE = Constant(False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number (or text) out of the related rows for which `where` is true.

    `count` of no rows and `sum` of no rows are 0, everything else of no rows is unknown. `last` and `first`
    give the value on the newest or oldest row by `order`, then id; they, `min` and `max` skip rows whose
    value is unknown.
    """

    function: Literal["count", "count_distinct", "sum", "min", "max", "last", "first"]
    where: Expr = TRUE
    value: Expr = TRUE
    order: Expr = UNKNOWN


def columns_in(expr: Expr) -> frozenset[str]:
    """The names of all columns that an expression reads."""
    found: set[str] = set()
    pending: list[object] = [expr]
    while pending:
        item = pending.pop()
        if isinstance(item, Column):
            found.add(item.name)
        elif isinstance(item, tuple):
            pending.extend(item)
        elif not isinstance(item, Constant | str | int | None):
            pending.extend(getattr(item, name) for name in item.__slots__)  # type: ignore[attr-defined]  # what is left has slots
    return frozenset(found)
