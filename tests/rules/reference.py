"""What a condition means, in plain Python: rules.md §4.3b and §4.4 read word by word.

Nothing here knows the intermediate form, the prepared columns or the compiler. A record is what a CRM would
hold; the answer to a condition is True, False or None, which is "unknown".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from pipelint.rules.calendar import Length
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
    tests_in,
)
from pipelint.rules.facts import Difference, Fact, Filled, OverRows, Ratio
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType

Answer = bool | None
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")
_LARGEST = Decimal(10) ** 14


class NotSynced:
    """The connection, or this one record, does not say."""


@dataclass(frozen=True)
class AtLeast:
    """A number that may be larger than what was seen, because the history begins too late."""

    seen: Decimal


NOT_SYNCED = NotSynced()


@dataclass(frozen=True)
class World:
    """The pack's calendar and the moment."""

    zone: str
    as_of: datetime
    fiscal_year_starts: int = 1
    week_starts: int = 0
    working_days: frozenset[int] = frozenset(range(5))
    working_hours: tuple[time, time] = (time(9), time(18))
    holidays: frozenset[date] = frozenset()
    blank_words: frozenset[str] = frozenset()

    @property
    def now(self) -> datetime:
        return self.as_of.astimezone(UTC)

    @property
    def today(self) -> date:
        return self.day(self.as_of)

    def day(self, value: date | datetime) -> date:
        """D(x): the local day of x; a date is its own day."""
        if isinstance(value, datetime):
            return value.astimezone(ZoneInfo(self.zone)).date()
        return value

    def works(self, day: date) -> bool:
        return day.weekday() in self.working_days and day not in self.holidays

    # Lengths

    def moved(self, day: date, length: Length, direction: int) -> date:
        """A calendar length before or after a day."""
        count = length.count * direction
        match length.unit:
            case "days":
                return day + timedelta(days=count)
            case "weeks":
                return day + timedelta(weeks=count)
            case "business days":
                for _ in range(length.count):
                    day += timedelta(days=direction)
                    while not self.works(day):
                        day += timedelta(days=direction)
                return day
            case unit:
                return plus_months(day, count * {"months": 1, "quarters": 3, "years": 12}[unit])

    def clocked(self, length: Length, direction: int) -> datetime:
        """A clock length before or after now."""
        if length.unit != "working hours":
            return self.now + direction * timedelta(**{length.unit: length.count})
        left = timedelta(hours=length.count)
        if not left:
            return self.now
        day = self.today - timedelta(days=direction)
        while True:
            if self.works(day):
                begin, end = self.work(day)
                begin, end = (max(begin, self.now), end) if direction > 0 else (begin, min(end, self.now))
                if end - begin >= left:
                    return begin + left if direction > 0 else end - left
                left -= max(end - begin, timedelta())
            day += timedelta(days=direction)

    def work(self, day: date) -> tuple[datetime, datetime]:
        opens, closes = self.working_hours
        last = day if closes > opens else day + timedelta(days=1)
        return self.local(datetime.combine(day, opens)), self.local(datetime.combine(last, closes))

    def local(self, naive: datetime) -> datetime:
        return naive.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    # Periods

    def period(self, day: date, unit: str) -> int:
        """Which week, month, fiscal quarter or fiscal year a day lies in, counted on and on."""
        if unit == "week":
            return (day.toordinal() - 1 - self.week_starts) // 7
        if unit == "month":
            return day.year * 12 + day.month
        months = day.year * 12 + day.month - 1 + (13 - self.fiscal_year_starts) % 12
        return months // 12 if unit == "year" else months // 3

    def days_left(self, day: date, unit: str) -> int:
        """How many days of its period come after this day."""
        left = 0
        while day < date.max and self.period(day + timedelta(days=1), unit) == self.period(day, unit):
            day += timedelta(days=1)
            left += 1
        return left


