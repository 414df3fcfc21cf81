"""Reads `facts:` into typed facts, each with exactly one form (rules.md §4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import Calendar
from pipelint.rules.catalogue import ENTITIES, Entity, RecordKind
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.facts import Difference, Fact, Filled, Form, Function, OverRows, Ratio, reads_money
from pipelint.rules.fields import NUMERIC, TEMPORAL, Field, FieldType, Origin
from pipelint.rules.form import Form as Keys
from pipelint.rules.form import texts_of
from pipelint.rules.pack import Stage
from pipelint.rules.scope import Scope
from pipelint.rules.sections import Entry

_WHOLE_ROWS = ("count",)
_OF_VALUES = ("count_distinct", "sum", "latest", "earliest", "last", "first")
_BUILTIN_ONLY = ("greatest",)
_OF_FIELDS = ("filled", "difference", "ratio")
_FORMS = (*_WHOLE_ROWS, *_OF_VALUES, "sum_days", *_OF_FIELDS)
_KEYS = (*_FORMS, "where", "from", "to", "for", "label", "replaces_builtin")
_KINDS = ("opportunity", "lead")
_STAGES = ("stage", "from_stage", "to_stage")
_TODAY = Field("today", FieldType.DATE, "the day on which the rules are looked at")


class FactReader:
    """Reads the facts of one kind of record; facts may refer to each other in any order."""

    def __init__(
        self,
        kind: RecordKind,
        fields: Mapping[str, Field],
        section: Mapping[str, Entry],
        calendar: Calendar,
        stages: Sequence[Stage],
        problems: Problems,
    ) -> None:
        self.stages = tuple(stage.name for stage in stages)
        self.kind: RecordKind = kind
        self.fields = fields
        self.calendar = calendar
        self.problems = problems
        self.section = {name: entry for name, entry in section.items() if self._concerns(entry)}
        self.price_marker = fields["amount"].marker if "amount" in fields else ""
        self.facts: dict[str, Fact] = {}
        self.broken: set[str] = set()
        self._open: list[str] = []

    def read(self) -> dict[str, Fact]:
        """Every fact of this kind, those that others are based on first."""
        for name in self.section:
            self._fact(name)
        return self.facts

    def _concerns(self, entry: Entry) -> bool:
        node = entry.node
        if not isinstance(node, Map):
            return self.kind == "opportunity"
        kind = node.get("for")
        if isinstance(kind, Text):
            if kind.value == "owner":
                self.problems.error(
                    kind.place, "facts for owners are not supported yet", "leave it out for now"
                )
            elif kind.value not in _KINDS:
                hint = did_you_mean(kind.value, _KINDS) or f"it is one of: {', '.join(_KINDS)}"
                self.problems.error(kind.place, f"'{kind.value}' is not a value of 'for'", hint)
            return kind.value == self.kind
        if entry.origin == "builtin":
            return self._suits(node)
        return self.kind == "opportunity"

    def _suits(self, node: Map) -> bool:
        """A built-in fact serves every kind that has what it is made of."""
        for key, value in node.entries:
            if key.value in _OF_FIELDS:
                names = [text.value for text in texts_of(value, "", self.problems)]
                return all(name == "today" or name in self.fields for name in names)
            if isinstance(value, Text) and key.value in (*_FORMS, *_BUILTIN_ONLY):
                entity = ENTITIES.get(value.value.partition(".")[0])
                of_opportunities = entity is not None and entity.name == "field_changes"
                return (
                    entity is not None
                    and self.kind in entity.kinds
                    and (self.kind == "opportunity" or not of_opportunities)
                )
        return False

    def _fact(self, name: str) -> Fact | None:
        if name in self.facts or name in self.broken:
            return self.facts.get(name)
        entry = self.section.get(name)
        if entry is None:
            return None
        if name in self._open:
            members = self._open[self._open.index(name) :]
            self.broken.update(members)
            circle = " → ".join((*members, name))
            self.problems.error(entry.key.place, f"facts go round in a circle: {circle}")
            return None
        if name in self.fields:
            self.problems.error(
                entry.key.place, f"'{name}' is the name of a field already", "choose another name"
            )
            return None
        self._open.append(name)
        known = (*_KEYS, *_BUILTIN_ONLY) if entry.origin == "builtin" else _KEYS
        keys = Keys(entry.node, f"the fact {name}", known, self.problems)
        built = self._form(keys, entry)
        self._open.pop()
        if built is None or name in self.broken:
            self.broken.add(name)
            return None
        form, field = built
        label = keys.text("label")
        field = replace(
            field, name=name, about=label.value if label else name, origin=Origin.FACT, source=name
        )
        if reads_money(form):
            field = replace(field, marker=self.price_marker)
        fact = Fact(name, self.kind, field, form, entry.key.place)
        self.facts[name] = fact
        return fact

    def _form(self, keys: Keys, entry: Entry) -> tuple[Form, Field] | None:
        given = [key for key in (*_FORMS, *_BUILTIN_ONLY) if keys.has(key)]
        if len(given) != 1:
            what = f"a fact has exactly one of {', '.join(_FORMS)}"
            found = f"here are {' and '.join(given)}" if given else "here is none"
            self.problems.error(entry.key.place, f"{what}; {found}")
            return None
        name = given[0]
        self._idle(keys, name)
        if name in _OF_FIELDS:
            return self._of_fields(name, cast("Node", keys.node(name)))
        return self._over_rows(name, keys)

    def _idle(self, keys: Keys, form: str) -> None:
        """Report keys that this form of a fact does not look at."""
        idle = [] if form == "sum_days" else ["from", "to"]
        idle += ["where"] if form in _OF_FIELDS else []
        for key in idle:
            if keys.has(key):
                works = "counts and other looks at related rows" if key == "where" else "sum_days"
                self.problems.error(keys.key_place(key), f"'{key}' works with {works}, not with '{form}'")

    def _of_fields(self, name: str, node: Node) -> tuple[Form, Field] | None:
        if not isinstance(node, List):
            self.problems.error(node.place, f"{kind_of(node)} stands where a list of fields is expected")
            return None
        fields = [self._name(text) for text in texts_of(node, f"'{name}'", self.problems)]
        found = [field for field in fields if field is not None]
        if len(found) < len(node.items):
            return None
        if name == "filled" and _TODAY in found:
            self.problems.error(node.place, "'filled' counts fields; today is always there", "leave it out")
            return None
        if name == "filled":
            return Filled(tuple(found)), Field("", FieldType.NUMBER, "")
        if len(found) != 2:
            self.problems.error(node.place, f"'{name}' takes two fields, here are {len(found)}")
            return None
        left, right = found
        if name == "ratio":
            if left.type in NUMERIC and right.type in NUMERIC:
                return Ratio(left, right), Field("", FieldType.NUMBER, "")
        elif left.type in TEMPORAL and right.type in TEMPORAL:
            form = Difference(None if left is _TODAY else left, None if right is _TODAY else right)
            counts_from = right.name if left is _TODAY else ""
            return form, Field("", FieldType.DAYS, "", counts_from=counts_from)
        elif left.type in NUMERIC and right.type in NUMERIC:
            money = FieldType.MONEY if left.type is right.type is FieldType.MONEY else FieldType.NUMBER
            return Difference(left, right), Field("", money, "")
        self.problems.error(
            node.place, f"'{name}' of {left.name} and {right.name}: take two numbers or two dates"
        )
        return None

    def _name(self, text: Text) -> Field | None:
        if text.value == "today":
            return _TODAY
        if text.value in self.fields:
            return self.fields[text.value]
        if text.value in self.section:
            fact = self._fact(text.value)
            return None if fact is None else fact.field
        hint = did_you_mean(text.value, [*self.fields, *self.section])
        self.problems.error(text.place, f"'{text.value}' is neither a field nor a fact", hint)
        return None

    def _over_rows(self, name: str, keys: Keys) -> tuple[Form, Field] | None:
        text = keys.text(name)
        if text is None:
            return None
        entity_name, _, value_name = text.value.partition(".")
        entity = ENTITIES.get(entity_name)
        if entity is None or self.kind not in entity.kinds:
            known = [each.name for each in ENTITIES.values() if self.kind in each.kinds]
            hint = did_you_mean(entity_name, known) or f"known are: {', '.join(known)}"
            self.problems.error(text.place, f"there are no related rows named '{entity_name}'", hint)
            return None
        scope = self._scope(entity, keys.node("where"))
        if scope is None:
            return None
        value: Field | None = None
        if name in (*_OF_VALUES, *_BUILTIN_ONLY):
            value = self._value(name, entity, value_name, scope, text)
            if value is None:
                return None
        where_node = keys.node("where")
        where = read_condition(where_node, scope, self.problems) if where_node is not None else None
        if where_node is not None and where is None:
            return None
        if name == "sum_days":
            ends = [self._end(keys, key, scope) for key in ("from", "to")]
            if ends[0] is None or ends[1] is None:
                return None
            form = OverRows(entity, "sum_days", None, ends[0], ends[1], where)
            return form, Field("", FieldType.DAYS, "")
        form = OverRows(entity, cast("Function", name), value, where=where)
        return form, _result(name, value)

    def rows(self, keys: Keys, key: str) -> OverRows | None:
        """The related rows that a score's `for_each` names, as far as its `where` holds; counted."""
        made = self._over_rows(key, keys)
        return replace(made[0], function="count") if made and isinstance(made[0], OverRows) else None

    def _scope(self, entity: Entity, where: Node | None) -> Scope | None:
        fields = {
            field.name: replace(field, values=self.stages) if field.name in _STAGES else field
            for field in entity.fields
        }
        if entity.name == "field_changes":
            changed = self._changed_field(where)
            if changed is None and isinstance(where, Map) and (where.get("old") or where.get("new")):
                hint = "add the field's name, e.g. field: close_date"
                self.problems.error(where.place, "'old' and 'new' have no type before 'field' is named", hint)
                return None
            if changed is not None:
                for name in ("old", "new"):
                    fields[name] = replace(
                        changed,
                        name=name,
                        origin=Origin.ENTITY,
                        source=name,
                        marker="",
                        prefix=f"{name}:{changed.name}",
                    )
        return Scope(entity.name, fields, self.calendar, outer=self.fields)

    def _changed_field(self, where: Node | None) -> Field | None:
        named = where.get("field") if isinstance(where, Map) else None
        if not isinstance(named, Text):
            return None
        field = self.fields.get(named.value)
        if field is None:
            self.problems.error(
                named.place,
                f"'{named.value}' is no field of this record",
                did_you_mean(named.value, self.fields),
            )
        return field

    def _value(self, name: str, entity: Entity, value_name: str, scope: Scope, text: Text) -> Field | None:
        field = scope.fields.get(value_name)
        if field is None:
            hint = did_you_mean(value_name, scope.fields) if value_name else f"write {entity.name}.FIELD"
            what = f"{entity.name} have no field '{value_name}'" if value_name else f"'{name}' needs a field"
            self.problems.error(text.place, what, hint or f"they have: {', '.join(scope.fields)}")
            return None
        wrong = (name == "sum" and field.type not in NUMERIC) or (
            name in {"latest", "earliest"} and field.type not in TEMPORAL
        )
        if wrong:
            works = "numbers" if name == "sum" else "dates"
            self.problems.error(text.place, f"'{name}' works on {works}; {field.name} is {field.type.value}")
            return None
        return field

    def _end(self, keys: Keys, key: str, scope: Scope) -> Field | None:
        text = keys.required(key, "name the date on each side: from: old, to: new")
        field = None if text is None else scope.fields.get(text.value)
        if text is not None and (field is None or field.type not in TEMPORAL):
            self.problems.error(text.place, f"'{text.value}' is no date of {scope.label}")
            return None
        return field


def _result(name: str, value: Field | None) -> Field:
    if name in {"count", "count_distinct"} or value is None:
        return Field("", FieldType.NUMBER, "")
    return Field("", value.type, "", values=value.values)
