"""Reads the values of a test as a CRM would deliver them, by the type of their field."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from pipelint.config.nodes import List, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import Calendar
from pipelint.rules.cases import Value
from pipelint.rules.fields import NUMERIC, Field, FieldType
from pipelint.rules.text import clean, fold

NOT_SYNCED = "not synced"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def is_not_synced(node: Node) -> bool:
    """Whether the words `not synced` stand in place of a value or of rows."""
    return isinstance(node, Text) and not node.quoted and node.value == NOT_SYNCED


class ValueReader:
    """Reads single values; every method returns None for a blank, and after reporting a mistake."""

    def __init__(self, calendar: Calendar, problems: Problems) -> None:
        self.calendar = calendar
        self.problems = problems

    def read(self, node: Node, field: Field, *, strict: bool = True) -> Value:
        """One value of a field; `strict` refuses a word that a choice does not have."""
        if isinstance(node, List) and field.type is FieldType.CHOICES:
            members = [self.read(item, field, strict=strict) for item in node.items]
            return tuple(word for member in members if isinstance(member, tuple) for word in member)
        if not isinstance(node, Text):
            self.problems.error(
                node.place, f"{kind_of(node)} stands where a value of {field.name} is expected"
            )
            return None
        if node.is_empty or (node.value == "blank" and not node.quoted):
            return None
        if field.type in NUMERIC:
            return self.number(node)
        if field.type is FieldType.DATE:
            return self.day(node)
        if field.type is FieldType.DATETIME:
            return self.instant(node, midnight=True)
        if field.type is FieldType.YES_NO:
            return self.truth(node)
        word = self.word(node, field) if strict and field.values else node.value
        return (word,) if field.type is FieldType.CHOICES and word is not None else word

    def word(self, text: Text, field: Field) -> str | None:
        cleaned = clean(text.value)
        found = None if cleaned is None else next((v for v in field.values if fold(v) == fold(cleaned)), None)
        if found is None:
            hint = did_you_mean(text.value, field.values)
            hint = hint or "to test a word that nobody mapped, expect flags: [unknown-value]"
            self.problems.error(text.place, f"{field.name} has no value '{text.value}'", hint)
        return found

    def number(self, text: Text) -> Decimal | None:
        plain = text.value.strip().removesuffix("%").removesuffix("days").strip()
        if _NUMBER.fullmatch(plain):
            return Decimal(plain)
        self.problems.error(text.place, f"'{text.value}' is not a number", "write digits, e.g. 50000")
        return None

    def truth(self, text: Text) -> bool | None:
        word = text.value.casefold()
        if word in {"yes", "true", "no", "false"}:
            return word in {"yes", "true"}
        self.problems.error(text.place, f"'{text.value}' is neither yes nor no")
        return None

    def day(self, node: Node) -> date | None:
        written = node.value.strip() if isinstance(node, Text) else ""
        try:
            return date.fromisoformat(written)
        except ValueError:
            self.problems.error(node.place, f"{kind_of(node)} is not a date", "write 2026-12-31")
            return None

    def instant(self, text: Text, *, midnight: bool = False) -> datetime | None:
        """A local time as an instant; a day alone is its first moment, or where it is the time of a test its noon."""
        written = text.value.strip()
        try:
            if len(written) == 10:
                local = datetime.combine(date.fromisoformat(written), time() if midnight else time(12))
            else:
                local = datetime.fromisoformat(written)
        except ValueError:
            self.problems.error(text.place, f"'{text.value}' is not a time", "write 2026-11-20 10:00")
            return None
        return self.calendar.instant(local) if local.tzinfo is None else local
