"""Turns a fact into the intermediate form: aggregates over related rows, or an expression over the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from pipelint.rules.compile_condition import Inputs, Moment, compile_condition
from pipelint.rules.conditions import All, Condition, Day, Period, Span, Test, fields_in
from pipelint.rules.facts import Difference, Fact, Filled, OpenCriteria, OverRows, Ratio
from pipelint.rules.fields import ASPECTS, TEMPORAL, Field, FieldType
from pipelint.rules.ir import (
    SCALE,
    TRUE,
    UNKNOWN,
    Aggregate,
    And,
    Arithmetic,
    Case,
    Compare,
    Constant,
    Expr,
    IsNull,
    Not,
)
from pipelint.rules.zones import date_of, day_number, microseconds

_FUNCTIONS = {"latest": "max", "earliest": "min"}
_BEGINS = {"on", "after", "on_or_after"}


@dataclass(frozen=True, slots=True)
class FactColumn:
    """A prepared column that an aggregation fills; `times` scales it, `empty` is its value without rows."""

    name: str
    aggregate: Aggregate
    times: int
    empty: int | None


def fact_columns(fact: Fact, form: OverRows, moment: Moment, unsynced: frozenset[str]) -> list[FactColumn]:
    """The columns of a fact over related rows."""
    inside = Inputs(frozenset(f"record.{name}" for name in unsynced))
    where = TRUE if form.where is None else compile_condition(form.where, inside, moment)
    plain = fact.field.column().name
    match form.function:
        case "count":
            return [FactColumn(plain, Aggregate("count", where), SCALE, 0)]
        case "count_distinct":
            value = _value(form)
            return [FactColumn(plain, Aggregate("count_distinct", where, _compared(value)), SCALE, 0)]
        case "sum":
            return [FactColumn(plain, Aggregate("sum", where, _value(form).main), 1, 0)]
        case "sum_days":
            return [FactColumn(plain, Aggregate("sum", where, _days(form)), SCALE, 0)]
        case "fading":
            return [FactColumn(plain, Aggregate("sum", where, _days_left(form, moment)), 1, 0)]
        case "greatest":
            return [FactColumn(plain, Aggregate("max", where, _value(form).main), 1, 0)]
        case function:
            aggregate = _FUNCTIONS.get(function, function)
            order = _order(form)
            return [
                FactColumn(
                    fact.field.column(aspect).name,
                    Aggregate(aggregate, where, _value(form).column(aspect), order),  # type: ignore[arg-type]  # the rest are its own
                    1,
                    None,
                )
                for aspect in ASPECTS[fact.field.type]
            ]


def _value(form: OverRows) -> Field:
    if form.value is None:
        raise ValueError(form)
    return form.value


def _compared(value: Field) -> Expr:
    """What makes two values the same: the folded text, or the value itself."""
    return value.column("fold") if value.type in {FieldType.TEXT, FieldType.CHOICE} else value.main


def _days(form: OverRows) -> Expr:
    if form.start is None or form.end is None:
        raise ValueError(form)
    return Arithmetic("-", form.end.column("day"), form.start.column("day"))


def _days_left(form: OverRows, moment: Moment) -> Expr:
    """Full on the day itself, nothing from `span` days on, nothing for the future (rules.md §4.3b)."""
    age = Arithmetic("-", Constant(moment.today), _value(form).column("day"))
    counts = And((Compare(">=", age, Constant(0)), Compare("<", age, Constant(form.span))))
    return Case(((counts, Arithmetic("-", Constant(form.span), age)),), Constant(0))


def _order(form: OverRows) -> Expr:
    time_field = form.entity.field(form.entity.time) if form.entity.time else None
    return time_field.column("at") if time_field else UNKNOWN


def fact_expression(fact: Fact, inputs: Inputs, moment: Moment) -> Expr:
    """The value of a fact that is worked out from fields and other facts of the same record."""
    match fact.form:
        case Filled(fields):
            total: Expr = Constant(0)
            for field in fields:
                total = Arithmetic(
                    "+", total, Case(((Not(IsNull(field.main)), Constant(SCALE)),), Constant(0))
                )
            return total
        case Difference(left, right):
            return _difference(left, right, inputs, moment)
        case Ratio(left, right):
            scaled = Arithmetic("*", _read(left, left.main, inputs), Constant(SCALE))
            return Arithmetic("//", scaled, _read(right, right.main, inputs))
        case OpenCriteria(stages):
            cases = []
            for guard, members in stages:
                total = Constant(0)
                for member in members:
                    holds = compile_condition(member, inputs, moment)
                    missing = Case(((holds, Constant(0)), (Not(holds), Constant(SCALE))), UNKNOWN)
                    total = Arithmetic("+", total, missing)
                cases.append((compile_condition(guard, inputs, moment), total))
            return Case(tuple(cases), UNKNOWN)
        case OverRows():
            raise ValueError(fact)


def _difference(left: Field | None, right: Field | None, inputs: Inputs, moment: Moment) -> Expr:
    if left is not None and right is not None and left.type not in TEMPORAL:
        return Arithmetic("-", _read(left, left.main, inputs), _read(right, right.main, inputs))
    today = Constant(moment.today)
    later = today if left is None else _read(left, left.column("day"), inputs)
    earlier = today if right is None else _read(right, right.column("day"), inputs)
    return Arithmetic("*", Arithmetic("-", later, earlier), Constant(SCALE))


def _read(field: Field, value: Expr, inputs: Inputs) -> Expr:
    """The value, unless a history that begins too late makes it a lower bound, which cannot be calculated with."""
    if inputs.partial.get(field.name, "stands") == "stands":
        return value
    return Case(((Compare("=", field.column("partial"), Constant(1)), UNKNOWN),), value)


def fields_of(fact: Fact) -> list[Field]:
    """The record's own fields and facts that a fact is based on."""
    match fact.form:
        case Filled(fields):
            return list(fields)
        case Difference(left, right):
            return [field for field in (left, right) if field is not None]
        case Ratio(left, right):
            return [left, right]
        case OpenCriteria(stages):
            conditions = [condition for guard, members in stages for condition in (guard, *members)]
            return [field for condition in conditions for field in fields_in(condition)]
        case OverRows():
            inner = fields_in(fact.form.where) if fact.form.where else ()
            return [field for field in inner if field.name.startswith("record.")]


