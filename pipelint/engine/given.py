"""Puts the records of tests into a cache, as a CRM would whose words are all our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache.encode import microseconds, plain
from pipelint.engine.cache.sqlite import Cache
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
from pipelint.rules.cases import Given, Row, Value
from pipelint.rules.catalogue import ENTITIES, RECORD_STREAM, RecordKind
from pipelint.rules.fields import Origin
from pipelint.rules.pack import MappedField, Pack
from pipelint.rules.supply import Delivered

CRM = "tests"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_ONLY_OPPORTUNITIES = (Stream.CONTACT_ROLES, Stream.STAGE_CHANGES, Stream.LINE_ITEMS)
_FALLS_BACK = "next_step_date"  # without a place of its own, it is read from the next planned activity


def in_our_words(pack: Pack) -> Pack:
    """The same pack on a CRM that calls everything as the pack does, and has every field that it may ask for."""
    fields = dict(pack.fields)
    for kind, known in pack.known.items():
        for each in known.values():
            if each.origin is Origin.CUSTOM and each.name not in fields and each.name != _FALLS_BACK:
                place = next(iter(pack.rules.values())).place
                fields[each.name] = MappedField(each, {}, False, {}, {}, place, kind)
    pipelines = tuple(
        replace(
            pipeline,
            names={CRM: (pipeline.name,)},
            stages=tuple(replace(each, names={CRM: (each.stage.name,)}) for each in pipeline.stages),
        )
        for pipeline in pack.pipelines
    )
    mapped = {name: replace(each, names={CRM: (name,)}) for name, each in fields.items()}
    return replace(pack, fields=mapped, pipelines=pipelines)


@dataclass(frozen=True, slots=True)
class Key:
    """What records must share to lie on one connection: when it is, and what is not supplied."""

    kind: RecordKind
    as_of: datetime
    unsynced: frozenset[str]
    complete_since: tuple[tuple[str, datetime], ...]
    dated: bool
    """Whether the records say themselves when their next step is due."""

    @classmethod
    def of(cls, as_of: datetime, given: Given) -> Key:
        since = tuple(sorted(given.complete_since.items()))
        return cls(given.kind, as_of, given.unsynced, since, _FALLS_BACK in given.values)


@dataclass(slots=True)
class Batch:
    """Records of one connection; accounts and owners that two tests describe differently never meet."""

    key: Key
    members: dict[str, Given] = field(default_factory=dict)
    claims: dict[tuple[str, str], tuple[int, Row]] = field(default_factory=dict)

    def takes(self, test: int, given: Given) -> bool:
        """Whether the record can lie here. An account's opportunities may count: it belongs to one test."""
        for (stream, name), values in _claims(given):
            other, held = self.claims.get((stream, name), (test, {}))
            if other != test and (stream == "account" or held != values):
                return False
        return True

    def add(self, test: int, given: Given) -> None:
        for claim, values in _claims(given):
            held = self.claims.get(claim, (test, {}))[1]
            self.claims[claim] = (test, {**held, **values})
        self.members[record_id(test, given)] = given

    def claimed(self, stream: str) -> Iterator[tuple[str, Row]]:
        for (each, name), (_, values) in self.claims.items():
            if each == stream:
                yield name, values


def record_id(test: int, given: Given) -> str:
    """The record's id in the cache: several tests may call theirs the same."""
    return f"{prefix(test)}{given.id}"


def prefix(test: int) -> str:
    """What sets the ids of one test apart."""
    return f"test {test}:"


def store(cache: Cache, pack: Pack, batch: Batch, connection: str) -> Delivered:
    """Store the records as one connection; the answer is what it delivers."""
    key = batch.key
    pages: dict[Stream, list[Record]] = {stream: [] for stream in _streams(key.kind)}
    pages[Stream.OWNERS] = [Owner(name, _LONG_AGO, **_plain(v)) for name, v in batch.claimed("owner")]
    pages[Stream.ACCOUNTS] = [_account(name, values) for name, values in batch.claimed("account")]
    for id_, given in batch.members.items():
        for stream, record in _records(pack, id_, given):
            pages[stream].append(record)
    fields: dict[Stream, frozenset[str]] = {}
    customs: dict[Stream, frozenset[str]] = {}
    for stream in sorted(pages, key=list(Stream).index):
        entity = next((name for name, each in ENTITIES.items() if each.stream is stream), "")
        if entity in key.unsynced:
            continue
        fields[stream] = frozenset(RECORD_TYPES[stream]._fields) - _absent(stream, entity, key)
        customs[stream] = frozenset(_customs(pack, stream, key))
        supply = Supply(stream, fields[stream], customs[stream])
        cache.store(connection, Page(stream, pages[stream], "end"), supply, 1, _LONG_AGO)
    since = {ENTITIES[name].stream: microseconds(at) for name, at in key.complete_since}
    return Delivered(connection, CRM, fields, customs, since)


def _claims(given: Given) -> Iterator[tuple[tuple[str, str], Row]]:
    for stream in ("account", "owner"):
        values = {n.partition(".")[2]: v for n, v in given.values.items() if n.startswith(f"{stream}.")}
        if values:
            yield (stream, str(values.pop("id", f"{stream} of {id(given)}"))), values


