"""The canonical fields and related rows that every pack may use (rules.md §4.3a), as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pipelint.records import Stream
from pipelint.rules.fields import Field, FieldType, Origin

RecordKind: TypeAlias = Literal["opportunity", "lead"]

ROLES = ("economic_buyer", "decision_maker", "champion", "influencer", "user", "other")
ACTIVITY_TYPES = ("call", "email", "meeting", "task", "note")
DIRECTIONS = ("inbound", "outbound")
FORECAST_CATEGORIES = ("omitted", "upside", "best_case", "most_likely", "commit", "closed")
STAGE_KINDS = ("open", "won", "lost")
STAGE_GROUPS = ("early", "mid", "late")
STAGE_MARKER = "stage__missing"
PRICE_MARKER = "amount__missing"
"""1 where a record's currency has no rate: nothing about its money is known then."""
SIX = ("need", "decision_makers", "budget", "deadline", "risk", "next_step")

_T, _C, _O, _N, _M = FieldType.TEXT, FieldType.CHOICE, FieldType.ORDERED, FieldType.NUMBER, FieldType.MONEY
_D, _DT, _YN = FieldType.DATE, FieldType.DATETIME, FieldType.YES_NO


def _own(name: str, type_: FieldType, about: str, source: str = "") -> Field:
    return Field(name, type_, about, Origin.RECORD, source or name)


def _mapped(name: str, type_: FieldType, about: str) -> Field:
    return Field(name, type_, about, Origin.CUSTOM, name)


def _stage(name: str, type_: FieldType, about: str, values: tuple[str, ...] = ()) -> Field:
    return Field(name, type_, about, Origin.STAGE, name, values, STAGE_MARKER)


_ACCOUNT = tuple(
    Field(f"account.{name}", type_, about, Origin.ACCOUNT, name)
    for name, type_, about in (
        ("id", _T, "the account's id in the CRM"),
        ("name", _T, "the account's name"),
        ("industry", _C, "the account's industry"),
        ("employees", _N, "how many people work there"),
        ("created_at", _DT, "when the account was created"),
    )
)
_OWNER = tuple(
    Field(f"owner.{name}", type_, about, Origin.OWNER, name)
    for name, type_, about in (
        ("id", _T, "the owner's id in the CRM"),
        ("name", _T, "the owner's name"),
        ("email", _T, "the owner's e-mail address"),
        ("active", _YN, "whether the owner still works in the CRM"),
        ("manager", _T, "the id of the owner's manager"),
        ("team", _T, "the owner's team or role"),
    )
)

OPPORTUNITY_FIELDS: tuple[Field, ...] = (
    _own("name", _T, "the opportunity's name"),
    _own("amount", _M, "what it is worth"),
    _own("currency", _C, "the currency of the amount in the CRM"),
    _stage("pipeline", _C, "the pipeline, as the pack names it"),
    _stage("stage", _O, "the stage, as the pack names it"),
    _stage("stage_kind", _C, "open, won or lost", STAGE_KINDS),
    _stage("stage_number", _N, "the place of the stage in the pack's list, from 1"),
    _stage("stage_group", _O, "early, mid or late, for open stages", STAGE_GROUPS),
    _own("stage_entered_at", _DT, "when it came into this stage"),
    _own("probability", _N, "its probability in percent"),
    _own("stage_probability", _N, "the usual probability of its stage in percent"),
    Field(
        "forecast_category", _O, "how sure the forecast is", Origin.RECORD, "forecast_category", FORECAST_CATEGORIES,
        "forecast_category__missing",
    ),
    _own("close_date", _D, "when it is expected to close"),
    _own("closed_at", _DT, "when it was won or lost"),
    _own("created_at", _DT, "when it was created"),
    _own("next_step", _T, "what happens next"),
    Field("next_step_date", _D, "when the next step is due", Origin.CUSTOM, "next_step_date"),
    _own("type", _C, "its type"),
    _own("source", _C, "where it came from"),
    _own("lost_reason", _C, "why it was lost"),
    _mapped("need", _T, "what the customer needs"),
    _mapped("decision_makers", _T, "who decides"),
    _mapped("budget", _T, "the customer's budget"),
    _mapped("deadline", _D, "the customer's own deadline"),
    _mapped("risk", _T, "what could go wrong"),
    *_ACCOUNT,
    *_OWNER,
)  # fmt: skip

