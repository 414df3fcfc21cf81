"""Reads what stands behind an operator into typed operands, or says what was expected there."""

from __future__ import annotations

from typing import Literal

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean
from pipelint.rules.calendar import Length
from pipelint.rules.conditions import Operand, Other
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType, article, comparable
from pipelint.rules.literals import Literals
from pipelint.rules.scope import Scope
from pipelint.rules.times import PERIOD_UNITS, Times


class OperandReader:
    """Reads operands in one scope; every method returns None after reporting a mistake."""

    def __init__(self, scope: Scope, problems: Problems) -> None:
        self.scope = scope
        self.problems = problems
        self.literals = Literals(scope, problems)
        self.times = Times(self.literals, problems)

    def value(self, node: Node, field: Field) -> Operand | None:
        """One value of the field's own type, or another field of the record."""
        if isinstance(node, Map):
            return self.other(node, field)
        if field.type in TEMPORAL:
            reserved = isinstance(node, Text) and self._reserved(node, field)
            return None if reserved else self.times.day(node)
        text = self.literals.words(node, f"a value of {field.name}")
        if text is None or self._reserved(text, field):
            return None
        if field.type in NUMERIC:
            return self.literals.number(text, field)
        if field.type is FieldType.YES_NO:
            return self.literals.truth(text, field)
        return self.literals.word(text, field)

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
        resolved = self.literals.resolve(node)
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
        text = self.literals.words(named, "the name of a field")
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
        if isinstance(unit, Text) and unit.value in PERIOD_UNITS:
            return Other(found, period=unit.value)
        self.problems.error(
            (unit or node).place, "a period is missing here", "write period: month, quarter or year"
        )
        return None

    def _moved(self, node: Map, field: Field, found: Field) -> Other | None:
        factor, shift = node.get("times"), node.get("plus")
        times = None if factor is None else self._times(factor, field)
        moved = None if shift is None else self._plus(shift, field, found)
        if (factor is not None and times is None) or (shift is not None and moved is None):
            return None
        plus, direction = moved or (None, 1)
        return Other(found, times, plus, direction)

    def _times(self, node: Node, field: Field) -> int | None:
        """The factor behind `times`, scaled."""
        text = self.literals.words(node, "a number")
        number = None if text is None else self.literals.number(text, Field("times", FieldType.NUMBER, ""))
        if number is None:
            return None
        if field.type not in NUMERIC:
            what = f"'times' works on numbers; {field.name} is {article(field.type)}"
            self.problems.error(node.place, what)
            return None
        return number.scaled

    def _plus(self, node: Node, field: Field, found: Field) -> tuple[int | Length, Literal[-1, 1]] | None:
        """What stands behind `plus`, scaled or a length of time, and whether it goes back or ahead."""
        text = self.literals.words(node, "a number or a length of time")
        if text is None:
            return None
        if field.type not in NUMERIC | TEMPORAL:
            what = f"'plus' works on numbers and dates; {field.name} is {article(field.type)}"
            self.problems.error(node.place, what)
            return None
        back = text.value.startswith("-")
        written = Text(text.value[1:].strip(), text.place) if back else Text(text.value, text.place)
        direction: Literal[-1, 1] = -1 if back else 1
        if field.type in NUMERIC:
            number = self.literals.number(written, field)
            return None if number is None else (number.scaled, direction)
        length = self.times.length(written)
        if length is None:
            return None
        if not length.fixed:
            self.problems.error(
                text.place,
                f"'plus' cannot take {length.unit}: they are not equally long for every record",
                "use seconds, minutes, hours, days or weeks",
            )
            return None
        return None if self.times.timeless(text, length, field, found) else (length, direction)

    def unknown_field(self, text: Text) -> None:
        if text.value in self.scope.broken:
            return
        hint = did_you_mean(text.value, [*self.scope.names(), *self.scope.conditions])
        self.problems.error(
            text.place, f"'{text.value}' is not known in a condition on {self.scope.label}", hint
        )