def plus_months(day: date, count: int) -> date:
    """The same day of another month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError


# What a stored value becomes before it is compared


def trimmed(text: str) -> str:
    while text and (text[0].isspace() or unicodedata.category(text[0]) in _INVISIBLE):
        text = text[1:]
    while text and (text[-1].isspace() or unicodedata.category(text[-1]) in _INVISIBLE):
        text = text[:-1]
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def exact(value: object) -> Decimal | None:
    """A number to four places, half up."""
    try:
        number = Decimal(str(value))
        if not number.is_finite() or abs(number) >= _LARGEST:
            return None
        return number.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    except InvalidOperation:
        return None


def prepared(each: Field, raw: object, world: World) -> Any:
    """The value of a field's type; None for what rules.md calls blank."""
    if raw is None:
        return None
    if each.type in TEXTUAL or each.type is FieldType.ORDERED:
        text = trimmed(str(raw))
        if not text or folded(text) in world.blank_words:
            return None
        # A choice with a list of words holds our word, however the CRM spells it.
        return next((word for word in each.values if folded(word) == folded(text)), text)
    if each.type in NUMERIC:
        return exact(raw)
    if each.type is FieldType.YES_NO:
        return raw if isinstance(raw, bool) else None
    if each.type is FieldType.CHOICES:
        members = {folded(text) for one in raw if (text := trimmed(one))} if isinstance(raw, tuple) else set()
        return frozenset(members) or None
    return raw if isinstance(raw, date) else None


@dataclass
class Record:
    """A record as the CRM holds it, with its related rows; every row may say `id`, which settles ties."""

    values: Mapping[str, object]
    rows: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    not_synced: frozenset[str] = frozenset()
    """Names of fields, of entities, and of `entity.field`."""
    complete_since: Mapping[str, datetime] = field(default_factory=dict)
    """By entity: from when on its history misses nothing."""