LEAD_FIELDS: tuple[Field, ...] = (
    _own("name", _T, "the lead's name"),
    _own("company", _T, "the company"),
    _own("status", _C, "the lead's status"),
    _own("source", _C, "where it came from"),
    _own("created_at", _DT, "when it arrived"),
    _own("is_open", _YN, "not yet converted or closed"),
    *_OWNER,
)

CANONICAL: dict[RecordKind, tuple[Field, ...]] = {"opportunity": OPPORTUNITY_FIELDS, "lead": LEAD_FIELDS}
RECORD_STREAM: dict[RecordKind, Stream] = {"opportunity": Stream.OPPORTUNITIES, "lead": Stream.LEADS}


@dataclass(frozen=True, slots=True)
class Entity:
    """Related rows that facts count; `time` is the field that orders them."""

    name: str
    stream: Stream
    fields: tuple[Field, ...]
    kinds: tuple[RecordKind, ...]
    time: str = ""

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


def _related(
    name: str, type_: FieldType, about: str, values: tuple[str, ...] = (), source: str = ""
) -> Field:
    return Field(name, type_, about, Origin.ENTITY, source or name, values)


def _of_others(field: Field) -> bool:
    """Whether a field of the account's other opportunities is known before facts are worked out."""
    return field.origin is not Origin.ACCOUNT and field.name != "next_step_date"


ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            "activities",
            Stream.ACTIVITIES,
            (
                _related("type", _C, "call, email, meeting, task or note", ACTIVITY_TYPES),
                _related("direction", _C, "inbound or outbound", DIRECTIONS),
                _related("happened_at", _DT, "when it was done"),
                _related("planned_at", _DT, "when it is planned, while it is open"),
                _related("subject", _T, "its subject"),
                _related("role", _C, "the role of the contact it was with, on this opportunity", ROLES),
            ),
            ("opportunity", "lead"),
            "happened_at",
        ),
        Entity(
            "contact_roles",
            Stream.CONTACT_ROLES,
            (
                _related("contact", _T, "the contact's id"),
                _related("role", _C, "the contact's part in the decision", ROLES),
                _related("is_primary", _YN, "whether it is the main contact"),
                _related("created_at", _DT, "when the contact was linked"),
            ),
            ("opportunity",),
            "created_at",
        ),
        Entity(
            "stage_changes",
            Stream.STAGE_CHANGES,
            (
                _related("from_stage", _O, "the stage before"),
                _related("to_stage", _O, "the stage after"),
                _related("from_kind", _C, "open, won or lost before", STAGE_KINDS),
                _related("to_kind", _C, "open, won or lost after", STAGE_KINDS),
                _related("at", _DT, "when it moved"),
                _related("to_number", _N, "the place of the stage after, from 1"),
                _related("skipped", _N, "how many stages lie between, moving forward"),
            ),
            ("opportunity",),
            "at",
        ),
        Entity(
            "field_changes",
            Stream.FIELD_CHANGES,
            (
                _related("field", _C, "the field that changed"),
                _related("old", _T, "the value before, of that field's type"),
                _related("new", _T, "the value after, of that field's type"),
                _related("moved", _M, "the value after minus the value before, of a number"),
                _related("at", _DT, "when it changed"),
                _related("by", _T, "who changed it"),
            ),
            ("opportunity", "lead"),
            "at",
        ),
        Entity(
            "line_items",
            Stream.LINE_ITEMS,
            (
                _related("name", _T, "the product"),
                _related("quantity", _N, "how many"),
                _related("amount", _M, "its price"),
                _related("discount", _N, "its discount in percent"),
            ),
            ("opportunity",),
        ),
        Entity(
            "account_opportunities",
            Stream.OPPORTUNITIES,
            tuple(replace(each, origin=Origin.ENTITY) for each in OPPORTUNITY_FIELDS if _of_others(each)),
            ("opportunity",),
            "created_at",
        ),
    )
}
ROWS_OF_RECORD = tuple(name for name in ENTITIES if name != "account_opportunities")
"""What belongs to one record; the other opportunities of its account are records themselves."""
