"""Records as a CRM would deliver them, put into a real cache; conditions asked of them in three ways."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from pipelint.config.nodes import List, Map, Node, Problems, Text
from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache.encode import microseconds, plain
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import Outcome, evaluate
from pipelint.engine.prepare.prepared import prepare
from pipelint.engine.source import Source, rows_of
from pipelint.errors import Place
from pipelint.records import (
    RECORD_TYPES,
    Account,
    Activity,
    ActivityLink,
    ContactRole,
    FieldChange,
    Lead,
    LineItem,
    Opportunity,
    Owner,
    Record,
    StageChange,
    Stream,
)
from pipelint.rules.catalogue import ENTITIES, FORECAST_CATEGORIES, RECORD_STREAM, RecordKind
from pipelint.rules.compile import CompiledPack, compile_pack
from pipelint.rules.compile_condition import Moment, compile_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.emit.python import function
from pipelint.rules.fields import NUMERIC, Field, FieldType
from pipelint.rules.load import load_pack
from pipelint.rules.messages import Texts
from pipelint.rules.pack import Branch, Check, Pack, Pipeline, PipelineStage, Rule, native_names
from pipelint.rules.scope import Scope
from pipelint.rules.supply import Delivered, inputs_of
from tests.rules import reference
from tests.rules.reference import Answer

CRM = "files"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_STAGE_FIELDS = frozenset({"pipeline", "stage", "stage_kind", "stage_number", "stage_group"})
_OPPORTUNITY_ONLY = (Stream.CONTACT_ROLES, Stream.STAGE_CHANGES, Stream.LINE_ITEMS)
_ENTITY_STREAMS = {name: entity.stream for name, entity in ENTITIES.items()}


@dataclass
class Given:
    """One record of a test: what is filled, what lies around it, and what the connection does not say."""

    id: str
    values: dict[str, object]
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    not_synced: frozenset[str] = frozenset()
    complete_since: dict[str, datetime] = field(default_factory=dict)
    kind: RecordKind = "opportunity"


def pack_of(text: str, shown: str = "rules") -> tuple[Pack | None, Problems]:
    """The pack of one file whose text is given, without its first line."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pack.yaml").write_text(f"pipelint: 1\n{text}", encoding="utf-8")
        problems = Problems()
        return load_pack(Path(folder), shown, problems), problems


def scope_of(pack: Pack, kind: RecordKind = "opportunity") -> Scope:
    return Scope(kind, pack.known[kind], pack.settings.calendar)


# From nodes to values


def value_of(each: Field | None, node: Node, zone: str) -> object:
    """What a test writes, as the value that a connector would deliver; unreadable text stays text."""
    if isinstance(node, List):
        return tuple(item.value for item in node.items if isinstance(item, Text))
    assert isinstance(node, Text), f"{node} is no value"
    if node.is_empty or (node.value == "blank" and not node.quoted):
        return None
    return typed(each, node.value, zone)


def typed(each: Field | None, text: str, zone: str) -> object:
    kind = each.type if each else FieldType.TEXT
    try:
        if kind in NUMERIC:
            return Decimal(text)
        if kind is FieldType.DATE:
            return date.fromisoformat(text) if text[4:5] == "-" and text[7:8] == "-" else text
        if kind is FieldType.DATETIME:
            when = datetime.fromisoformat(text)
            return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (InvalidOperation, ValueError):
        return text
    if kind is FieldType.YES_NO:
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.casefold(), text)
    return (text,) if kind is FieldType.CHOICES else text


def given_of(pack: Pack, id_: str, node: Map, kind: RecordKind = "opportunity") -> Given:
    """A record written as in `tests.yaml`: its fields, with the related rows beside them."""
    given = Given(id_, {}, kind=kind)
    zone = pack.settings.calendar.zone
    for key, value in node.entries:
        if key.value in ENTITIES:
            _rows_of(pack, given, key.value, value)
        elif isinstance(value, Text) and value.value == "not synced":
            given.not_synced |= {key.value}
        elif key.value not in {"id", "complete_since", "not_synced"}:
            given.values[key.value] = value_of(pack.known[kind].get(key.value), value, zone)
    since = node.get("complete_since")
    if isinstance(since, Text):
        when = cast("datetime", typed(Field("", FieldType.DATETIME, ""), since.value, zone))
        given.complete_since = {"stage_changes": when, "field_changes": when}
    lacking = node.get("not_synced")
    if isinstance(lacking, List):
        given.not_synced |= {item.value for item in lacking.items if isinstance(item, Text)}
    return given