class Reference:
    """Answers conditions about records, in one world, knowing what each fact is made of."""

    def __init__(self, world: World, facts: Mapping[str, Fact]) -> None:
        self.world = world
        self.facts = facts

    def answer(self, condition: Condition, record: Record) -> Answer:
        return self._condition(condition, lambda each: self.value(each, record))

    def _condition(self, condition: Condition, look: Callable[[Field], Any]) -> Answer:
        match condition:
            case Test():
                return self._test(condition, look)
            case Negated(item=item):
                answer = self._condition(item, look)
                return None if answer is None else not answer
            case All(items=items):
                answers = [self._condition(item, look) for item in items]
                return False if False in answers else None if None in answers else True
            case AnyOf(items=items):
                answers = [self._condition(item, look) for item in items]
                return True if True in answers else None if None in answers else False

    # Values

    def value(self, each: Field, record: Record) -> Any:
        if each.name in record.not_synced:
            return NOT_SYNCED
        fact = self.facts.get(each.name)
        if fact is not None:
            return self._fact(fact, record)
        return prepared(each, record.values.get(each.name), self.world)

    def _fact(self, fact: Fact, record: Record) -> Any:
        match fact.form:
            case OverRows():
                return self._over_rows(fact.form, record)
            case Filled(fields=fields):
                values = [self.value(each, record) for each in fields]
                if NOT_SYNCED in values:
                    return NOT_SYNCED
                return Decimal(sum(value is not None for value in values))
            case Difference(left=left, right=right):
                return self._calculated(left, right, record, self._minus)
            case Ratio(left=left, right=right):
                return self._calculated(left, right, record, _divided)
        raise AssertionError(fact)

    def _calculated(
        self, left: Field | None, right: Field | None, record: Record, operation: Callable[[Any, Any], Any]
    ) -> Any:
        pair = [self.world.today if each is None else self.value(each, record) for each in (left, right)]
        if any(value is NOT_SYNCED or isinstance(value, AtLeast) for value in pair):
            return NOT_SYNCED
        return None if None in pair else operation(*pair)

    def _minus(self, left: Any, right: Any) -> Decimal:
        if isinstance(left, date):
            return Decimal((self.world.day(left) - self.world.day(right)).days)
        return Decimal(left - right)

    def _over_rows(self, form: OverRows, record: Record) -> Any:
        entity = form.entity.name
        named = [each for each in (form.value, form.start, form.end) if each is not None]
        tests = list(tests_in(form.where)) if form.where else []
        named += [test.field for test in tests]
        named += [o.field for test in tests for o in test.operands if isinstance(o, Other)]
        lacking = {each.name.removeprefix("record.") for each in named if each.name.startswith("record.")}
        lacking |= {f"{entity}.{each.name}" for each in named} | {entity}
        lacking |= {
            word.text
            for t in tests
            if t.field.name == "field"
            for word in t.operands
            if isinstance(word, Word)
        }
        if lacking & record.not_synced:
            return NOT_SYNCED
        found = [
            row
            for row in record.rows.get(entity, ())
            if form.where is None or self._condition(form.where, self._look(row, record)) is True
        ]
        result = self._aggregate(form, found)
        return self._as_seen(form, result, record) if self._begins_late(form, record) else result

    def _look(self, row: Mapping[str, object], record: Record) -> Callable[[Field], Any]:
        def look(each: Field) -> Any:
            if each.name.startswith("record."):
                raw = record.values.get(each.name.removeprefix("record."))
                return prepared(each, raw, self.world)
            return prepared(each, row.get(each.name), self.world)

        return look

    def _aggregate(self, form: OverRows, rows: Sequence[Mapping[str, object]]) -> Any:
        if form.function == "count":
            return Decimal(len(rows))
        if form.function == "sum_days":
            assert form.start is not None
            assert form.end is not None
            ends = [
                (prepared(form.start, r.get(form.start.name), self.world),
                 prepared(form.end, r.get(form.end.name), self.world))
                for r in rows
            ]  # fmt: skip
            return sum((self._minus(end, start) for start, end in ends if start and end), Decimal(0))
        value = form.value
        assert value is not None
        pairs = [(row, prepared(value, row.get(value.name), self.world)) for row in rows]
        known = [(row, found) for row, found in pairs if found is not None]
        values = [found for _, found in known]
        if form.function == "count_distinct":
            return Decimal(len({folded(v) if isinstance(v, str) else v for v in values}))
        if form.function == "sum":
            return sum(values, Decimal(0))
        if form.function in {"last", "first"}:
            known = [pair for pair in known if pair[0].get(form.entity.time) is not None] or known
            known.sort(key=lambda pair: (str(pair[0].get(form.entity.time)), str(pair[0]["id"])))
            return None if not known else known[-1 if form.function == "last" else 0][1]
        if form.function == "greatest":
            return max(values, default=Decimal(0))
        return None if not values else min(values) if form.function == "earliest" else max(values)

    # Histories that begin late

    def _begins_late(self, form: OverRows, record: Record) -> bool:
        since = record.complete_since.get(form.entity.name)
        if since is None:
            return False
        start = self._window(form)
        if start is None:
            start = None if "created_at" in record.not_synced else record.values.get("created_at")  # type: ignore[assignment]
        return not isinstance(start, datetime) or start < since

    def _window(self, form: OverRows) -> datetime | None:
        """The bound that `where` sets on the row's time."""
        found = []
        for test in _required(form.where):
            if test.field.name != form.entity.time or not test.operands:
                continue
            match test.name, test.operands[0]:
                case "within_last", Span(length=length) if length.is_clock:
                    found.append(self.world.clocked(length, -1))
                case "within_last", Span(length=length):
                    found.append(self._midnight(self.world.moved(self.world.today, length, -1)))
                case "during", Period(name=name):
                    day = self.world.today
                    wanted = self.world.period(day, name.split()[1]) + _STEP[name.split()[0]]
                    day += timedelta(days=400 * _STEP[name.split()[0]])
                    step = 1 if self.world.period(day, name.split()[1]) < wanted else -1
                    while self.world.period(day, name.split()[1]) != wanted:
                        day += timedelta(days=step)
                    while self.world.period(day - timedelta(days=1), name.split()[1]) == wanted:
                        day -= timedelta(days=1)
                    found.append(self._midnight(day))
                case "on" | "after" | "on_or_after", Day() as day_:
                    found.append(self._midnight(self._day(day_)))
        return max(found, default=None)

    def _midnight(self, day: date) -> datetime:
        return self.world.local(datetime.combine(day, time()))

    def _as_seen(self, form: OverRows, result: Any, record: Record) -> Any:
        """What a late history still says: a count and a sum that cannot shrink are lower bounds."""
        if form.function in {"count", "count_distinct", "greatest"}:
            return AtLeast(result)
        if form.function == "sum_days" and form.start and form.end:
            grows = any(
                test.name in {"after", "on_or_after"}
                and test.field == form.end
                and isinstance(operand := test.operands[0], Other)
                and operand.field == form.start
                and operand.plus is None
                for test in _required(form.where)
            )
            return AtLeast(result) if grows else NOT_SYNCED
        if form.function in {"latest", "last"}:
            return NOT_SYNCED if result is None else result
        return NOT_SYNCED

    # Tests

    def _test(self, test: Test, look: Callable[[Field], Any]) -> Answer:
        value = look(test.field)
        if value is NOT_SYNCED:
            return None
        if isinstance(value, AtLeast):
            return self._whatever_is_missing(test, value, look)
        return self._answered(test, value, look)

    def _whatever_is_missing(self, test: Test, value: AtLeast, look: Callable[[Field], Any]) -> Answer:
        """Definite where it would be the same for every number from the one seen on."""
        ends = [e for o in test.operands if isinstance(e := self._operand(o, look), Decimal)]
        tried = {value.seen, Decimal(10) ** 15}
        tried |= {end + step for end in ends for step in (Decimal("-0.0001"), Decimal(0), Decimal("0.0001"))}
        answers = {self._answered(test, number, look) for number in tried if number >= value.seen}
        return answers.pop() if len(answers) == 1 else None

    def _answered(self, test: Test, value: Any, look: Callable[[Field], Any]) -> Answer:
        if test.name == "blank":
            return value is None
        if test.name == "present":
            return value is not None
        others = [look(operand.field) for operand in test.operands if isinstance(operand, Other)]
        if any(other is NOT_SYNCED or isinstance(other, AtLeast) for other in others):
            return test.if_blank if value is None else None
        if value is None:
            return test.if_blank
        return self._compared(test, value, look)

    def _compared(self, test: Test, value: Any, look: Callable[[Field], Any]) -> Answer:
        kind = test.field.type
        if kind in TEMPORAL:
            return self._date(test, value, look)
        operands = [self._operand(operand, look, test.field) for operand in test.operands]
        if kind is FieldType.CHOICES:
            return _of_set(test.name, value, operands)
        if test.name == "exactly":
            other = operands[0]
            return None if other is None else value == trimmed(str(other))
        if kind in TEXTUAL:
            value = value if test.name in {"shorter_than", "longer_than"} else folded(value)
            operands = [folded(o) if isinstance(o, str) else o for o in operands]
        if kind is FieldType.ORDERED:
            ranks = [folded(word) for word in test.field.values]
            value = ranks.index(folded(value))
            operands = [ranks.index(folded(o)) if isinstance(o, str) else o for o in operands]
        if test.name in _OF_ONE:
            return None if operands[0] is None else _OF_ONE[test.name](value, operands[0])
        if test.name == "between":
            low, high = operands
            return _all([None if low is None else value >= low, None if high is None else value <= high])
        hit = _any([None if each is None else value == each for each in operands])
        return hit if test.name == "one_of" or hit is None else not hit

    def _operand(self, operand: Operand, look: Callable[[Field], Any], of: Field | None = None) -> Any:
        match operand:
            case Word(text=text):
                return text
            case Number(scaled=scaled):
                return Decimal(scaled) / 10_000
            case Truth(value=value) | Count(value=value):
                return value
            case Other(field=each, times=times, plus=plus, direction=direction):
                value = look(each)
                if value is None or value is NOT_SYNCED or isinstance(value, AtLeast):
                    return None
                if times is not None:
                    value *= Decimal(times) / 10_000
                if isinstance(plus, int):
                    value += direction * Decimal(plus) / 10_000
                return value
        return None

    def _date(self, test: Test, value: date | datetime, look: Callable[[Field], Any]) -> Answer:
        world, (operand,) = self.world, test.operands
        day = world.day(value)
        match operand:
            case Day():
                return _ON[test.name](day, self._day(operand))
            case Period(name=name):
                word, unit = name.split()
                return world.period(day, unit) == world.period(world.today, unit) + _STEP[word]
            case End(unit=unit, days=days):
                return world.days_left(day, unit) < days
            case Span(length=length):
                return self._span(test.name, value, length)
            case Other(field=each, period=unit, plus=plus, direction=direction):
                other = look(each)
                if other is None or other is NOT_SYNCED:
                    return None
                if unit:
                    return world.period(day, unit) > world.period(world.day(other), unit)
                if isinstance(plus, Length) and plus.is_clock:
                    size = timedelta(**{plus.unit: plus.count})
                    return _ON[test.name](value, other + direction * size)
                days = {"days": 1, "weeks": 7}[plus.unit] * plus.count if isinstance(plus, Length) else 0
                return _ON[test.name](day.toordinal(), world.day(other).toordinal() + direction * days)
        raise AssertionError(test)

    def _day(self, operand: Day) -> date:
        if operand.day is not None:
            return operand.day
        if operand.shift is None:
            return self.world.today
        return self.world.moved(self.world.today, operand.shift, operand.direction)

    def _span(self, name: str, value: date | datetime, length: Length) -> bool:
        world = self.world
        back = name in {"older_than", "within_last"}
        x: Any = value if length.is_clock else world.day(value)
        bound: Any = (
            world.clocked(length, -1 if back else 1)
            if length.is_clock
            else world.moved(world.today, length, -1 if back else 1)
        )
        present: Any = world.now if isinstance(value, datetime) else world.today
        match name:
            case "older_than":
                return bool(x < bound)
            case "further_out_than":
                return bool(x > bound)
            case "within_last":
                return bool(bound <= x and value <= present)
            case _:
                return bool(x <= bound and value >= present)