def _plain(values: Row) -> dict[str, Any]:
    return dict(values)


def _account(name: str, values: Row) -> Account:
    own = {key: value for key, value in values.items() if key in Account._fields}
    custom = {f"account.{key}": value for key, value in values.items() if key not in own}
    return Account(name, _LONG_AGO, custom=custom, **_plain(own))


def _streams(kind: RecordKind) -> Iterable[Stream]:
    yield from (RECORD_STREAM[kind], Stream.ACTIVITIES, Stream.FIELD_CHANGES)
    if kind == "opportunity":
        yield from _ONLY_OPPORTUNITIES


def _absent(stream: Stream, entity: str, key: Key) -> set[str]:
    """The columns of a stream that are not supplied."""
    absent = set()
    for name in key.unsynced:
        head, point, rest = name.partition(".")
        if point and head in {entity, stream.value}:
            absent.add(rest)
        elif point and rest == "id" and stream is RECORD_STREAM[key.kind]:
            absent.add(head)
        elif not point and stream is RECORD_STREAM[key.kind]:
            absent.add("stage" if name == "pipeline" else name)
    if stream is RECORD_STREAM[key.kind] and not key.dated:
        absent.add(_FALLS_BACK)
    return absent


def _customs(pack: Pack, stream: Stream, key: Key) -> Iterator[str]:
    for name, mapped in pack.fields.items():
        of_account = name.startswith("account.")
        mine = Stream.ACCOUNTS if of_account else RECORD_STREAM[mapped.kind]
        if mine is stream and name not in key.unsynced:
            yield name


def _records(pack: Pack, id_: str, given: Given) -> Iterator[tuple[Stream, Record]]:
    own: dict[str, Any] = {}
    custom: dict[str, Value] = {}
    for name, value in given.values.items():
        if name in pack.fields:
            custom[name] = value
        elif not name.startswith(("account.", "owner.")):
            own[name] = value
    for (stream, name), _ in _claims(given):
        own[stream] = name
    if given.kind == "lead":
        yield Stream.LEADS, Lead(id_, _LONG_AGO, custom=custom, **own)
    else:
        own.setdefault("pipeline", _pipeline(pack, own.get("stage")))
        yield Stream.OPPORTUNITIES, Opportunity(id_, _LONG_AGO, custom=custom, **own)
    related = {name: list(rows) for name, rows in given.rows.items()}
    contacts = _Contacts(id_, related.get("contact_roles", ()))
    yield from ((Stream.CONTACT_ROLES, role) for role in contacts.roles)
    for name, rows in related.items():
        for number, row in enumerate(rows):
            for record in _related(name, f"{id_} {name} {number:04}", id_, given.kind, dict(row), contacts):
                yield ENTITIES[name].stream, record
    yield from ((Stream.CONTACT_ROLES, role) for role in contacts.added)


def _pipeline(pack: Pack, stage: object) -> str | None:
    """The first pipeline that has the stage: a test need not name it."""
    return next(
        (p.name for p in pack.pipelines for each in p.stages if not p.ignore and each.stage.name == stage),
        None,
    )


class _Contacts:
    """The contacts of one record by role; an activity with a role brings its contact along."""

    def __init__(self, record: str, rows: Sequence[Row]) -> None:
        self.record = record
        self.roles = [self.role(number, row) for number, row in enumerate(rows)]
        self.added: list[ContactRole] = []

    def role(self, number: int, row: Row) -> ContactRole:
        values: dict[str, Any] = {"contact": f"contact {number}", **row}
        test = self.record.partition(":")[0]
        values["contact"] = f"{test}:{values['contact']}"
        return ContactRole(f"{self.record} role {number:04}", _LONG_AGO, self.record, **values)

    def with_role(self, role: str) -> str:
        for each in (*self.roles, *self.added):
            if each.role == role and each.contact is not None:
                return each.contact
        number = len(self.roles) + len(self.added)
        added = self.role(number, {"contact": f"{self.record} contact {number}", "role": role})
        self.added.append(added)
        return str(added.contact)


def _related(
    entity: str, id_: str, record: str, kind: RecordKind, row: dict[str, Any], contacts: _Contacts
) -> Iterator[Record]:
    match entity:
        case "activities":
            role = row.pop("role", None)
            yield Activity(id_, _LONG_AGO, **row)
            yield ActivityLink(kind, record, id_)
            if role is not None:
                yield ActivityLink("contact", contacts.with_role(role), id_)
        case "line_items":
            yield LineItem(id_, _LONG_AGO, record, **row)
        case "stage_changes":
            yield StageChange(id_, record, row.pop("from_stage", None), row.pop("to_stage", None), **row)
        case "field_changes":
            row |= {side: _as_text(row.get(side)) for side in ("old", "new")}
            yield FieldChange(id_, kind=RECORD_STREAM[kind].value, record=record, **row)


def _as_text(value: Value) -> str | None:
    """As histories are stored."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return str(microseconds(value))
        case date():
            return value.isoformat()
        case Decimal():
            return plain(value)
        case _:
            return ";".join(value)