def _rows_of(pack: Pack, given: Given, entity: str, node: Node) -> None:
    zone = pack.settings.calendar.zone
    if isinstance(node, Map):
        since = node.get("complete_since")
        assert isinstance(since, Text)
        when = typed(Field("", FieldType.DATETIME, ""), since.value, zone)
        given.complete_since[entity] = cast("datetime", when)
        node = node.get("rows") or List((), node.place)
    if isinstance(node, Text):
        assert node.value == "not synced", node.value
        given.not_synced |= {entity}
        return
    assert isinstance(node, List)
    rows = []
    for number, item in enumerate(node.items):
        assert isinstance(item, Map), f"{item} is no row"
        changed = item.get("field")
        about = pack.known[given.kind].get(changed.value) if isinstance(changed, Text) else None
        row: dict[str, object] = {"id": f"{given.id}-{entity}-{number:03}"}
        for key, value in item.entries:
            each = about if key.value in {"old", "new"} else ENTITIES[entity].field(key.value)
            row[key.value] = value_of(each, value, zone)
        if entity == "contact_roles":
            row.setdefault("contact", row["id"])
        rows.append(row)
    given.rows[entity] = rows


# From values to the reference's records


def world_of(pack: Pack, as_of: datetime) -> reference.World:
    calendar = pack.settings.calendar
    return reference.World(
        calendar.zone,
        as_of,
        calendar.fiscal_year_starts,
        calendar.week_starts,
        calendar.working_days,
        calendar.working_hours,
        calendar.holidays,
        pack.settings.blank_words,
    )


def reference_record(pack: Pack, given: Given) -> reference.Record:
    """The same record for the reference evaluator: stages spelled out, what is not mapped told."""
    values = dict(given.values)
    lacking = set(given.not_synced)
    stage = values.get("stage")
    found = next((each for each in pack.stages if each.name == stage), None)
    member = _pipeline_for(pack, given) if found else None
    if found and member:
        values |= {
            "pipeline": member[0].name,
            "stage_kind": found.kind,
            "stage_number": Decimal(found.number),
            "stage_group": found.group,
        }
    else:
        values["pipeline"] = None
    if (stage is not None and not found) or "stage" in lacking:
        lacking |= _STAGE_FIELDS
    for name, mapped in pack.fields.items():
        words = {reference.folded(word) for word in mapped.choices}
        raw = values.get(name)
        held = [raw] if isinstance(raw, str) else list(raw) if isinstance(raw, tuple) else []
        cleaned = [reference.trimmed(word) for word in held]
        blank = pack.settings.blank_words
        if words and any(w and reference.folded(w) not in words | blank for w in cleaned):
            lacking.add(name)
    category = values.get("forecast_category")
    if isinstance(category, str) and category not in FORECAST_CATEGORIES:
        lacking.add("forecast_category")
    rows = {entity: [_spelled_out(pack, entity, row) for row in rows] for entity, rows in given.rows.items()}
    return reference.Record(values, rows, frozenset(lacking), given.complete_since)


def _spelled_out(pack: Pack, entity: str, row: dict[str, object]) -> dict[str, object]:
    if isinstance(role := row.get("role"), str):
        row = {**row, "role": role.lower().replace(" ", "_")}
    old, new = row.get("old"), row.get("new")
    if entity == "field_changes" and isinstance(old, Decimal) and isinstance(new, Decimal):
        return {**row, "moved": new - old}
    if entity != "stage_changes":
        return row
    by_name = {stage.name: stage for stage in pack.stages}
    before, after = by_name.get(str(row.get("from_stage"))), by_name.get(str(row.get("to_stage")))
    row = dict(row)
    if before:
        row["from_kind"] = before.kind
    if after:
        row |= {"to_kind": after.kind, "to_number": Decimal(after.number)}
    if before and after and before.kind == after.kind == "open" and after.number > before.number:
        row["skipped"] = Decimal(after.number - before.number - 1)
    return row


# From values to the cache


def _pipeline_for(pack: Pack, given: Given) -> tuple[Pipeline, PipelineStage] | None:
    named, stage = given.values.get("pipeline"), given.values.get("stage")
    for pipeline in pack.pipelines:
        if named is not None and pipeline.name != named:
            continue
        for member in pipeline.stages:
            if member.stage.name == stage:
                return pipeline, member
    return None


