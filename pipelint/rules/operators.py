"""Every operator of a condition: the types it works on, what it takes and what it means (rules.md §4.3b).

The table is data shared by the reader, the compiler's tests, the JSON Schema and the documentation. In the
examples it is `EXAMPLE_NOW`, weekends off, quarters as in the calendar, all in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, FieldType


class Takes(StrEnum):
    """What stands behind an operator."""

    VALUE = "a value"
    VALUES = "a list of values"
    COUNT = "a whole number"
    RANGE = "[low, high]"
    DATE = "a date"
    LENGTH = "a length of time"
    PERIOD = "a period"
    FIELD_PERIOD = "{field: …, period: …}"
    END = "{quarter: 10 days}"


EXAMPLE_NOW: Final = "2026-11-20 10:00"  # a Friday
EXAMPLE_ORDER: Final = ("discovery", "proposal")
"""The words of the ordered choice in the examples."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value as the CRM holds it (several choices with `;`), and what stands behind the operator, as YAML.

    `other` is the value of the field named `other`, where the test compares with that.
    """

    value: str
    operand: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator for one group of types, with an example of a test that holds and one that does not."""

    name: str
    types: frozenset[FieldType]
    takes: Takes
    meaning: str
    true: Example
    false: Example

    @property
    def example_type(self) -> FieldType:
        """The type of the examples: the first that the operator works on, a date with its time for dates."""
        return FieldType.DATETIME if self.types == TEMPORAL else next(t for t in FieldType if t in self.types)


_ORDERED = frozenset({FieldType.ORDERED})
_CHOICES = frozenset({FieldType.CHOICES})
_YES_NO = frozenset({FieldType.YES_NO})


_Pair: TypeAlias = tuple[str, str]  # value, operand


def _op(
    name: str, types: frozenset[FieldType], takes: Takes, meaning: str, true: _Pair, false: _Pair
) -> Operator:
    return Operator(name, types, takes, meaning, Example(*true), Example(*false))


_QUARTER = "{field: other, period: quarter}"

