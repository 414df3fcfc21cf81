"""A CRM in memory, with a connector to it: for faults and random histories that a server would make slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipelint.connectors.base import (
    Change,
    ConnectContext,
    Diagnosis,
    FieldInfo,
    FieldType,
    Kind,
    Outcome,
    OwnField,
    OwnFieldType,
    Page,
    SetupStep,
    Supply,
    WriteBudget,
    WriteLimits,
    WriteValue,
)
from pipelint.errors import Unreachable
from pipelint.records import (
    RECORD_TYPES,
    Activity,
    ActivityLink,
    CustomValue,
    Opportunity,
    Owner,
    Pipeline,
    Record,
    Stage,
    Stream,
)

STAMP = "last_modified"
"""A field of opportunities that every writing moves."""
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
_TYPES: Mapping[OwnFieldType, FieldType] = {
    OwnFieldType.FLAGS: "choices",
    OwnFieldType.CHOICE: "choice",
    OwnFieldType.TEXT: "text",
    OwnFieldType.LONG_TEXT: "text",
    OwnFieldType.NUMBER: "number",
    OwnFieldType.DATE: "date",
}


class Killed(BaseException):
    """The process ends here, as by `kill -9`: nobody may catch it."""


@dataclass
class FakeCrm:
    """The organisation: its records, our fields, what it refuses, and when it fails."""

    now: datetime = START
    deals: dict[str, Opportunity] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    activities: dict[str, tuple[Activity, str]] = field(default_factory=dict)
    links: list[ActivityLink] = field(default_factory=list)
    """Links of the activities beside those to their deal."""
    others: dict[Stream, dict[str, Record]] = field(default_factory=dict)
    """Records of streams that it delivers besides."""
    own: dict[str, FieldInfo] = field(default_factory=dict)
    values: dict[str, dict[str, WriteValue]] = field(default_factory=dict)
    custom: dict[str, FieldInfo] = field(default_factory=dict)
    """The fields that the company has added to its opportunities; values stand in a deal's `custom`."""
    ids: dict[str, str] = field(default_factory=dict)
    """The CRM's own ids of these fields."""
    pipelines: dict[str, str] = field(default_factory=lambda: {"new": "New business", "renewal": "Renewal"})
    stages: list[Stage] = field(default_factory=list)
    """Delivered only if there are some."""
    deleted: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)
    """Fields of opportunities that the integration user may not see."""
    refuses: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    """Records that somebody else is writing to."""
    writes: list[tuple[str, dict[str, WriteValue]]] = field(default_factory=list)
    batch: int = 3
    budget: WriteBudget | None = None
    """What it takes for a write, where it counts them."""
    kill_at: int | None = None
    """The write at which the process dies, counted from 0: its work is done, its answer is not seen."""
    lose_at: int | None = None
    """The write whose answer is lost."""
    lost_is_done: bool = True
    offline: bool = False

    def clock(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)

    def deal(self, id: str, **values: object) -> None:  # noqa: A002
        """Create or edit an opportunity, as a person does."""
        usual: dict[str, object] = {
            "name": f"Deal {id}",
            "amount": Decimal(1000),
            "next_step": "call them",
            "close_date": date(2027, 6, 1),
            "created_at": START - timedelta(days=90),
            "pipeline": "new",
            "stage": "open",
            "is_open": True,
            "account": "a1",
            "owner": "u1",
        }
        held = self.deals[id]._asdict() if id in self.deals else {"id": id, **usual}
        self.deals[id] = Opportunity(**{**held, **values, "modified_at": self.now})

    def overwrite(self, id: str, **values: WriteValue) -> None:  # noqa: A002
        """Edit our own fields on one record, as a person does who may."""
        self.values.setdefault(id, {}).update(values)
        self.deal(id)

    def delete(self, id: str) -> None:  # noqa: A002
        del self.deals[id]
        self.values.pop(id, None)
        self.deleted.add(id)

    def shows(self, id: str) -> dict[str, WriteValue]:  # noqa: A002
        """Our fields on one record, without the empty ones."""
        return {name: value for name, value in self.values.get(id, {}).items() if value is not None}


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    crm: Literal["fake"]


class FakePackage:
    """What the registry loads for `crm: fake`."""

    Settings = Settings

    def __init__(self, crm: FakeCrm) -> None:
        self.crm = crm

    def connect(self, name: str, settings: BaseModel, context: ConnectContext) -> FakeConnector:
        return FakeConnector(name, self.crm) if self.crm.budget is None else RationedConnector(name, self.crm)