def store(
    cache: Cache,
    pack: Pack,
    connection: str,
    givens: Sequence[Given],
    *,
    crm: str = CRM,
    now: datetime = LONG_AGO,
) -> Delivered:
    """Put records that lack the same things into the cache as one connection; what it then delivers."""
    lacking = givens[0].not_synced
    since = givens[0].complete_since
    custom = {name: (native_names(m.names, crm, connection) or ("",))[0] for name, m in pack.fields.items()}
    pages: dict[Stream, list[Record]] = {stream: [] for stream in _streams(givens)}
    for given in givens:
        for record in _records(pack, given, custom, crm, connection):
            pages.setdefault(_stream_of(record), []).append(record)
    fields: dict[Stream, frozenset[str]] = {}
    customs: dict[Stream, frozenset[str]] = {}
    for stream, records in pages.items():
        entity = next((name for name, each in _ENTITY_STREAMS.items() if each is stream), "")
        if entity in lacking:
            continue
        absent = {name for name in lacking if "." not in name}
        absent |= {name.partition(".")[2] for name in lacking if name.partition(".")[0] == entity}
        if stream in {Stream.ACCOUNTS, Stream.OWNERS}:
            absent = {name.partition(".")[2] for name in lacking if name.startswith(f"{stream.value}.")}
        names = frozenset(RECORD_TYPES[stream]._fields) - absent
        mine = stream in {Stream.OPPORTUNITIES, Stream.LEADS, Stream.ACCOUNTS}
        native = frozenset(
            native
            for name, native in custom.items()
            if native
            and mine
            and name not in lacking
            and name.startswith("account.") == (stream is Stream.ACCOUNTS)
        )
        supply = Supply(stream, names, native, since.get(entity))
        pull = cache.begin_pull(connection)
        cache.begin_stream(connection, supply, pull, full=True)
        cache.store(connection, Page(stream, records, "end"), supply, pull, now)
        cache.finish_stream(connection, supply, now)
        fields[stream], customs[stream] = names, native
    late = {_ENTITY_STREAMS[entity]: microseconds(when) for entity, when in since.items()}
    return Delivered(connection, crm, fields, customs, late)


def _streams(givens: Sequence[Given]) -> Iterator[Stream]:
    yield from (
        Stream.OWNERS,
        Stream.ACCOUNTS,
        RECORD_STREAM[givens[0].kind],
        Stream.ACTIVITIES,
        Stream.FIELD_CHANGES,
    )
    if givens[0].kind == "opportunity":
        yield from _OPPORTUNITY_ONLY


def _stream_of(record: Record) -> Stream:
    if isinstance(record, ActivityLink):
        return Stream.ACTIVITIES  # links come on the page of their activity
    return next(stream for stream, kind in RECORD_TYPES.items() if isinstance(record, kind))


def _records(
    pack: Pack, given: Given, custom: Mapping[str, str], crm: str, connection: str
) -> Iterator[Record]:
    values = dict(given.values)
    known = pack.known[given.kind]
    own: dict[str, Any] = {}
    account: dict[str, Any] = {}
    owner: dict[str, Any] = {}
    customs: dict[str, Any] = {}
    of_account: dict[str, Any] = {}
    cls: type[Opportunity | Lead] = Opportunity if given.kind == "opportunity" else Lead
    found = _pipeline_for(pack, given) if values.get("stage") is not None else None
    if found:
        pipeline, member = found
        values["pipeline"] = (native_names(pipeline.names, crm, connection) or (None,))[0]
        values["stage"] = (native_names(member.names, crm, connection) or (member.stage.name,))[0]
    for name, value in values.items():
        native = custom.get(name)
        if name in _STAGE_FIELDS - {"pipeline", "stage"}:
            continue
        if native and name in known:
            (of_account if name.startswith("account.") else customs)[native] = value
        elif name.startswith("account."):
            account[name.partition(".")[2]] = value
        elif name.startswith("owner."):
            owner[name.partition(".")[2]] = value
        elif name in cls._fields:
            own[name] = value
        else:
            raise KeyError(name)
    if account or of_account:
        own["account"] = account.setdefault("id", f"{given.id}-account")
        yield Account(modified_at=LONG_AGO, custom=of_account, **account)
    if owner:
        own["owner"] = owner.setdefault("id", f"{given.id}-owner")
        yield Owner(modified_at=LONG_AGO, **owner)
    yield cls(given.id, LONG_AGO, custom=customs, **own)
    for entity, rows in given.rows.items():
        for number, row in enumerate(rows):
            yield from _related(
                pack, given, entity, {"id": f"{given.id}-{number:03}", **row}, crm, connection
            )


