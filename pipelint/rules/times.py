"""Reads days, lengths and periods as conditions write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from pipelint.config.nodes import Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import PERIODS, UNITS, Length
from pipelint.rules.conditions import Day, End, Period, Span
from pipelint.rules.fields import Field, FieldType
from pipelint.rules.literals import Literals

PERIOD_UNITS = ("week", "month", "quarter", "year")
_DATE_HINT = "write 2026-12-31, today, today + 14 days, or {field: other_date}"
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TODAY = re.compile(r"today(?:\s*([+-])\s*(.+))?")


class Times:
    """Reads points and lengths of time; every method returns None after reporting a mistake."""

    def __init__(self, literals: Literals, problems: Problems) -> None:
        self.literals = literals
        self.problems = problems

    def day(self, node: Node) -> Day | None:
        text = self.literals.words(node, "a date")
        if text is None:
            return None
        written = text.value.strip()
        if found := _TODAY.fullmatch(written):
            if found[1] is None:
                return Day(None)
            length = self.length(Text(found[2].strip(), text.place), calendar_only=True)
            direction: Literal[-1, 1] = -1 if found[1] == "-" else 1
            return None if length is None else Day(None, length, direction)
        try:
            if _DATE.fullmatch(written):
                return Day(date.fromisoformat(written))
        except ValueError:
            pass
        hint = f"write {{during: {written}}}" if written in PERIODS else _DATE_HINT
        self.problems.error(text.place, f"'{written}' is not a date", hint)
        return None

    def span(self, node: Node, field: Field) -> Span | None:
        text = self.literals.words(node, "a length of time")
        length = None if text is None else self.length(text)
        if length is None or text is None:
            return None
        return None if self.timeless(text, length, field) else Span(length)

    def timeless(self, text: Text, length: Length, *fields: Field) -> bool:
        """Whether a clock length stands beside a plain date, which has no instant; that is reported."""
        plain = next((field for field in fields if field.type is FieldType.DATE), None)
        if not length.is_clock or plain is None:
            return False
        what = f"{plain.name} is a date without a time, so it cannot be counted in {length.unit}"
        self.problems.error(text.place, what, "use days")
        return True

    def length(self, text: Text, *, calendar_only: bool = False) -> Length | None:
        """A length of time; `calendar_only` refuses hours and the like."""
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
        text = self.literals.words(node, "a period")
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
        if name.value not in PERIOD_UNITS:
            self.problems.error(
                name.place, f"'{name.value}' is not a period", did_you_mean(name.value, PERIOD_UNITS)
            )
            return None
        text = self.literals.words(value, "a number of days")
        length = None if text is None else Length.parse(text.value)
        if length is None or length.unit != "days":
            if text is not None:
                self.problems.error(text.place, f"'{text.value}' is not a number of days", "write 10 days")
            return None
        return End(name.value, length.count)


def _length_hint(written: str) -> str:
    found = re.match(r"\s*(\d+)?\s*(.*)", written)
    number, unit = (found[1] or "14", found[2]) if found else ("14", "")
    if found and found[1] and not unit:
        return f"write the unit, too: {number} days"
    near = did_you_mean(unit, UNITS)
    return (
        near.replace("'", f"'{number} ", 1)
        if near
        else "write a number and a unit, e.g. 14 days or 10 business days"
    )
