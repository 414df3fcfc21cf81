"""What a condition can name: typed fields, and how a prepared record holds each of them in columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pipelint.rules.ir import Column


@cache
def _column(name: str, aspect: str) -> Column:
    return Column(f"{name}__{aspect}" if aspect else name)


class FieldType(StrEnum):
    """Decides which operators a field has (rules.md §4.3)."""

    TEXT = "text"
    CHOICE = "choice"
    ORDERED = "ordered choice"
    NUMBER = "number"
    MONEY = "money"
    DAYS = "days"
    DATE = "date"
    DATETIME = "date and time"
    YES_NO = "yes / no"
    CHOICES = "choices"


NUMERIC = frozenset({FieldType.NUMBER, FieldType.MONEY, FieldType.DAYS})
TEXTUAL = frozenset({FieldType.TEXT, FieldType.CHOICE})
TEMPORAL = frozenset({FieldType.DATE, FieldType.DATETIME})


class Origin(StrEnum):
    """Where the value of a field comes from when a record is prepared."""

    RECORD = "record"  # a column of the record's own table
    ACCOUNT = "account"  # a column of the record's account
    OWNER = "owner"  # a column of the record's owner
    CUSTOM = "custom"  # a field of the CRM that the pack maps
    STAGE = "stage"  # the pack's map from native stages to ours
    FACT = "fact"  # worked out from related rows or from other fields
    SCORE = "score"
    ENTITY = "entity"  # a column of a related row, inside `where`
    MARKER = "marker"  # 1 where what `about` says is true of the field `source`


@dataclass(frozen=True, slots=True)
class Field:
    """A name that conditions may use. `source` is the column, fact or score it is read from."""

    name: str
    type: FieldType
    about: str
    origin: Origin = Origin.RECORD
    source: str = ""
    values: tuple[str, ...] = ()
    """The only words it can hold, in order for an ordered choice; empty where anything goes."""
    marker: str = ""
    """The prepared column that is 1 where this one record lacks the input (rules.md §4.4, two causes)."""
    prefix: str = ""
    """What its columns are called by, where that is not its name."""
    counts_from: str = ""
    """The date whose distance to today this is: written texts show that date, since a count of days ages."""

    def column(self, aspect: str = "") -> Column:
        """The prepared column that holds one aspect of the value; the plain one where none is named.

        Text and choices: the cleaned text, `fold` (for comparison). Ordered choices: `place` (from 1).
        Numbers, money, days: scaled. Dates: `day`. Dates with time: `at` (microseconds) and `day`. Several
        choices: `set` (delimited, folded) and `size`.
        """
        return _column(self.prefix or self.name, aspect)

    @property
    def main(self) -> Column:
        """The column whose NULL means blank."""
        return self.column(ASPECTS[self.type][0])


ASPECTS: dict[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: ("", "fold"),
    FieldType.CHOICE: ("", "fold"),
    FieldType.ORDERED: ("place",),
    FieldType.NUMBER: ("",),
    FieldType.MONEY: ("",),
    FieldType.DAYS: ("",),
    FieldType.DATE: ("day",),
    FieldType.DATETIME: ("at", "day"),
    FieldType.YES_NO: ("",),
    FieldType.CHOICES: ("set", "size"),
}


def comparable(one: Field, other: Field) -> bool:
    """Whether two fields may stand on the two sides of one operator."""
    groups = (NUMERIC, TEXTUAL, TEMPORAL)
    if one.type is FieldType.ORDERED:
        return other.type is FieldType.ORDERED and one.values == other.values
    return one.type is other.type or any(one.type in group and other.type in group for group in groups)


def article(type_: FieldType) -> str:
    """A type in a sentence: 'text', 'a date', 'an ordered choice'."""
    if type_ in {FieldType.TEXT, FieldType.MONEY, FieldType.YES_NO}:
        return {FieldType.YES_NO: "a yes / no field"}.get(type_, type_.value)
    if type_ is FieldType.DAYS:
        return "a number of days"
    if type_ is FieldType.CHOICES:
        return "a multi-select"
    return f"{'an' if type_.value[0] in 'aeiou' else 'a'} {type_.value}"
