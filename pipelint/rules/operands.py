"""Reads what stands behind an operator into typed operands, or says what was expected there."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Literal

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import PERIODS, UNITS, Length
from pipelint.rules.conditions import Count, Day, End, Number, Operand, Other, Period, Span, Truth, Word
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType
from pipelint.rules.ir import SCALE
from pipelint.rules.scope import Scope
from pipelint.rules.text import clean, fold

DATE_HINT = "write 2026-12-31, today, today + 14 days, or {field: other_date}"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TODAY = re.compile(r"today(?:\s*([+-])\s*(.+))?")
_PERIOD_UNITS = ("week", "month", "quarter", "year")


class OperandReader:
    """Reads operands in one scope; every method returns None after reporting a mistake."""

    def __init__(self, scope: Scope, problems: Problems) -> None:
        self.scope = scope
        self.problems = problems

    def resolve(self, node: Node) -> Node | None:
        """The setting's own node where `$name` stands, otherwise the node itself."""
        if not isinstance(node, Text) or node.quoted or not node.value.startswith("$"):
            return node
        name = node.value[1:]
        setting = self.scope.settings.get(name)
        if setting is None:
            known = did_you_mean(name, self.scope.settings) or "give it a value under the rule's 'settings:'"
            self.problems.error(node.place, f"there is no setting named '{name}' here", known)
            return None
        self.scope.used_settings.add(name)
        return setting

    def words(self, node: Node, expected: str) -> Text | None:
        resolved = self.resolve(node)
        if resolved is None:
            return None
        if isinstance(resolved, Text) and not resolved.is_empty:
            return resolved
        self.problems.error(resolved.place, f"{kind_of(resolved)} stands where {expected} is expected")
        return None

    def value(self, node: Node, field: Field) -> Operand | None:
        """One value of the field's own type, or another field of the record."""
        if isinstance(node, Map):
            return self.other(node, field)
        if field.type in TEMPORAL:
            reserved = isinstance(node, Text) and self._reserved(node, field)
            return None if reserved else self.day(node)
        text = self.words(node, f"a value of {field.name}")
        if text is None or self._reserved(text, field):
            return None
        if field.type in NUMERIC:
            return self.number(text, field)
        if field.type is FieldType.YES_NO:
            return self.truth(text, field)
        return self.word(text, field)

    def _reserved(self, text: Text, field: Field) -> bool:
        if text.quoted or text.value not in {"blank", "present"}:
            return False
        quotes = f', or "{text.value}" if the text really reads so' if field.type in TEXTUAL else ""
        self.problems.error(
            text.place,
            f"'{text.value}' is a word of its own here",
            f"write {field.name}: {text.value}{quotes}",
        )
        return True

    def values(self, node: Node, field: Field) -> tuple[Operand, ...] | None:
        resolved = self.resolve(node)
        if resolved is None:
            return None
        items = resolved.items if isinstance(resolved, List) else (resolved,)
        if not items:
            self.problems.error(
                resolved.place, "the list is empty, so nothing can match", "name at least one value"
            )
            return None
        found = [self.value(item, field) for item in items]
        return None if None in found else tuple(operand for operand in found if operand is not None)

    def word(self, text: Text, field: Field) -> Word | None:
        cleaned = clean(text.value)
        if cleaned is None:
            self.problems.error(
                text.place, "an empty text can never match", "to ask for an empty field write 'blank'"
            )
            return None
        if not field.values:
            return Word(cleaned)
        ranks = {fold(value): rank for rank, value in enumerate(field.values, start=1)}
        if (rank := ranks.get(fold(cleaned))) is not None:
            return Word(field.values[rank - 1], rank)
        noun = "stage" if field.name in {"stage", "from_stage", "to_stage"} else f"value of {field.name}"
        hint = did_you_mean(cleaned, field.values) or f"known are: {', '.join(field.values)}"
        self.problems.error(text.place, f"there is no {noun} named '{cleaned}'", hint)
        return None

    def number(self, text: Text, field: Field) -> Number | None:
        written = text.value.strip()
        if field.type is FieldType.DAYS and (length := Length.parse(written)) and length.unit == "days":
            return Number(length.count * SCALE, written)
        plain = written.removesuffix("%").strip()
        if not _NUMBER.fullmatch(plain):
            hint = (
                f"write {digits}"
                if (digits := re.sub(r"[,_' ]", "", plain)) and _NUMBER.fullmatch(digits)
                else ""
            )
            if field.type is FieldType.DAYS:
                hint = "write 60 or 60 days"
            self.problems.error(text.place, f"'{written}' is not a number", hint)
            return None
        whole, _, places = plain.lstrip("+-").partition(".")
        if len(places.rstrip("0")) > 4:
            self.problems.error(
                text.place, f"'{written}' has more than four decimal places", "numbers are held to four"
            )
        elif len(whole.lstrip("0")) > 14:
            what = f"'{written}' is larger than any number can be"
            self.problems.error(text.place, what, "numbers have 14 digits before the point at most")
        else:
            return Number(int(Decimal(plain) * SCALE), written)
        return None

    def truth(self, text: Text, field: Field) -> Truth | None:
        word = text.value.casefold()
        if word in {"yes", "true"}:
            return Truth(value=True)
        if word in {"no", "false"}:
            return Truth(value=False)
        self.problems.error(
            text.place, f"'{text.value}' is neither yes nor no", f"{field.name} is a yes / no field"
        )
        return None

    def count(self, node: Node) -> Count | None:
        text = self.words(node, "a whole number")
        if text is None:
            return None
        if not re.fullmatch(r"\d{1,9}", text.value, re.ASCII):
            self.problems.error(text.place, f"'{text.value}' is not a whole number", "write digits, e.g. 12")
            return None
        return Count(int(text.value))

    def day(self, node: Node) -> Day | None:
        text = self.words(node, "a date")
        if text is None:
            return None
        written = text.value.strip()
        if found := _TODAY.fullmatch(written):
            if found[1] is None:
                return Day(None)
            length = self._length(Text(found[2].strip(), text.place), calendar_only=True)
            direction: Literal[-1, 1] = -1 if found[1] == "-" else 1
            return None if length is None else Day(None, length, direction)
        try:
            if _DATE.fullmatch(written):
                return Day(date.fromisoformat(written))
        except ValueError:
            pass
        hint = f"write {{during: {written}}}" if written in PERIODS else DATE_HINT
        self.problems.error(text.place, f"'{written}' is not a date", hint)
        return None

    def span(self, node: Node, field: Field) -> Span | None:
        text = self.words(node, "a length of time")
        length = None if text is None else self._length(text)
        if length is None or text is None:
            return None
        return None if self._timeless(text, length, field) else Span(length)

    def _timeless(self, text: Text, length: Length, *fields: Field) -> bool:
        """Whether a clock length stands beside a plain date, which has no instant; that is reported."""
        plain = next((field for field in fields if field.type is FieldType.DATE), None)
        if not length.is_clock or plain is None:
            return False
        what = f"{plain.name} is a date without a time, so it cannot be counted in {length.unit}"
        self.problems.error(text.place, what, "use days")
        return True

    def _length(self, text: Text, *, calendar_only: bool = False) -> Length | None:
        length = Length.parse(text.value)
        if length is None:
            self.problems.error(
                text.place, f"'{text.value}' is not a length of time", _length_hint(text.value)
            )
        elif calendar_only and length.is_clock:
            self.problems.error(
                text.place, f"today is a whole day, so it cannot be moved by {length.unit}", "use days"
            )
        else:
            return length
        return None

    def period(self, node: Node) -> Period | None:
        text = self.words(node, "a period")
        if text is None:
            return None
        if text.value in PERIODS:
            return Period(text.value)
        hint = (
            did_you_mean(text.value, PERIODS) or "write this, last or next, then week, month, quarter or year"
        )
        self.problems.error(text.place, f"'{text.value}' is not a period", hint)
        return None

    def end(self, node: Node) -> End | None:
        if not isinstance(node, Map) or len(node.entries) != 1:
            self.problems.error(
                node.place, f"{kind_of(node)} stands where a period's end is expected", "{quarter: 10 days}"
            )
            return None
        (name, value) = node.entries[0]
        if name.value not in _PERIOD_UNITS:
            self.problems.error(
                name.place, f"'{name.value}' is not a period", did_you_mean(name.value, _PERIOD_UNITS)
            )
            return None
        text = self.words(value, "a number of days")
        length = None if text is None else Length.parse(text.value)
        if length is None or length.unit != "days":
            if text is not None:
                self.problems.error(text.place, f"'{text.value}' is not a number of days", "write 10 days")
            return None
        return End(name.value, length.count)

    def other(self, node: Map, field: Field, *, period: bool = False) -> Other | None:
        """`{field: x, times: …, plus: …}`, or with a period for `later_period_than`."""
        allowed = ("field", "period") if period else ("field", "times", "plus")
        for key, _ in node.entries:
            if key.value not in allowed:
                hint = did_you_mean(key.value, allowed) or f"it takes {', '.join(allowed)}"
                self.problems.error(key.place, f"'{key.value}' is not known beside another field", hint)
                return None
        named = node.get("field")
        if named is None:
            self.problems.error(node.place, "'field' is missing", "write {field: other_field}")
            return None
        if field.type is FieldType.CHOICES:
            hint = "name the values themselves"
            self.problems.error(named.place, "'includes' takes words, not another field", hint)
            return None
        text = self.words(named, "the name of a field")
        found = None if text is None else self.scope.find(text.value)
        if text is None or found is None:
            if text is not None:
                self.unknown_field(text)
            return None
        if not comparable(field, found):
            self.problems.error(
                text.place,
                f"{field.name} is {article(field.type)} and {found.name} is {article(found.type)}:"
                " they cannot be compared",
            )
            return None
        return self._period_of(node, found) if period else self._moved(node, field, found)

    def _period_of(self, node: Map, found: Field) -> Other | None:
        unit = node.get("period")
        if isinstance(unit, Text) and unit.value in _PERIOD_UNITS:
            return Other(found, period=unit.value)
        self.problems.error(
            (unit or node).place, "a period is missing here", "write period: month, quarter or year"
        )
        return None

    def _moved(self, node: Map, field: Field, found: Field) -> Other | None:
        times: int | None = None
        plus: int | Length | None = None
        direction: Literal[-1, 1] = 1
        if (factor := node.get("times")) is not None:
            text = self.words(factor, "a number")
            number = None if text is None else self.number(text, Field("times", FieldType.NUMBER, ""))
            if number is None:
                return None
            if field.type not in NUMERIC:
                self.problems.error(
                    factor.place, f"'times' works on numbers; {field.name} is {article(field.type)}"
                )
                return None
            times = number.scaled
        if (shift := node.get("plus")) is not None:
            text = self.words(shift, "a number or a length of time")
            if text is None:
                return None
            if field.type not in NUMERIC | TEMPORAL:
                what = f"'plus' works on numbers and dates; {field.name} is {article(field.type)}"
                self.problems.error(shift.place, what)
                return None
            written, direction = (
                (text.value[1:].strip(), -1) if text.value.startswith("-") else (text.value, 1)
            )
            if field.type in NUMERIC:
                number = self.number(Text(written, text.place), field)
                if number is None:
                    return None
                plus = number.scaled
            else:
                length = self._length(Text(written, text.place))
                if length is None:
                    return None
                if not length.fixed:
                    self.problems.error(
                        text.place,
                        f"'plus' cannot take {length.unit}: they are not equally long for every record",
                        "use seconds, minutes, hours, days or weeks",
                    )
                    return None
                if self._timeless(text, length, field, found):
                    return None
                plus = length
        return Other(found, times, plus, direction)

    def unknown_field(self, text: Text) -> None:
        if text.value in self.scope.broken:
            return
        hint = did_you_mean(text.value, [*self.scope.names(), *self.scope.conditions])
        self.problems.error(
            text.place, f"'{text.value}' is not known in a condition on {self.scope.label}", hint
        )


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


def _length_hint(written: str) -> str:
    found = re.match(r"\s*(\d+)?\s*(.*)", written)
    number, unit = (found[1] or "14", found[2]) if found else ("14", "")
    near = did_you_mean(unit, UNITS)
    return (
        near.replace("'", f"'{number} ", 1)
        if near
        else "write a number and a unit, e.g. 14 days or 10 business days"
    )