class FakeConnector:
    """Pulls everything at every pull; writes one batch at a time."""

    crm = "fake"

    def __init__(self, name: str, crm: FakeCrm) -> None:
        self.name = name
        self.org = crm
        self.write_limits = WriteLimits(crm.batch)
        self.api_calls = 0
        self.calls_left = 1000

    def streams(self) -> Sequence[Stream]:
        usual = {Stream.OWNERS, Stream.PIPELINES, Stream.OPPORTUNITIES, Stream.ACTIVITIES}
        stages = {Stream.STAGES} if self.org.stages else set()
        return sorted(usual | stages | self.org.others.keys(), key=list(Stream).index)

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        hidden = self.org.withheld if stream is Stream.OPPORTUNITIES else set()
        found = frozenset(custom) & self.org.custom.keys() if stream is Stream.OPPORTUNITIES else ()
        fields = frozenset(RECORD_TYPES[stream]._fields) - hidden
        return Supply(stream, fields, frozenset(found), stamps=frozenset(found) & {STAMP})

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        self.call()
        records: list[Record]
        match stream:
            case Stream.OWNERS:
                records = list(self.org.owners.values())
            case Stream.PIPELINES:
                records = [Pipeline(name, label, True) for name, label in self.org.pipelines.items()]
            case Stream.STAGES:
                records = list(self.org.stages)
            case Stream.ACTIVITIES:
                records = [each for each, _ in self.org.activities.values()]
                records += [
                    ActivityLink("opportunity", deal, key) for key, (_, deal) in self.org.activities.items()
                ]
                records += self.org.links
            case _ if stream in self.org.others:
                records = list(self.org.others[stream].values())
            case _:
                blank: dict[str, Any] = dict.fromkeys(self.org.withheld)
                names = self.supply(stream, custom).custom
                held = {key: {n: custom_of(deal, n) for n in names} for key, deal in self.org.deals.items()}
                records = [deal._replace(**blank, custom=held[key]) for key, deal in self.org.deals.items()]
        yield Page(stream, records, "next", begins_full=True, ends_full=True, deleted=self.gone(stream))

    def gone(self, stream: Stream) -> Sequence[str]:
        if stream is not Stream.OPPORTUNITIES:
            return ()
        return [f"d{number}" for number in range(30) if f"d{number}" not in self.org.deals]

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        self.call()
        return (*self.org.own.values(), *self.org.custom.values()) if kind == "opportunity" else ()

    def field_ids(self, kind: Kind) -> Mapping[str, str]:
        return self.org.ids if kind == "opportunity" else {}

    def plan_setup(self, fields: Sequence[OwnField]) -> Sequence[SetupStep]:
        return ()

    def apply_setup(self, step: SetupStep) -> None:
        raise NotImplementedError

    def clicks(self, fields: Sequence[OwnField]) -> Sequence[str]:
        return ()

    def diagnose(self, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
        return iter(())

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        self.call()
        for record in ids:
            if record in self.org.deals:
                held = self.org.values.get(record, {})
                yield record, {name: held.get(name) for name in names}

    def normalised(self, kind: Kind, name: str, value: WriteValue) -> WriteValue:
        if isinstance(value, str):
            return value.strip() or None
        if isinstance(value, tuple):
            return tuple(sorted(value)) or None
        return Decimal(value) if isinstance(value, int) else value

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        assert len(changes) <= self.write_limits.batch
        self.call()
        for change in changes:
            yield self.one(change)

    def one(self, change: Change) -> Outcome:
        assert change.kind == "opportunity"
        number = len(self.org.writes)
        lost = self.org.lose_at == number
        if change.id not in self.org.deals:
            return Outcome(change.id, "gone")
        if change.id in self.org.locked:
            return Outcome(change.id, "locked", "LOCK", "somebody else is writing to it")
        if change.id in self.org.refuses:
            return Outcome(change.id, "refused", "RULE", self.org.refuses[change.id])
        if not lost or self.org.lost_is_done:
            self.apply(change)
        else:
            self.org.writes.append((change.id, {}))
        if self.org.kill_at == number:
            raise Killed
        return Outcome(change.id, "unknown" if lost else "written")

    def apply(self, change: Change) -> None:
        self.org.writes.append((change.id, dict(change.values)))
        for name, value in change.values.items():
            assert name in self.org.own, f"{name} was written before setup"
            allowed = self.org.own[name].choices
            assert not allowed or all(one in allowed for one in _each(value)), f"{value} is no option"
            self.org.values.setdefault(change.id, {})[name] = self.normalised(change.kind, name, value)
        self.org.deals[change.id] = self.org.deals[change.id]._replace(modified_at=self.org.now)

    def call(self) -> None:
        self.api_calls += 1
        if self.org.offline:
            raise Unreachable("cannot reach the CRM")

    def close(self) -> None:
        """Nothing to give back."""


class RationedConnector(FakeConnector):
    """One whose CRM takes each write from a daily allowance."""

    def write_budget(self) -> WriteBudget:
        assert self.org.budget is not None
        return self.org.budget


def custom_of(deal: Opportunity, name: str) -> CustomValue | None:
    return deal.modified_at if name == STAMP else deal.custom.get(name)


def set_up(crm: FakeCrm, fields: Sequence[OwnField]) -> None:
    """Create our fields, with the options they offer now."""
    for own in fields:
        choices = {choice: choice for choice in own.choices}
        crm.own[own.name] = FieldInfo(own.name, own.label, _TYPES[own.type], custom=True, choices=choices)


def _each(value: WriteValue) -> Sequence[object]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)
