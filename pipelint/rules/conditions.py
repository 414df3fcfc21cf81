"""The checked form of a condition: a tree of tests on typed fields, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from pipelint.errors import Place
from pipelint.rules.calendar import Length
from pipelint.rules.fields import Field
from pipelint.rules.operators import Operator


@dataclass(frozen=True, slots=True)
class Word:
    """Cleaned text; `place` is its rank where the field is an ordered choice."""

    text: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    """A number × 10 000, and as it was written."""

    scaled: int
    text: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Yes or no."""

    value: bool


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number, of characters or of members."""

    value: int


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, or today (day None) moved by a length."""

    day: date | None
    shift: Length | None = None
    direction: Literal[-1, 1] = 1


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time."""

    length: Length


@dataclass(frozen=True, slots=True)
class Period:
    """`this quarter`, `last week` …"""

    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """The value of another field of the record: times first, then plus."""

    field: Field
    times: int | None = None
    plus: int | Length | None = None
    direction: Literal[-1, 1] = 1
    period: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """The last days of a period."""

    unit: str
    days: int


Operand: TypeAlias = Word | Number | Truth | Count | Day | Span | Period | Other | End


@dataclass(frozen=True, slots=True)
class FromSetting:
    """The setting that an operand stands for, and where its value is written."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Test:
    """One field against one operator; `blank` and `present` take no operands."""

    field: Field
    operator: Operator | Literal["blank", "present"]
    operands: tuple[Operand, ...]
    place: Place
    if_blank: bool | None = None
    settings: tuple[FromSetting, ...] = ()

    @property
    def name(self) -> str:
        return self.operator if isinstance(self.operator, str) else self.operator.name


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold."""

    items: tuple[Condition, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part is enough."""

    items: tuple[Condition, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Negated:
    """The part must not hold."""

    item: Condition
    place: Place


Condition: TypeAlias = Test | All | AnyOf | Negated


def tests_in(condition: Condition) -> Iterator[Test]:
    """Every test of the tree, in the order of the file."""
    if isinstance(condition, Test):
        yield condition
    elif isinstance(condition, Negated):
        yield from tests_in(condition.item)
    else:
        for item in condition.items:
            yield from tests_in(item)


def fields_in(condition: Condition) -> Iterator[Field]:
    """Every field that the tree reads, operands included."""
    for test in tests_in(condition):
        yield test.field
        yield from (operand.field for operand in test.operands if isinstance(operand, Other))