def _related(
    pack: Pack, given: Given, entity: str, row: dict[str, Any], crm: str, connection: str
) -> Iterator[Record]:
    match entity:
        case "activities":
            role = row.pop("role", None)
            yield Activity(modified_at=LONG_AGO, **row)
            yield ActivityLink(given.kind, given.id, row["id"])
            if role is not None:
                contact = f"{row['id']}-contact"
                yield ContactRole(f"{contact}-role", LONG_AGO, given.id, contact, role)
                yield ActivityLink("contact", contact, row["id"])
        case "contact_roles":
            yield ContactRole(modified_at=LONG_AGO, opportunity=given.id, **row)
        case "line_items":
            yield LineItem(modified_at=LONG_AGO, opportunity=given.id, **row)
        case "stage_changes":
            pipeline = _pipeline_for(pack, given)
            names = {
                member.stage.name: (native_names(member.names, crm, connection) or (member.stage.name,))[0]
                for member in (pipeline[0].stages if pipeline else ())
            }
            before, after = row.pop("from_stage", None), row.pop("to_stage", None)
            yield StageChange(
                opportunity=given.id,
                from_stage=names.get(before, before),
                to_stage=names.get(after, after),
                **row,
            )
        case "field_changes":
            row |= {side: _as_text(row.get(side)) for side in ("old", "new")}
            yield FieldChange(kind=given.kind, record=given.id, **row)


def _as_text(value: object) -> str | None:
    """As histories are stored: text."""
    if isinstance(value, datetime):
        return str(microseconds(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)


# Asking


@dataclass
class Asked:
    """What three ways of evaluating said: by record, then by condition."""

    reference: list[list[Answer]]
    python: list[list[Answer]]
    sqlite: list[list[Answer]]


def ask(pack: Pack, givens: Sequence[Given], conditions: Sequence[Condition], as_of: datetime) -> Asked:
    """Every condition of every record: the reference, the generated Python, and SQLite over a real cache."""
    kind = givens[0].kind if givens else "opportunity"
    rules = {f"c{n}": _rule(f"c{n}", kind, condition) for n, condition in enumerate(conditions)}
    pack = replace(pack, rules=rules)
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, given in enumerate(givens):
        key = (given.not_synced, tuple(sorted(given.complete_since.items())))
        groups.setdefault(key, []).append(number)
    size = len(conditions)
    asked = Asked([], [[None] * size for _ in givens], [[None] * size for _ in givens])
    oracle = reference.Reference(world_of(pack, as_of), pack.facts[kind])
    for given in givens:
        record = reference_record(pack, given)
        asked.reference.append([oracle.answer(condition, record) for condition in conditions])
    with Cache.open(":memory:") as cache:
        for number, places in enumerate(groups.values()):
            members = [givens[place] for place in places]
            delivered = store(cache, pack, f"c{number}", members)
            source = prepared_source(cache, pack, kind, delivered, as_of)
            by_id = {givens[place].id: place for place in places}
            _ask_sqlite(cache, source, by_id, asked.sqlite)
            _ask_python(cache, source, by_id, conditions, asked.python)
    return asked


def prepared_source(
    cache: Cache, pack: Pack, kind: RecordKind, delivered: Delivered, as_of: datetime
) -> Source:
    compiled = compile_pack(
        pack, kind, inputs_of(pack, kind, delivered), Moment(pack.settings.calendar, as_of)
    )
    table = prepare(cache, pack, compiled, delivered, ())
    return Source(delivered.connection, delivered.crm, pack, compiled, table)


def _rule(name: str, kind: RecordKind, condition: Condition) -> Rule:
    texts = Texts({"en": name})
    check = Check("", None, (Branch(None, condition, "error"),))
    return Rule(name, kind, texts, "error", "on", texts, (check,), Place("cases.yaml"), "")


_ANSWER = {Outcome.FLAGGED: True, Outcome.CLEAN: False, Outcome.BLANK: None, Outcome.UNSYNCED: None}


def _ask_sqlite(cache: Cache, source: Source, by_id: Mapping[str, int], answers: list[list[Answer]]) -> None:
    for place in by_id.values():
        answers[place] = [False] * len(answers[place])  # only what is not clean is told
    for verdict in evaluate(cache, source.compiled, source.table):
        for check, outcome in verdict.outcomes.items():
            answers[by_id[verdict.id]][check] = _ANSWER[outcome]


def _ask_python(
    cache: Cache,
    source: Source,
    by_id: Mapping[str, int],
    conditions: Iterable[Condition],
    answers: list[list[Answer]],
) -> None:
    compiled: CompiledPack = source.compiled
    rows = rows_of(cache, source.table, list(by_id))
    for number, condition in enumerate(conditions):
        verdict = function(compile_condition(condition, compiled.inputs, compiled.moment))
        for id_, place in by_id.items():
            found = verdict(rows[id_])
            answers[place][number] = None if found is None else bool(found)