def window_start(form: OverRows, moment: Moment) -> int | None:
    """The instant from which a fact looks at its rows, where its `where` sets one (rules.md §4.4)."""
    starts = [at for test in _certain(form.where) if (at := _start(test, form, moment)) is not None]
    if form.function == "fading":
        starts.append(_midnight(moment.today - form.span + 1, moment))
    return max(starts, default=None)


def _certain(where: Condition | None) -> list[Test]:
    if isinstance(where, Test):
        return [where]
    return [test for item in where.items for test in _certain(item)] if isinstance(where, All) else []


def _start(test: Test, form: OverRows, moment: Moment) -> int | None:
    if test.field.name != form.entity.time or not test.operands:
        return None
    operand = test.operands[0]
    calendar = moment.calendar
    if isinstance(operand, Span) and test.name == "within_last":
        bound = calendar.shift(moment.as_of, operand.length, -1)
        return bound if operand.length.is_clock else _midnight(bound, moment)
    if isinstance(operand, Period):
        return _midnight(calendar.period(moment.as_of, operand.name)[0], moment)
    if isinstance(operand, Day) and test.name in _BEGINS:
        if operand.day is not None:
            return _midnight(day_number(operand.day), moment)
        if operand.shift is None:
            return _midnight(moment.today, moment)
        return _midnight(calendar.shift(moment.as_of, operand.shift, operand.direction), moment)
    return None


def _midnight(day: int, moment: Moment) -> int:
    local = datetime.combine(date_of(day), time())
    return microseconds(moment.calendar.instant(local).astimezone(UTC))
