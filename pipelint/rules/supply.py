"""What one connection can say: which fields and facts are not synced there, which histories begin late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelint.records import Stream
from pipelint.rules.catalogue import RECORD_STREAM, Entity, RecordKind
from pipelint.rules.compile_condition import Inputs
from pipelint.rules.compile_fact import fields_of
from pipelint.rules.conditions import All, Condition, Test, Word, fields_in, tests_in
from pipelint.rules.facts import Difference, Fact, Filled, OpenCriteria, OverRows, Ratio
from pipelint.rules.fields import Field, Origin
from pipelint.rules.lower_bound import Seen, seen_of
from pipelint.rules.pack import Pack, native_names


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a connection delivered: canonical fields and CRM field names by stream, and late histories."""

    connection: str
    crm: str
    fields: Mapping[Stream, frozenset[str]]
    custom: Mapping[Stream, frozenset[str]] = field(default_factory=dict)
    complete_since: Mapping[Stream, int] = field(default_factory=dict)
    """Microseconds UTC from which a history misses nothing; absent where it never did."""
    whole_changes: frozenset[str] = frozenset()
    """The fields whose every change is known, however late the history of others begins."""
    last_only: Mapping[Stream, frozenset[str]] = field(default_factory=dict)
    """Fields of which the last value of each kind alone is known."""


def inputs_of(pack: Pack, kind: RecordKind, delivered: Delivered) -> Inputs:
    """The names that this connection leaves unknown, and the facts that are only lower bounds there."""
    names = _Names(pack, kind, delivered)
    known = {**pack.known[kind], **{name: fact.field for name, fact in pack.facts[kind].items()}}
    unsynced = {name for name, each in known.items() if not names.supplied(each)}
    partial: dict[str, Seen] = {}
    untold: set[str] = set()
    for name, fact in pack.facts[kind].items():
        if isinstance(fact.form, OverRows):
            if names.begins_late(fact.form) or names.lacks_earlier(fact.form):
                partial[name] = seen_of(fact.form)
            if names.lacks_earlier(fact.form):
                untold.add(name)
        elif any(each.name in partial for each in fields_of(fact)):  # what it is based on comes first
            partial[name] = "lost"
    return Inputs(frozenset(unsynced), partial, frozenset(untold))


def custom_source(pack: Pack, name: str, delivered: Delivered) -> str | None:
    """The CRM's name of a mapped field on this connection, where the pack gives one."""
    mapped = pack.fields.get(name)
    names = native_names(mapped.names, delivered.crm, delivered.connection) if mapped else ()
    return names[0] if names else None


_DERIVED = {
    "stage_probability": (Stream.STAGES, "probability"),
    "stage_entered_at": (Stream.STAGE_CHANGES, "to_stage"),
    "closed_at": (Stream.STAGE_CHANGES, "to_stage"),
}


def derived_from(name: str, delivered: Delivered) -> Stream | None:
    """The stream that says a field which the record itself does not carry on this connection (rules.md §4.3a)."""
    stream, column = _DERIVED.get(name, (None, ""))
    return stream if stream and column in delivered.fields.get(stream, frozenset()) else None


