"""Reads `tests:`: each test with its records, what lies around them, and what is expected (rules.md §4.12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.config.problems import nearest
from pipelint.rules.cases import Case, Given, Row, Value
from pipelint.rules.catalogue import ENTITIES, ROWS_OF_RECORD, Entity, RecordKind
from pipelint.rules.fields import Field, Origin
from pipelint.rules.form import Form, entries
from pipelint.rules.pack import Pack
from pipelint.rules.read_expectations import ExpectationReader, a_record
from pipelint.rules.read_values import NOT_SYNCED, ValueReader, is_not_synced

LATER = ("baselines", "targets", "owners")
OF_RECORD = ("id", *ROWS_OF_RECORD, "flagged_since")
SINGLE: tuple[RecordKind, ...] = ("opportunity", "lead")
KEYS = ("name", "as_of", *SINGLE, "opportunities", "expect", *ROWS_OF_RECORD, "flagged_since", *LATER)
_DERIVED = frozenset({"from_kind", "to_kind", "to_number", "skipped", "moved"})
_MADE = {
    Origin.FACT: "is worked out from other data, so a test gives that data instead",
    Origin.STAGE: "follows from the stage, so a test gives 'stage'",
    Origin.SCORE: "is a score, so a test gives what the score reads",
}


def read_tests(sections: Sequence[Node], pack: Pack, problems: Problems) -> tuple[Case, ...]:
    """Every test that could be read."""
    reader = _Reader(pack, problems)
    return tuple(case for node in sections for case in reader.section(node))


class _Reader:
    def __init__(self, pack: Pack, problems: Problems) -> None:
        self.pack = pack
        self.problems = problems
        self.values = ValueReader(pack.settings.calendar, problems)
        self.expectations = ExpectationReader(pack, problems)

    def section(self, node: Node) -> Iterator[Case]:
        if isinstance(node, Text) and node.is_empty:
            return
        if not isinstance(node, List):
            what = f"{kind_of(node)} stands where the list of tests is expected"
            self.problems.error(node.place, what, "start each with '- name: …'")
            return
        for item in node.items:
            case = self.case(item)
            if case is not None:
                yield case

    def case(self, node: Node) -> Case | None:
        form = Form(node, "a test", KEYS, self.problems)
        for key in LATER:
            if form.has(key):
                what = f"'{key}' is not supported in a test yet"
                self.problems.error(form.key_place(key), what, "leave this test out for now")
        name = self.required(form, "name", "say in one sentence what it shows")
        written = self.required(form, "as_of", "the local time at which it is checked, e.g. 2026-11-20 10:00")
        as_of = None if written is None else self.values.instant(written)
        records = self.records(form)
        if name is None or as_of is None or not records or any(form.has(key) for key in LATER):
            return None
        return Case(name.value, form.place, as_of, records)

    def required(self, form: Form, key: str, hint: str) -> Text | None:
        """A key that must be there; one that was only misspelt is not reported a second time."""
        misspelt = any(nearest(name, KEYS) == key for name in form.map.names() if name not in KEYS)
        return form.text(key) if misspelt else form.required(key, hint)

    # Records

    def records(self, form: Form) -> tuple[Given, ...]:
        given = [key for key in (*SINGLE, "opportunities") if form.has(key)]
        if len(given) != 1:
            what = "a test needs either 'opportunity', 'lead' or 'opportunities'"
            self.problems.error(form.place, what, "e.g. opportunity: {stage: discovery, amount: 5000}")
            return ()
        if not form.has("expect"):
            self.problems.error(form.place, "'expect' is missing in a test", "e.g. expect: {flags: [a-rule]}")
        if given[0] == "opportunities":
            return self.several(form)
        kind: RecordKind = "lead" if given[0] == "lead" else "opportunity"
        around = [(key, value) for key, value in form.map.entries if key.value in OF_RECORD]
        node = form.node(kind)
        record = self.record(kind, "", node, around, form.node("expect")) if node is not None else None
        return () if record is None else (record,)

    def several(self, form: Form) -> tuple[Given, ...]:
        for key in (*ROWS_OF_RECORD, "flagged_since"):
            if form.has(key):
                hint = "indent it below the record it belongs to"
                what = f"'{key}' belongs inside one of the opportunities"
                self.problems.error(form.key_place(key), what, hint)
        node = form.node("opportunities")
        if not isinstance(node, List):
            place = node.place if node else form.place
            self.problems.error(place, "'opportunities' takes a list", "start each with '- {id: a, …}'")
            return ()
        named = entries(form.node("expect"), "ids", self.problems)
        expected = {key.value: (key, value) for key, value in named}
        found = [self.member(item, expected) for item in node.items]
        records = tuple(record for record in found if record is not None)
        ids = [record.id for record in records]
        for number, record in enumerate(records):
            if record.id in ids[:number]:
                self.problems.error(record.place, f"two records have the id '{record.id}'")
        if len(records) == len(found):
            for written, _ in expected.values():
                if written.value not in ids:
                    hint = did_you_mean(written.value, ids) or f"ids are: {', '.join(ids)}"
                    what = f"no record of this test has the id '{written.value}'"
                    self.problems.error(written.place, what, hint)
        return records if len(records) == len(found) and len(set(ids)) == len(ids) else ()

    def member(self, node: Node, expected: Mapping[str, tuple[Text, Node]]) -> Given | None:
        if not isinstance(node, Map) or not isinstance(name := node.get("id"), Text) or name.is_empty:
            what = "each of several records needs an id"
            self.problems.error(node.place, what, "e.g. {id: a, stage: discovery}")
            return None
        around = [(key, value) for key, value in node.entries if key.value in OF_RECORD]
        mine = expected.get(name.value)
        return self.record("opportunity", name.value, node, around, mine[1] if mine else None)

    def record(
        self, kind: RecordKind, id_: str, node: Node, around: Sequence[tuple[Text, Node]], expect: Node | None
    ) -> Given | None:
        before = len(self.problems.errors)
        expected = tuple(self.expectations.read(kind, expect)) if expect is not None else ()
        strict = not any(each.rule == "unknown-value" for each in expected)
        values: dict[str, Value] = {}
        unsynced: set[str] = set()
        if not isinstance(node, Map) and not (isinstance(node, Text) and node.is_empty):
            what = f"{kind_of(node)} stands where the fields of the {kind} are expected"
            self.problems.error(node.place, what, "e.g. {stage: discovery, amount: 5000}")
        for key, value in node.entries if isinstance(node, Map) else ():
            field = None if key.value in OF_RECORD else self.field(kind, key)
            if field is None:
                continue
            if is_not_synced(value):
                unsynced.add(field.name)
            else:
                values[field.name] = self.values.read(value, field, strict=strict)
        rows: dict[str, tuple[Row, ...]] = {}
        since: dict[str, datetime] = {}
        flagged: dict[str, date] = {}
        for key, value in around:
            if key.value == "flagged_since":
                flagged = self.expectations.flagged_since(kind, value)
            elif key.value != "id":
                self.related(kind, key, value, rows, unsynced, since)
        if len(self.problems.errors) > before:
            return None
        known = {name: value for name, value in values.items() if value is not None}
        lacking = frozenset(unsynced)
        return Given(id_, kind, node.place, known, rows, lacking, since, flagged, expected)

    def field(self, kind: RecordKind, key: Text) -> Field | None:
        known = self.pack.known[kind]
        field = known.get(key.value)
        if field is None:
            settable = [name for name, each in known.items() if each.origin is not Origin.FACT]
            hint = did_you_mean(key.value, [*settable, *OF_RECORD]) or "see 'pipelint rules fields'"
            self.problems.error(key.place, f"'{key.value}' is not a field of {a_record(kind)}", hint)
            return None
        if field.origin in _MADE and field.name not in {"stage", "pipeline"}:
            self.problems.error(key.place, f"'{field.name}' {_MADE[field.origin]}")
            return None
        return field

    # Related rows

    def related(
        self,
        kind: RecordKind,
        key: Text,
        node: Node,
        rows: dict[str, tuple[Row, ...]],
        unsynced: set[str],
        since: dict[str, datetime],
    ) -> None:
        entity = ENTITIES[key.value]
        if kind not in entity.kinds:
            self.problems.error(key.place, f"{a_record(kind)} has no {entity.name}")
            return
        if is_not_synced(node):
            unsynced.add(entity.name)
            return
        if isinstance(node, Map):
            form = Form(node, entity.name, ("complete_since", "rows"), self.problems)
            begins = form.required("complete_since", "the day from which nothing is missing, or a plain list")
            at = None if begins is None else self.values.instant(begins, midnight=True)
            if at is not None:
                since[entity.name] = at
            node = form.node("rows") or List((), node.place)
        if not isinstance(node, List):
            what = f"{kind_of(node)} stands where the list of {entity.name} is expected"
            self.problems.error(node.place, what, f"start each with '- ', or write: {NOT_SYNCED}")
            return
        rows[entity.name] = tuple(self.row(kind, entity, item, unsynced) for item in node.items)

    def row(self, kind: RecordKind, entity: Entity, node: Node, unsynced: set[str]) -> Row:
        fields = {field.name: field for field in entity.fields if field.name not in _DERIVED}
        form = Form(node, entity.name, tuple(fields), self.problems)
        if entity.name == "field_changes":
            fields |= self.changed(kind, form)
        if entity.name in {"stage_changes", "field_changes"} and not form.has("at"):
            self.problems.error(form.place, f"'at' is missing in {entity.name}", "say when it changed")
        values: dict[str, Value] = {}
        for key, value in form.map.entries:
            field = fields.get(key.value)
            if field is None:
                continue
            if is_not_synced(value):
                unsynced.add(f"{entity.name}.{key.value}")
            elif key.value in {"from_stage", "to_stage"}:
                values[key.value] = self.values.read(value, self.pack.known["opportunity"]["stage"])
            else:
                values[key.value] = self.values.read(value, field)
        return {name: value for name, value in values.items() if value is not None}

    def changed(self, kind: RecordKind, form: Form) -> dict[str, Field]:
        """`old` and `new` with the type of the field that changed."""
        name = form.required("field", "name the field that changed, e.g. close_date")
        known = self.pack.known[kind]
        if name is None:
            return {}
        if name.value not in known:
            hint = did_you_mean(name.value, known)
            self.problems.error(name.place, f"'{name.value}' is not a field of {a_record(kind)}", hint)
            return {}
        return dict.fromkeys(("old", "new"), known[name.value])
