"""Reads a condition's nodes into its checked form; one mistake gives one message (rules.md §4.3, §6)."""

from __future__ import annotations

from collections.abc import Callable

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.conditions import All, AnyOf, Condition, FromSetting, Negated, Number, Operand, Test
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType, article
from pipelint.rules.operands import OperandReader
from pipelint.rules.operators import PLAIN_LIST, PLAIN_VALUE, Operator, Takes, operators_of, types_with
from pipelint.rules.scope import Scope

_LOGIC = ("all", "any", "not")
_GROUPS = {
    **dict.fromkeys(TEMPORAL, "dates"),
    **dict.fromkeys(NUMERIC, "numbers"),
    **dict.fromkeys(TEXTUAL, "text"),
}
_NOUNS = {FieldType.DAYS: "days", FieldType.CHOICES: "multi-select"}
_BARE_LIST = "put 'all:' (every one must hold) or 'any:' (one is enough) above the list"


def read_condition(node: Node, scope: Scope, problems: Problems) -> Condition | None:
    """The checked condition, or None after every mistake in it was reported."""
    return _Reader(scope, problems).condition(node, ())


class _Reader:
    def __init__(self, scope: Scope, problems: Problems) -> None:
        self.scope = scope
        self.problems = problems
        self.operands = OperandReader(scope, problems)
        self.literals = self.operands.literals
        self.times = self.operands.times

    def condition(self, node: Node, inside: tuple[str, ...]) -> Condition | None:
        if isinstance(node, List):
            self.problems.error(node.place, "a list of conditions must say how they combine", _BARE_LIST)
            return None
        if isinstance(node, Text):
            return self.named(node, inside)
        if not node.entries:
            self.problems.error(
                node.place, "the condition is empty", "name a field and a test, e.g. {amount: present}"
            )
            return None
        parts = [self.part(key, value, inside) for key, value in node.entries]
        found = [part for part in parts if part is not None]
        if len(found) < len(parts):
            return None
        return found[0] if len(found) == 1 else All(tuple(found), node.place)

    def named(self, node: Text, inside: tuple[str, ...]) -> Condition | None:
        name = node.value
        target = self.scope.conditions.get(name)
        if target is None:
            if self.scope.find(name) is not None:
                hint = f"'{name}' is a field; say what must hold, e.g. {{{name}: present}}"
            else:
                hint = did_you_mean(name, self.scope.conditions) or "define it under 'conditions:'"
            self.problems.error(node.place, f"there is no condition named '{name}'", hint)
            return None
        if name in inside:
            circle = " → ".join((*inside[inside.index(name) :], name))
            self.problems.error(node.place, f"the condition goes round in a circle: {circle}")
            return None
        self.scope.used_conditions.add(name)
        return self.condition(target, (*inside, name))

    def part(self, key: Text, value: Node, inside: tuple[str, ...]) -> Condition | None:
        if key.value in _LOGIC:
            return self.logic(key, value, inside)
        field = self.scope.find(key.value)
        if field is not None:
            return self.test(field, key, value)
        if key.value.isdecimal() and isinstance(value, Text) and value.is_empty:
            # YAML reads `{amount: 1,000}` as two keys.
            what = f"'{key.value}' stands alone: inside {{ }} a comma begins something new"
            self.problems.error(
                key.place, what, "write numbers without a sign between thousands: 1000 or 1000.5"
            )
        elif key.value in self.scope.conditions:
            self.problems.error(
                key.place,
                f"'{key.value}' is a condition, not a field",
                f"put it in a list: all: [{key.value}, …]",
            )
        elif near := did_you_mean(key.value, _LOGIC):
            known = did_you_mean(key.value, self.scope.names())
            self.problems.error(
                key.place, f"'{key.value}' is not known in a condition on {self.scope.label}", known or near
            )
        else:
            self.operands.unknown_field(key)
        return None

    def logic(self, key: Text, value: Node, inside: tuple[str, ...]) -> Condition | None:
        if key.value == "not":
            item = self.condition(value, inside)
            return None if item is None else Negated(item, key.place)
        if not isinstance(value, List) or not value.items:
            self.problems.error(
                value.place,
                f"'{key.value}' takes a list of conditions, here stands {kind_of(value)}",
                "start each with '- '",
            )
            return None
        items = [self.condition(item, inside) for item in value.items]
        found = tuple(item for item in items if item is not None)
        if len(found) < len(items):
            return None
        return All(found, key.place) if key.value == "all" else AnyOf(found, key.place)

    def test(self, field: Field, key: Text, node: Node) -> Condition | None:
        resolved = self.literals.resolve(node)
        if resolved is None:
            return None
        # In a map of operators each names its own settings; a whole map may be a setting itself.
        settings = () if isinstance(node, Map) else tuple(self.literals.from_settings(node))
        if isinstance(resolved, Map):
            return self.operators(field, key, resolved, settings)
        if isinstance(resolved, Text) and not resolved.quoted and resolved.value in {"blank", "present"}:
            return Test(field, "blank" if resolved.value == "blank" else "present", (), key.place)
        if isinstance(resolved, Text) and resolved.is_empty:
            self.problems.error(
                key.place, f"there is no test behind '{key.value}'", "write 'blank', 'present' or a value"
            )
            return None
        plain = PLAIN_LIST if isinstance(resolved, List) else PLAIN_VALUE
        name = plain.get(field.type)
        if name is None:
            hint = f"use one of: {', '.join(operators_of(field.type))}"
            self.problems.error(
                resolved.place, f"{field.name} is {article(field.type)} and takes no list", hint
            )
            return None
        operator = operators_of(field.type)[name]
        operands = self.read(operator, field, resolved)
        return None if operands is None else Test(field, operator, operands, key.place, None, settings)

    def operators(
        self, field: Field, key: Text, node: Map, settings: tuple[FromSetting, ...]
    ) -> Condition | None:
        if_blank = self.if_blank(node)
        tests = [
            self.one(field, name, value, if_blank, settings)
            for name, value in node.entries
            if name.value != "if_blank"
        ]
        if not tests:
            self.problems.error(
                node.place, f"there is no test behind '{key.value}'", "write 'blank', 'present' or a value"
            )
            return None
        found = [test for test in tests if test is not None]
        if len(found) < len(tests):
            return None
        return found[0] if len(found) == 1 else All(tuple(found), key.place)

    def if_blank(self, node: Map) -> bool | None:
        value = node.get("if_blank")
        text = None if value is None else self.literals.words(value, "yes or no")
        truth = None if text is None else self.literals.truth(text, Field("if_blank", FieldType.YES_NO, ""))
        return None if truth is None else truth.value

    def one(
        self,
        field: Field,
        name: Text,
        value: Node,
        if_blank: bool | None,
        settings: tuple[FromSetting, ...],
    ) -> Test | None:
        operator = operators_of(field.type).get(name.value)
        if operator is None:
            self.wrong_operator(field, name)
            return None
        operands = self.read(operator, field, value)
        if operands is None:
            return None
        settings = (*settings, *self.literals.from_settings(value))
        return Test(field, operator, operands, name.place, if_blank, settings)

    def wrong_operator(self, field: Field, name: Text) -> None:
        own = operators_of(field.type)
        if name.value in {"blank", "present"}:
            hint = f"write {field.name}: {name.value}"
            self.problems.error(name.place, f"'{name.value}' stands alone behind the field", hint)
            return
        elsewhere = types_with(name.value)
        if not elsewhere:
            near = did_you_mean(name.value, [*own, "if_blank"]) or f"it has: {', '.join(own)}"
            self.problems.error(
                name.place, f"'{name.value}' is not known in a test of {_type_of(field)} field", near
            )
            return
        works = _GROUPS.get(elsewhere[0]) or article(elsewhere[0])
        like = [
            other for other in self.scope.names() if (f := self.scope.find(other)) and f.type in elsewhere
        ]
        near = did_you_mean(f"{field.name}_date" if set(elsewhere) & TEMPORAL else field.name, like)
        hint = near or f"on {field.name} use: {', '.join(own)}"
        self.problems.error(
            name.place, f"'{name.value}' works on {works}; {field.name} is {article(field.type)}", hint
        )

    def read(self, operator: Operator, field: Field, node: Node) -> tuple[Operand, ...] | None:
        many: dict[Takes, Callable[[Node, Field], tuple[Operand, ...] | None]] = {
            Takes.VALUES: self.operands.values,
            Takes.RANGE: self.range,
        }
        if (reader := many.get(operator.takes)) is not None:
            return reader(node, field)
        operand = self.single(operator, field, node)
        return None if operand is None else (operand,)

    def single(self, operator: Operator, field: Field, node: Node) -> Operand | None:
        match operator.takes:
            case Takes.COUNT:
                return self.literals.count(node)
            case Takes.LENGTH:
                return self.times.span(node, field)
            case Takes.PERIOD:
                return self.times.period(node)
            case Takes.END:
                return self.times.end(node)
            case Takes.FIELD_PERIOD:
                if isinstance(node, Map):
                    return self.operands.other(node, field, period=True)
                self.problems.error(
                    node.place, "another date is expected here", "{field: other_date, period: quarter}"
                )
                return None
            case _:
                if isinstance(node, List):
                    self.problems.error(
                        node.place, f"'{operator.name}' takes one value, here stands a list", "use one_of"
                    )
                    return None
                return self.operands.value(node, field)

    def range(self, node: Node, field: Field) -> tuple[Operand, ...] | None:
        resolved = self.literals.resolve(node)
        if not isinstance(resolved, List) or len(resolved.items) != 2:
            if resolved is not None:
                self.problems.error(resolved.place, "'between' takes two values", "write [low, high]")
            return None
        ends = self.operands.values(resolved, field)
        if ends is None:
            return None
        low, high = ends
        if isinstance(low, Number) and isinstance(high, Number) and low.scaled > high.scaled:
            self.problems.error(
                resolved.place,
                f"the low end {low.text} is above the high end {high.text}",
                f"write [{high.text}, {low.text}]",
            )
            return None
        return ends


def _type_of(field: Field) -> str:
    """A type before the word field: 'a date', 'a text', 'an ordered choice'."""
    noun = _NOUNS.get(field.type, field.type.value)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