_STEP = {"last": -1, "this": 0, "next": 1}
_ON: dict[str, Callable[[Any, Any], bool]] = {
    "on": lambda x, d: x == d,
    "before": lambda x, d: x < d,
    "after": lambda x, d: x > d,
    "on_or_before": lambda x, d: x <= d,
    "on_or_after": lambda x, d: x >= d,
}
_OF_ONE: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda x, a: x == a,
    "is_not": lambda x, a: x != a,
    "contains": lambda x, a: a in x,
    "starts_with": lambda x, a: x.startswith(a),
    "ends_with": lambda x, a: x.endswith(a),
    "shorter_than": lambda x, n: len(x) < n,
    "longer_than": lambda x, n: len(x) > n,
    "at_or_after": lambda x, a: x >= a,
    "before": lambda x, a: x < a,
    "at_least": lambda x, n: x >= n,
    "more_than": lambda x, n: x > n,
    "at_most": lambda x, n: x <= n,
    "less_than": lambda x, n: x < n,
}


def _of_set(name: str, held: frozenset[str], operands: Sequence[Any]) -> bool:
    if name == "at_least":
        return bool(len(held) >= operands[0])
    hits = [folded(word) in held for word in operands]
    return {"includes": all, "includes_all": all, "includes_any": any}.get(name, _none)(hits)


def _none(hits: Iterable[bool]) -> bool:
    return not any(hits)


def _all(answers: Sequence[Answer]) -> Answer:
    return False if False in answers else None if None in answers else True


def _any(answers: Sequence[Answer]) -> Answer:
    return True if True in answers else None if None in answers else False


def _divided(left: Decimal, right: Decimal) -> Decimal | None:
    """To four decimals, half up; blank when the divisor is 0."""
    return None if right == 0 else (left / right).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _required(where: Condition | None) -> list[Test]:
    """The tests that every row that counts must pass."""
    if isinstance(where, Test):
        return [where]
    return [test for item in where.items for test in _required(item)] if isinstance(where, All) else []
