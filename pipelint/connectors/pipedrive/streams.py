"""Which Pipedrive rows become which records (rules.md §4.3a); a won or lost deal stands in a stage of that name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Final

from pipelint.connectors.pipedrive.client import Row
from pipelint.connectors.pipedrive.normalise import CUSTOM, day, due, identity, instant, number, stamp, text
from pipelint.connectors.pipedrive.reference import PipelineRow, Reference, StageRow
from pipelint.connectors.pipedrive.schema import Field
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    Custom,
    CustomValue,
    Lead,
    Opportunity,
    Owner,
    Pipeline,
    Record,
    Stage,
    Stream,
)

CLOSED: Final = ("won", "lost")
"""The statuses that stand for stages: Pipedrive leaves a closed deal in the stage it was closed in."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What turns rows into records: where links lead, what options are called, which fields are mapped.

    `custom` are the pack's fields by the name the pack gives them.
    """

    base_url: str
    zone: tzinfo
    reference: Reference
    custom: Mapping[str, Field]
    companies: Callable[[Sequence[str]], Mapping[str, str]]
    """The names of organizations by id, for leads, which hold the id alone."""

    def records(self, stream: Stream, rows: Sequence[Row]) -> list[list[Record]]:
        """The records of each row; none where a row is only told of to be forgotten."""
        if stream is Stream.LEADS:
            named = self.companies(
                [str(row["organization_id"]) for row in rows if row.get("organization_id")]
            )
            return [[self.lead(row, named)] for row in rows]
        read = _READERS[stream]
        return [read(self, row) for row in rows]

    def deal(self, row: Row) -> list[Record]:
        if row.get("is_deleted"):
            return []
        stage = self.reference.stages.get(row.get("stage_id") or 0)
        given = number(row.get("probability"))
        status = row.get("status")
        entered = instant(row.get("stage_change_time")) or instant(row.get("add_time"))
        closed = instant(row.get("close_time") or row.get("won_time") or row.get("lost_time"))
        opportunity = Opportunity(
            id=str(row["id"]),
            modified_at=stamp(row),
            url=f"{self.base_url}/deal/{row['id']}",
            name=text(row.get("title")),
            amount=number(row.get("value")) or None,  # a deal that nobody gave a value has 0
            currency=text(row.get("currency")),
            pipeline=identity(row.get("pipeline_id")),
            stage=status if status in CLOSED else identity(row.get("stage_id")),
            is_open=status == "open",
            is_won=status == "won",
            stage_entered_at=closed or entered if status in CLOSED else entered,
            probability=self._stage_chance(stage) if given is None else given,
            stage_probability=self._stage_chance(stage),
            close_date=day(row.get("expected_close_date")),
            closed_at=closed if status in CLOSED else None,
            created_at=instant(row.get("add_time")),
            source=self.reference.deal_fields.label("channel", row.get("channel")),
            lost_reason=text(row.get("lost_reason")),
            owner=identity(row.get("owner_id")),
            account=identity(row.get("org_id")),
            custom=self._custom(row, row.get("custom_fields") or {}),
        )
        return [opportunity]

    def organization(self, row: Row) -> list[Record]:
        if row.get("is_deleted"):
            return []
        account = Account(
            id=str(row["id"]),
            modified_at=stamp(row),
            url=f"{self.base_url}/organization/{row['id']}",
            name=text(row.get("name")),
            industry=self.reference.organization_fields.label("industry", row.get("industry")),
            employees=number(row.get("employee_count")),
            created_at=instant(row.get("add_time")),
            owner=identity(row.get("owner_id")),
            custom=self._custom(row, row.get("custom_fields") or {}),
        )
        return [account]

    def person(self, row: Row) -> list[Record]:
        if row.get("is_deleted"):
            return []
        emails = row.get("emails") or []
        first = next((one for one in emails if one.get("primary")), emails[0] if emails else {})
        contact = Contact(
            id=str(row["id"]),
            modified_at=stamp(row),
            url=f"{self.base_url}/person/{row['id']}",
            name=text(row.get("name")),
            email=text(first.get("value")),
            account=identity(row.get("org_id")),
            owner=identity(row.get("owner_id")),
        )
        return [contact]

    def activity(self, row: Row) -> list[Record]:
        if row.get("is_deleted"):
            return []
        done = bool(row.get("done"))
        planned = due(row.get("due_date"), row.get("due_time"), self.zone)
        happened = instant(row.get("marked_as_done_time")) or planned or stamp(row)
        activity = Activity(
            id=str(row["id"]),
            modified_at=stamp(row),
            type=text(row.get("type")),
            subject=text(row.get("subject")),
            happened_at=happened if done else None,
            planned_at=None if done else planned,
            owner=identity(row.get("owner_id")),
        )
        people = [row.get("person_id"), *(one.get("person_id") for one in row.get("participants") or [])]
        links = [
            ("opportunity", row.get("deal_id")),
            ("account", row.get("org_id")),
            ("lead", row.get("lead_id")),
            *(("contact", person) for person in people),
        ]
        named = dict.fromkeys((kind, str(record)) for kind, record in links if record)
        return [activity, *(ActivityLink(kind, record, activity.id) for kind, record in named)]

    def user(self, row: Row) -> list[Record]:
        owner = Owner(
            id=str(row["id"]),
            modified_at=instant(row.get("modified")) or stamp(row),
            name=text(row.get("name")),
            email=text(row.get("email")),
            active=bool(row.get("active_flag")) and not row.get("is_deleted"),
        )
        return [owner]

    def lead(self, row: Row, companies: Mapping[str, str]) -> Record:
        return Lead(
            id=str(row["id"]),
            modified_at=stamp(row),
            url=f"{self.base_url}/leads/inbox/{row['id']}",
            name=text(row.get("title")),
            company=companies.get(str(row.get("organization_id"))),
            source=self.reference.deal_fields.label("channel", row.get("channel")),
            is_open=not row.get("is_archived"),
            created_at=instant(row.get("add_time")),
            owner=identity(row.get("owner_id")),
            custom=self._custom(row, row),  # leads carry the deals' fields at the top (fact sheet §4)
        )

    def _custom(self, row: Row, own: Row) -> Custom:
        """The mapped fields: Pipedrive's own stand in the row, and those that the company added in `own`."""
        found: dict[str, CustomValue] = {}
        for name, field in self.custom.items():
            value = (own if field.custom else row).get(field.code)
            found[name] = None if value is None else CUSTOM[field.type](value)
        return found

    def _stage_chance(self, stage: StageRow | None) -> Decimal | None:
        """A stage's probability, where its pipeline uses probabilities."""
        if stage is None or stage.deal_probability is None:
            return None
        pipeline = self.reference.pipelines.get(stage.pipeline_id)
        return Decimal(stage.deal_probability) if pipeline and pipeline.is_deal_probability_enabled else None


