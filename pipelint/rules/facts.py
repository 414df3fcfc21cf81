"""Facts: numbers, dates and words worked out from related rows or from other fields (rules.md §4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipelint.errors import Place
from pipelint.rules.catalogue import Entity, RecordKind
from pipelint.rules.conditions import Condition, fields_in
from pipelint.rules.fields import Field, FieldType

Function: TypeAlias = Literal[
    "count", "count_distinct", "sum", "latest", "earliest", "greatest", "last", "first", "sum_days", "fading"
]


@dataclass(frozen=True, slots=True)
class OverRows:
    """An aggregate over the related rows for which `where` is definitely true.

    `greatest` is for built-in facts only: the largest number, 0 where there is none. `fading` is for scores
    only: the days that each row has left until it is `span` days old, added up.
    """

    entity: Entity
    function: Function
    value: Field | None = None
    start: Field | None = None
    end: Field | None = None
    where: Condition | None = None
    span: int = 0


@dataclass(frozen=True, slots=True)
class Filled:
    """How many of the record's own fields are present."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One value minus another, of two dates in days; None stands for today."""

    left: Field | None
    right: Field | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """One number divided by another, to four decimals, half up; blank when the other is 0."""

    left: Field
    right: Field


@dataclass(frozen=True, slots=True)
class OpenCriteria:
    """How many members of this stage's `to_leave` do not hold, by stage: where it applies, and its members."""

    stages: tuple[tuple[Condition, tuple[Condition, ...]], ...]


Form: TypeAlias = OverRows | Filled | Difference | Ratio | OpenCriteria


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of one kind of record; `field` is how conditions see it."""

    name: str
    kind: RecordKind
    field: Field
    form: Form
    place: Place


def reads_money(form: Form) -> bool:
    """Whether a fact needs the rate of the record's currency."""
    match form:
        case OverRows():
            read = [each for each in (form.value, form.start, form.end) if each is not None]
            read += list(fields_in(form.where)) if form.where else []
        case Difference() | Ratio():
            read = [each for each in (form.left, form.right) if each is not None]
        case _:
            return False
    return any(each.type is FieldType.MONEY for each in read)
