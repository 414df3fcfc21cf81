"""Scores: points under categories, with the conditions and related rows that give them (rules.md §4.10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipelint.errors import Place
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.conditions import Condition
from pipelint.rules.facts import Fact
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.messages import Texts

ScoreStatus: TypeAlias = Literal["on", "report", "off"]
SCORE_STATUSES: tuple[ScoreStatus, ...] = ("on", "report", "off")
PREFIX = "score."


@dataclass(frozen=True, slots=True)
class Category:
    """The sum of its items is held between `minimum` and `maximum`, both × 10 000 like all points."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Band:
    """The points of whatever meets the condition."""

    condition: Condition
    points: int


@dataclass(frozen=True, slots=True)
class Bands:
    """The first band that holds gives its points; an item that is all or nothing is a single band."""

    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class PerRow:
    """Points for each related row that `fact` counts.

    With `span` a row gives less with every day and nothing from that many days on; `most` is where the sum
    stops, with the sign of the points.
    """

    fact: Fact
    points: int
    most: int | None = None
    span: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a score."""

    name: str
    category: str
    form: Bands | PerRow
    because: Texts | None
    place: Place


@dataclass(frozen=True, slots=True)
class Cap:
    """What the total cannot exceed where the condition definitely holds."""

    condition: Condition
    at: int
    because: Texts | None


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade from a total on; the last one takes whatever lies below it, too."""

    name: str
    at_least: int


@dataclass(frozen=True, slots=True)
class Score:
    """A score; `caps` are ordered from the lowest, `grades` from the best."""

    name: str
    kind: RecordKind
    status: ScoreStatus
    scope: Condition | None
    categories: tuple[Category, ...]
    items: tuple[Item, ...]
    caps: tuple[Cap, ...]
    grades: tuple[Grade, ...]
    place: Place
    origin: str

    @property
    def field(self) -> Field:
        """The total, as rules read it."""
        name = f"{PREFIX}{self.name}"
        about = f"the total of the score {self.name}"
        return Field(name, FieldType.NUMBER, about, Origin.SCORE, self.name, marker=f"{name}__missing")

    def facts(self) -> Iterator[Fact]:
        """What its items count; no condition can name these."""
        for item in self.items:
            if isinstance(item.form, PerRow):
                yield item.form.fact

    def column(self, part: Literal["scope", "item", "category", "cap"], name: str = "") -> str:
        """The prepared column of a part: NULL for an item that is not known, the number of a cap from 0."""
        return f"{PREFIX}{self.name}/{part}" + (f"/{name}" if name else "")

    def grade(self, total: int) -> str | None:
        """The grade of a total × 10 000; None where there are no grades."""
        if not self.grades:
            return None
        return next((grade.name for grade in self.grades if total >= grade.at_least), self.grades[-1].name)


def rows_name(score: str, item: str) -> str:
    """What the fact is called that counts the related rows of an item."""
    return f"{PREFIX}{score}/rows/{item}"


def own_keys(scores: Mapping[str, Score]) -> tuple[str, ...]:
    """The keys of `crm_fields:` under which a pack may rename what is written of its scores."""
    return tuple(key for name in scores for key in (name, grade_key(name)))


def grade_key(score: str) -> str:
    """The key of the field that holds a score's grade."""
    return f"{score}-grade"