def pipelines(rows: Mapping[int, PipelineRow]) -> list[Record]:
    """The pipelines, deleted ones as inactive."""
    return [Pipeline(str(row.id), row.name, not row.is_deleted) for row in rows.values()]


def stages(reference: Reference) -> list[Record]:
    """The stages of each pipeline in order, and the two ends that Pipedrive keeps as statuses."""
    found: list[Record] = []
    for pipeline in reference.pipelines.values():
        own = sorted(
            (row for row in reference.stages.values() if row.pipeline_id == pipeline.id),
            key=lambda row: row.order_nr,
        )
        found += [
            Stage(
                str(row.id), str(pipeline.id), row.name, place, is_open=True, is_won=False,
                probability=None if row.deal_probability is None else Decimal(row.deal_probability),
                active=not row.is_deleted,
                quiet_days=row.days_to_rotten if row.is_deal_rot_enabled else None,
            )
            for place, row in enumerate(own)
        ]  # fmt: skip
        found += [
            Stage(
                end, str(pipeline.id), end, len(own) + place, is_open=False, is_won=end == "won",
                probability=Decimal(100 if end == "won" else 0), active=True,
            )
            for place, end in enumerate(CLOSED)
        ]  # fmt: skip
    return found


_READERS: Final[Mapping[Stream, Callable[[Reader, Row], list[Record]]]] = {
    Stream.OPPORTUNITIES: Reader.deal,
    Stream.ACCOUNTS: Reader.organization,
    Stream.CONTACTS: Reader.person,
    Stream.ACTIVITIES: Reader.activity,
    Stream.OWNERS: Reader.user,
}

_COMMON: Final = ("id", "modified_at", "url", "name", "owner")

SUPPLIED: Final[Mapping[Stream, frozenset[str]]] = {
    Stream.OPPORTUNITIES: frozenset(Opportunity._fields)
    - {"custom", "type", "forecast_category", "next_step", "next_step_date"}
    - {"last_activity_at", "next_activity_at"},
    Stream.ACCOUNTS: frozenset({*_COMMON, "industry", "employees", "created_at"}),
    Stream.CONTACTS: frozenset({*_COMMON, "email", "account"}),
    Stream.ACTIVITIES: frozenset(Activity._fields) - {"direction"},
    Stream.ACTIVITY_LINKS: frozenset(ActivityLink._fields),
    Stream.OWNERS: frozenset({"id", "modified_at", "name", "email", "active"}),
    Stream.LEADS: frozenset({*_COMMON, "company", "source", "is_open", "created_at"}),
    Stream.PIPELINES: frozenset(Pipeline._fields),
    Stream.STAGES: frozenset(Stage._fields) - {"forecast_category"},
}
"""What Pipedrive tells of each stream; all else is not synced, or mapped by the pack."""