OPERATORS: tuple[Operator, ...] = (
    _op("is", TEXTUAL, Takes.VALUE, "it is the same", (" Acme ", "acme"), ("Acmé", "acme")),
    _op("is", _ORDERED, Takes.VALUE, "it is the same", ("proposal", "proposal"), ("discovery", "proposal")),
    _op("is", NUMERIC, Takes.VALUE, "it is the same", ("10.0", "10"), ("10.0001", "10")),
    _op("is", _YES_NO, Takes.VALUE, "it is so", ("true", "yes"), ("false", "yes")),
    _op("is_not", TEXTUAL, Takes.VALUE, "it is another one", ("Acmé", "acme"), ("ACME", "acme")),
    _op("is_not", _ORDERED, Takes.VALUE, "it is another one",
        ("discovery", "proposal"), ("proposal", "proposal")),
    _op("is_not", NUMERIC, Takes.VALUE, "it is another one", ("10.0001", "10"), ("10.0", "10")),
    _op("one_of", TEXTUAL, Takes.VALUES, "it is at least one of them",
        ("red", "[red, blue]"), ("green", "[red, blue]")),
    _op("one_of", _ORDERED, Takes.VALUES, "it is at least one of them",
        ("proposal", "[proposal]"), ("discovery", "[proposal]")),
    _op("one_of", NUMERIC, Takes.VALUES, "it is at least one of them", ("5.0", "[5, 7]"), ("6", "[5, 7]")),
    _op("none_of", TEXTUAL, Takes.VALUES, "it is none of them",
        ("green", "[red, blue]"), ("red", "[red, blue]")),
    _op("none_of", _ORDERED, Takes.VALUES, "it is none of them",
        ("discovery", "[proposal]"), ("proposal", "[proposal]")),
    _op("none_of", NUMERIC, Takes.VALUES, "it is none of them", ("6", "[5, 7]"), ("5.0", "[5, 7]")),
    _op("exactly", TEXTUAL, Takes.VALUE, "it is the same, and case counts",
        ("PO-1", "PO-1"), ("po-1", "PO-1")),
    _op("contains", TEXTUAL, Takes.VALUE, "the text lies somewhere in it; no wildcards",
        ("50% off", '"%"'), ("half", '"%"')),
    _op("starts_with", TEXTUAL, Takes.VALUE, "it begins with the text",
        ("Globex Ltd", "globex"), ("The Globex", "globex")),
    _op("ends_with", TEXTUAL, Takes.VALUE, "it ends with the text",
        ("Globex Ltd", "ltd"), ("Ltd Globex", "ltd")),
    _op("shorter_than", TEXTUAL, Takes.COUNT, "it has fewer characters", ("ab ", "3"), ("abc", "3")),
    _op("longer_than", TEXTUAL, Takes.COUNT, "it has more characters", ("abcd", "3"), ("abc", "3")),
    _op("at_or_after", _ORDERED, Takes.VALUE, "it is at this place or a later one",
        ("proposal", "proposal"), ("discovery", "proposal")),
    _op("before", _ORDERED, Takes.VALUE, "it is at an earlier place",
        ("discovery", "proposal"), ("proposal", "proposal")),
    _op("at_least", NUMERIC, Takes.VALUE, "it is as much or more", ("5", "5"), ("4.9999", "5")),
    _op("more_than", NUMERIC, Takes.VALUE, "it is more", ("5.0001", "5"), ("5", "5")),
    _op("at_most", NUMERIC, Takes.VALUE, "it is as much or less", ("5", "5"), ("5.0001", "5")),
    _op("less_than", NUMERIC, Takes.VALUE, "it is less", ("4.9999", "5"), ("5", "5")),
    _op("between", NUMERIC, Takes.RANGE, "it lies within, both ends included",
        ("9", "[5, 9]"), ("9.0001", "[5, 9]")),
    _op("on", TEMPORAL, Takes.DATE, "it is on that day",
        ("2026-11-20 23:59", "today"), ("2026-11-19 10:00", "today")),
    _op("before", TEMPORAL, Takes.DATE, "it is before that day",
        ("2026-11-19 10:00", "today"), ("2026-11-20 08:00", "today")),
    _op("after", TEMPORAL, Takes.DATE, "it is after that day",
        ("2026-11-21 00:00", "today"), ("2026-11-20 23:59", "today")),
    _op("on_or_before", TEMPORAL, Takes.DATE, "it is on that day or before",
        ("2026-11-20 23:59", "today"), ("2026-11-21 00:00", "today")),
    _op("on_or_after", TEMPORAL, Takes.DATE, "it is on that day or after",
        ("2026-11-20 00:00", "today"), ("2026-11-19 23:59", "today")),
    _op("older_than", TEMPORAL, Takes.LENGTH, "it is longer ago than this",
        ("2026-11-05 23:59", "14 days"), ("2026-11-06 00:00", "14 days")),
    _op("within_last", TEMPORAL, Takes.LENGTH, "it is at most this long ago, and not in the future",
        ("2026-11-06 00:00", "14 days"), ("2026-11-20 10:01", "14 days")),
    _op("within_next", TEMPORAL, Takes.LENGTH, "it is at most this far ahead, and not past",
        ("2026-12-20 23:59", "30 days"), ("2026-11-20 09:59", "30 days")),
    _op("further_out_than", TEMPORAL, Takes.LENGTH, "it is further ahead than this",
        ("2026-12-05 00:00", "14 days"), ("2026-12-04 23:59", "14 days")),
    _op("during", TEMPORAL, Takes.PERIOD, "it lies in the period, both ends included",
        ("2026-11-16 00:00", "this week"), ("2026-11-15 23:59", "this week")),
    Operator(
        "later_period_than",
        TEMPORAL,
        Takes.FIELD_PERIOD,
        "its month, quarter or year comes after that of the other date",
        Example("2027-01-02 09:00", _QUARTER, other="2026-12-30 09:00"),
        Example("2026-12-30 09:00", _QUARTER, other="2026-10-02 09:00"),
    ),
    _op("within_end_of", TEMPORAL, Takes.END, "it is one of the last days of its own period",
        ("2026-12-22 00:00", "{quarter: 10 days}"), ("2026-12-21 23:59", "{quarter: 10 days}")),
    _op("includes", _CHOICES, Takes.VALUE, "the value is among them", ("a; b", "a"), ("b", "a")),
    _op("includes_any", _CHOICES, Takes.VALUES, "at least one is among them",
        ("a; b", "[b, c]"), ("a", "[b, c]")),
    _op("includes_all", _CHOICES, Takes.VALUES, "every one is among them",
        ("a; b", "[a, b]"), ("a", "[a, b]")),
    _op("includes_none", _CHOICES, Takes.VALUES, "none is among them", ("a", "[b, c]"), ("a; b", "[b, c]")),
    _op("at_least", _CHOICES, Takes.COUNT, "there are so many different ones, or more",
        ("a; b", "2"), ("a", "2")),
)  # fmt: skip

# What a plain value or a plain list means, by type (rules.md §4.3, last column).
PLAIN_VALUE = dict.fromkeys(FieldType, "is") | dict.fromkeys(TEMPORAL, "on") | {FieldType.CHOICES: "includes"}
PLAIN_LIST = dict.fromkeys(TEXTUAL | NUMERIC | _ORDERED, "one_of") | {FieldType.CHOICES: "includes_any"}


def operators_of(type_: FieldType) -> dict[str, Operator]:
    """The operators that a field of this type has, by name."""
    return {operator.name: operator for operator in OPERATORS if type_ in operator.types}


def types_with(name: str) -> list[FieldType]:
    """The types on which an operator of this name works, for messages."""
    return [type_ for type_ in FieldType if name in operators_of(type_)]
