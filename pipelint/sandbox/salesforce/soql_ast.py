"""What a SOQL statement means once it is read; `at` is the place in the text where a thing stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

LiteralKind: TypeAlias = OneOf["null", "boolean", "number", "string", "date", "datetime", "range"]


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or a field of a parent: `("Account", "Name")`."""

    names: tuple[str, ...]
    at: int

    @property
    def text(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Fields:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    group: str
    at: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT()`, `MAX(Amount)` and the like; without an alias the answer calls it `expr0`, `expr1`, …"""

    function: str
    path: Path | None
    alias: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; a `range` is a date literal such as `LAST_N_DAYS:30`."""

    kind: LiteralKind
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`; IN, INCLUDES and their opposites take several values or a query."""

    path: Path
    operator: str
    values: tuple[Literal, ...]
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Logic:
    """Conditions joined by AND, or by OR."""

    operator: str
    conditions: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Not | Logic


@dataclass(frozen=True, slots=True)
class Order:
    """One term of ORDER BY; nulls come first unless the statement says otherwise."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole statement, or one inside another."""

    select: tuple[Path | Fields | Aggregate | Query, ...]
    sobject: str
    at: int
    alias: str = ""
    where: Condition | None = None
    group_by: tuple[Path, ...] = ()
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False

    @property
    def count_only(self) -> bool:
        """Whether this is `SELECT COUNT() FROM …`, answered by `totalSize` alone."""
        return any(isinstance(it, Aggregate) and it.path is None for it in self.select)

    @property
    def aggregates(self) -> bool:
        return bool(self.group_by) or any(isinstance(it, Aggregate) for it in self.select)
