"""Why a condition came out as it did: the tests that decided, in words (rules.md §4.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipelint.rules.compile_condition import Inputs, Moment, compile_condition
from pipelint.rules.conditions import (
    All,
    AnyOf,
    Condition,
    Count,
    Day,
    End,
    Negated,
    Number,
    Operand,
    Other,
    Period,
    Span,
    Test,
    Truth,
    Word,
)
from pipelint.rules.emit.python import function
from pipelint.rules.fields import Origin
from pipelint.rules.kleene import Value
from pipelint.rules.zones import date_of

Row = Mapping[str, int | str | None]

_WORDS = {
    "is": "is",
    "is_not": "is not",
    "one_of": "is one of",
    "none_of": "is none of",
    "exactly": "is exactly",
    "contains": "contains",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "shorter_than": "is shorter than",
    "longer_than": "is longer than",
    "at_or_after": "is at or after",
    "before": "is before",
    "after": "is after",
    "at_least": "is at least",
    "more_than": "is more than",
    "at_most": "is at most",
    "less_than": "is less than",
    "between": "is between",
    "on": "is",
    "on_or_before": "is on or before",
    "on_or_after": "is on or after",
    "older_than": "is older than",
    "within_last": "is within the last",
    "within_next": "is within the next",
    "further_out_than": "is further out than",
    "during": "lies in",
    "later_period_than": "lies in a later",
    "within_end_of": "lies at the end of its",
    "includes": "includes",
    "includes_any": "includes one of",
    "includes_all": "includes all of",
    "includes_none": "includes none of",
    "blank": "is blank",
    "present": "is present",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A test that decided, and how it came out on one record."""

    test: Test
    answer: bool | None


@dataclass(slots=True)
class Explainer:
    """Evaluates single conditions on single records with the generated Python, remembering what it compiled."""

    inputs: Inputs
    moment: Moment
    _compiled: dict[int, tuple[Condition, Callable[[Row], Value]]] = field(default_factory=dict)

    def answer(self, condition: Condition, row: Row) -> bool | None:
        """True, false or unknown."""
        known = self._compiled.get(id(condition))
        if known is None:
            known = (condition, function(compile_condition(condition, self.inputs, self.moment)))
            self._compiled[id(condition)] = known
        value = known[1](row)
        return None if value is None else bool(value)

    def deciding(self, condition: Condition, row: Row) -> list[Leaf]:
        """All parts of a true `all`, the first false part of a false one, the unknown parts of an unknown one.

        For `any` it is the mirror image.
        """
        if isinstance(condition, Test):
            return [Leaf(condition, self.answer(condition, row))]
        if isinstance(condition, Negated):
            return self.deciding(condition.item, row)
        answer = self.answer(condition, row)
        agreeing = [item for item in condition.items if self.answer(item, row) is answer]
        settles = isinstance(condition, All) if answer is False else isinstance(condition, AnyOf)
        if answer is not None and settles:
            agreeing = agreeing[:1]
        return [leaf for item in agreeing for leaf in self.deciding(item, row)]


def in_words(test: Test, moment: Moment) -> str:
    """A test as a phrase that follows the field's value: `is older than 14 days (cut-off 6 Nov 2026)`."""
    if test.field.origin is Origin.MARKER:
        return test.field.about
    phrase = _WORDS[test.name]
    if test.name == "later_period_than" and isinstance(test.operands[0], Other):
        other = test.operands[0]
        return f"{phrase} {other.period} than {other.field.name}"
    said = [_operand(operand) for operand in test.operands]
    if test.name == "between":
        return f"{phrase} {said[0]} and {said[1]}"
    return f"{phrase} {', '.join(said)}{_cut_off(test, moment)}".rstrip()


def _operand(operand: Operand) -> str:
    match operand:
        case Word(text=text) | Number(text=text):
            return text
        case Truth(value=value):
            return "yes" if value else "no"
        case Count(value=value):
            return str(value)
        case Span(length=length):
            return str(length)
        case Period(name=name):
            return name
        case End(unit=unit, days=days):
            return f"{unit}, {days} days"
        case Day():
            return _day(operand)
        case Other():
            return _other(operand)


def _day(operand: Day) -> str:
    if operand.day is not None:
        return operand.day.isoformat()
    if operand.shift is None:
        return "today"
    return f"today {'-' if operand.direction < 0 else '+'} {operand.shift}"


def _other(operand: Other) -> str:
    text = operand.field.name
    if operand.times is not None:
        text += f" × {operand.times / 10_000:g}"
    if operand.plus is not None:
        plus = operand.plus / 10_000 if isinstance(operand.plus, int) else operand.plus
        text += (
            f" {'-' if operand.direction < 0 else '+'} {plus:g}" if isinstance(plus, float) else f" + {plus}"
        )
    return text


def _cut_off(test: Test, moment: Moment) -> str:
    (operand,) = test.operands if len(test.operands) == 1 else (None,)
    if not isinstance(operand, Span) or operand.length.is_clock:
        return ""
    back = test.name in {"older_than", "within_last"}
    bound = moment.calendar.shift(moment.as_of, operand.length, -1 if back else 1)
    return f" (cut-off {date_of(bound).isoformat()})"
