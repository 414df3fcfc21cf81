"""Reads words, numbers and yes or no as conditions write them, looking up what a `$setting` stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipelint.config.nodes import List, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import Length
from pipelint.rules.conditions import Count, FromSetting, Number, Truth, Word
from pipelint.rules.fields import Field, FieldType
from pipelint.rules.ir import SCALE
from pipelint.rules.scope import Scope
from pipelint.rules.text import clean, fold

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


class Literals:
    """Reads single values in one scope; every method returns None after reporting a mistake."""

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

    def from_settings(self, node: Node) -> Iterator[FromSetting]:
        """The settings that an operand names, with the places of their values."""
        for text in settings_in(node):
            setting = self.scope.settings.get(text.value[1:])
            if setting is not None:
                yield FromSetting(text.value[1:], setting.place)

    def words(self, node: Node, expected: str) -> Text | None:
        resolved = self.resolve(node)
        if resolved is None:
            return None
        if isinstance(resolved, Text) and not resolved.is_empty:
            return resolved
        self.problems.error(resolved.place, f"{kind_of(resolved)} stands where {expected} is expected")
        return None

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


def settings_in(node: Node) -> Iterator[Text]:
    """Every `$setting` that is written in a node."""
    if isinstance(node, Text):
        if node.value.startswith("$") and not node.quoted:
            yield node
        return
    for item in node.items if isinstance(node, List) else [value for _, value in node.entries]:
        yield from settings_in(item)