class _Names:
    def __init__(self, pack: Pack, kind: RecordKind, delivered: Delivered) -> None:
        self.pack = pack
        self.kind: RecordKind = kind
        self.delivered = delivered
        self.own = delivered.fields.get(RECORD_STREAM[kind], frozenset())
        self.memory: dict[str, bool] = {}

    def supplied(self, each: Field) -> bool:
        if each.name not in self.memory:
            self.memory[each.name] = self._supplied(each)
        return self.memory[each.name]

    def _supplied(self, each: Field) -> bool:
        match each.origin:
            case Origin.RECORD:
                return each.source in self.own or derived_from(each.source, self.delivered) is not None
            case Origin.ACCOUNT:
                return "account" in self.own and (
                    each.source == "id" or self._has(Stream.ACCOUNTS, each.source)
                )
            case Origin.OWNER:
                return "owner" in self.own and (each.source == "id" or self._has(Stream.OWNERS, each.source))
            case Origin.CUSTOM:
                return self._custom(each)
            case Origin.STAGE:
                return "stage" in self.own
            case Origin.MARKER:
                marked = self.pack.known[self.kind].get(each.source)
                return marked is None or self.supplied(marked)
            case Origin.FACT:
                fact = self.pack.facts[self.kind].get(each.name)
                return fact is None or self._fact(fact)
            case _:
                return True

    def _custom(self, each: Field) -> bool:
        source = custom_source(self.pack, each.name, self.delivered)
        stream = Stream.ACCOUNTS if each.name.startswith("account.") else RECORD_STREAM[self.kind]
        if source is not None:
            return source in self.delivered.custom.get(stream, frozenset())
        if self._has(stream, each.name.removeprefix("account.")):
            return True  # mapped for another CRM, and this one has it by itself
        mapped = self.pack.fields.get(each.name)
        if mapped is not None and mapped.unmapped_is_blank:
            return True
        return each.name == "next_step_date" and self._has(Stream.ACTIVITIES, "planned_at")

    def _has(self, stream: Stream, name: str) -> bool:
        return name in self.delivered.fields.get(stream, frozenset())

    def _fact(self, fact: Fact) -> bool:
        match fact.form:
            case Filled(fields):
                return all(self.supplied(each) for each in fields)
            case Difference(left, right):
                return all(each is None or self.supplied(each) for each in (left, right))
            case Ratio(left, right):
                return self.supplied(left) and self.supplied(right)
            case OpenCriteria():
                return self._has(RECORD_STREAM[self.kind], "stage")
            case OverRows():
                return self._rows(fact.form)

    def _rows(self, form: OverRows) -> bool:
        stream = form.entity.stream
        if stream not in self.delivered.fields:
            return False
        read = [each for each in (form.value, form.start, form.end) if each is not None]
        if form.where is not None:
            read.extend(fields_in(form.where))
            if not all(self._change_seen(test) for test in tests_in(form.where)):
                return False
        return all(self._row_field(form.entity, each) for each in read)

    def _change_seen(self, test: Test) -> bool:
        """Whether the fields that a test on a change's `field` names are delivered: others never change here."""
        known = self.pack.known[self.kind]
        named = [word.text for word in test.operands if isinstance(word, Word)]
        return test.field.name != "field" or all(self.supplied(known[n]) for n in named if n in known)

    def begins_late(self, form: OverRows) -> bool:
        """Whether a history begins too late for a fact: not where every change of the fields it counts is known."""
        if form.entity.stream not in self.delivered.complete_since:
            return False
        named = _fields_named(form.where)
        whole = bool(named) and named <= self.delivered.whole_changes
        return not (form.entity.stream is Stream.FIELD_CHANGES and whole)

    def lacks_earlier(self, form: OverRows) -> bool:
        """Whether a fact asks for more than the last row of each kind, where no others are told."""
        last_only = self.delivered.last_only.get(form.entity.stream, frozenset())
        asked = {each.name for each in fields_in(form.where)} if form.where is not None else set()
        if not asked & last_only:
            return False
        return form.function not in {"latest", "last"} or not asked <= last_only | {"type"}

    def _row_field(self, entity: Entity, each: Field) -> bool:
        if each.name.startswith("record."):
            inner = self.pack.known[self.kind].get(each.name.removeprefix("record."))
            return inner is not None and self.supplied(inner)
        stream = entity.stream
        if stream is RECORD_STREAM[self.kind]:  # the other opportunities of the account
            return "account" in self.own and self.supplied(self.pack.known[self.kind][each.name])
        if stream is Stream.ACTIVITIES and each.name == "role":
            return self._has(Stream.CONTACT_ROLES, "role")
        made = {
            "from_kind": "from_stage",
            "to_kind": "to_stage",
            "to_number": "to_stage",
            "skipped": "to_stage",
            "moved": "new",
        }
        return self._has(stream, made.get(each.name, each.name))


def _fields_named(where: Condition | None) -> set[str]:
    """The fields that every row must be a change of; empty where rows may be of any."""
    if isinstance(where, Test) and where.field.name == "field" and where.name in {"is", "one_of"}:
        return {word.text for word in where.operands if isinstance(word, Word)}
    if isinstance(where, All):
        return next((named for item in where.items if (named := _fields_named(item))), set())
    return set()
