"""Turns a checked condition into the intermediate form, for one connection and moment (rules.md §4.3b)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from pipelint.rules.calendar import Calendar, Direction
from pipelint.rules.compile_values import (
    beyond,
    compare_choices,
    compare_number,
    compare_ordered,
    compare_text,
    within,
)
from pipelint.rules.conditions import (
    All,
    AnyOf,
    Condition,
    Day,
    End,
    Negated,
    Other,
    Period,
    Span,
    Test,
    Truth,
)
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType
from pipelint.rules.ir import (
    FALSE,
    TRUE,
    UNKNOWN,
    And,
    Arithmetic,
    Case,
    Column,
    Compare,
    Constant,
    Expr,
    IsNull,
    Not,
    Or,
)
from pipelint.rules.lower_bound import Seen, lower_bound
from pipelint.rules.zones import date_of, day_number, microseconds


@dataclass(frozen=True, slots=True)
class Moment:
    """When rules are evaluated, and by which calendar."""

    calendar: Calendar
    as_of: datetime

    @property
    def today(self) -> int:
        return self.calendar.today(self.as_of)

    @property
    def local_date(self) -> date:
        """Today, as a date."""
        return date_of(self.today)

    @property
    def now(self) -> int:
        return microseconds(self.as_of)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one connection cannot say: known before any record is looked at (rules.md §4.4, two causes).

    `unsynced` are names of fields and facts; `partial` are facts over a history that may begin too late, with
    what can still be said about each, and each with a prepared marker column `NAME__partial`. `untold` are those
    of them whose earlier rows the CRM never tells: waiting does not help.
    """

    unsynced: frozenset[str] = frozenset()
    partial: Mapping[str, Seen] = dataclasses.field(default_factory=dict)
    untold: frozenset[str] = frozenset()


def compile_condition(condition: Condition, inputs: Inputs, moment: Moment) -> Expr:
    """The condition as an expression that is true, false or unknown."""
    match condition:
        case Test():
            return _Compiler(inputs, moment).test(condition)
        case Negated():
            return Not(compile_condition(condition.item, inputs, moment))
        case All():
            return And(tuple(compile_condition(item, inputs, moment) for item in condition.items))
        case AnyOf():
            return Or(tuple(compile_condition(item, inputs, moment) for item in condition.items))


class _Compiler:
    def __init__(self, inputs: Inputs, moment: Moment) -> None:
        self.inputs = inputs
        self.moment = moment

    def test(self, test: Test) -> Expr:
        field = test.field
        if field.name in self.inputs.unsynced:
            return UNKNOWN
        expr = self.answered(test)
        if (seen := self.inputs.partial.get(field.name)) is not None:
            expr = Case(
                ((_begins_late(field), lower_bound(test, expr, self.supplied(test, beyond(test)), seen)),),
                expr,
            )
        if field.marker and (test.if_blank is not None or test.name in {"blank", "present"}):
            expr = Case(((Compare("=", Column(field.marker), Constant(1)), UNKNOWN),), expr)
        return expr

    def answered(self, test: Test) -> Expr:
        blank = IsNull(test.field.main)
        if test.name == "blank":
            return blank
        if test.name == "present":
            return Not(blank)
        if any(isinstance(o, Other) and o.field.name in self.inputs.unsynced for o in test.operands):
            expr: Expr = UNKNOWN
        else:
            expr = self.supplied(test, self.compared(test))
        if test.if_blank is None:
            return expr
        return Case(((blank, Constant(test.if_blank)),), expr)

    def supplied(self, test: Test, expr: Expr) -> Expr:
        """The expression, unknown on records that lack one of the test's operands."""
        others = [operand.field for operand in test.operands if isinstance(operand, Other)]
        lacking = tuple((marker, UNKNOWN) for other in others for marker in self.lacking(other))
        return Case(lacking, expr) if lacking else expr

    def lacking(self, operand: Field) -> Iterator[Expr]:
        """True where this one record lacks the operand, or has too little history of it."""
        if operand.marker:
            yield Compare("=", Column(operand.marker), Constant(1))
        seen = self.inputs.partial.get(operand.name)
        if seen == "stands":
            yield And((_begins_late(operand), IsNull(operand.main)))
        elif seen is not None:
            yield _begins_late(operand)

    def compared(self, test: Test) -> Expr:
        kind = test.field.type
        if kind in TEXTUAL:
            return compare_text(test)
        if kind in NUMERIC:
            return compare_number(test)
        if kind in TEMPORAL:
            return self.date(test)
        if kind is FieldType.CHOICES:
            return compare_choices(test)
        if kind is FieldType.ORDERED:
            return compare_ordered(test)
        (truth,) = test.operands
        value = Constant(int(truth.value)) if isinstance(truth, Truth) else cast("Other", truth).field.main
        return Compare("=", test.field.main, value)

    def date(self, test: Test) -> Expr:
        (operand,) = test.operands
        match operand:
            case Span():
                return self.span(test, operand)
            case Period():
                first, last = self.moment.calendar.period(self.moment.as_of, operand.name)
                return within(test.field.column("day"), Constant(first), Constant(last))
            case End():
                last_day = Arithmetic("-", test.field.column(f"{operand.unit}_end"), test.field.column("day"))
                return Compare("<", last_day, Constant(operand.days))
            case Other(period=unit) if unit:
                return Compare(">", test.field.column(unit), operand.field.column(unit))
            case Other():
                return self.other_date(test, operand)
            case Day():
                return _compare_day(test.name, test.field.column("day"), Constant(self.day(operand)))
        raise TypeError(operand)

    def day(self, operand: Day) -> int:
        if operand.day is not None:
            return day_number(operand.day)
        if operand.shift is None:
            return self.moment.today
        return self.moment.calendar.shift(self.moment.as_of, operand.shift, operand.direction)

    def other_date(self, test: Test, operand: Other) -> Expr:
        plus = operand.plus
        if isinstance(plus, int) or plus is None:
            return _compare_day(test.name, test.field.column("day"), operand.field.column("day"))
        aspect = "at" if plus.is_clock else "day"
        moved = Arithmetic("+", operand.field.column(aspect), Constant(operand.direction * plus.size))
        return _compare_day(test.name, test.field.column(aspect), moved)

    def span(self, test: Test, operand: Span) -> Expr:
        length, field = operand.length, test.field
        direction: Direction = -1 if test.name in {"older_than", "within_last"} else 1
        bound = Constant(self.moment.calendar.shift(self.moment.as_of, length, direction))
        value = field.column("at" if length.is_clock else "day")
        exact = field.column("at" if field.type is FieldType.DATETIME else "day")
        now = Constant(self.moment.now if field.type is FieldType.DATETIME else self.moment.today)
        match test.name:
            case "older_than":
                return Compare("<", value, bound)
            case "further_out_than":
                return Compare(">", value, bound)
            case "within_last":
                return And((Compare(">=", value, bound), Compare("<=", exact, now)))
            case _:
                return And((Compare("<=", value, bound), Compare(">=", exact, now)))


def _begins_late(fact: Field) -> Expr:
    """True where the fact's history begins too late for this record."""
    return Compare("=", fact.column("partial"), Constant(1))


def _compare_day(name: str, left: Expr, right: Expr) -> Expr:
    match name:
        case "on":
            return Compare("=", left, right)
        case "before":
            return Compare("<", left, right)
        case "after":
            return Compare(">", left, right)
        case "on_or_before":
            return Compare("<=", left, right)
        case _:
            return Compare(">=", left, right)


def definitely(expr: Expr) -> Expr:
    """True where the expression is; false where it is false or unknown."""
    return Case(((expr, TRUE),), FALSE)
