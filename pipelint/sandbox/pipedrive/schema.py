"""The records of a company as tables: columns in the names of API v2, with who may write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""Anything JSON can say."""

Kind: TypeAlias = Literal[
    "integer", "number", "string", "boolean", "date", "time", "datetime", "integers", "object", "list"
]

_SQL: Mapping[Kind, str] = {"integer": "INTEGER", "boolean": "INTEGER", "number": "REAL"}


@dataclass(frozen=True, slots=True)
class Column:
    """`writable` through the API; `hidden` columns are not part of the record as it is shown."""

    name: str
    kind: Kind
    writable: bool = False
    hidden: bool = False

    @property
    def sql(self) -> str:
        return _SQL.get(self.kind, "TEXT")

    @property
    def json(self) -> bool:
        """Kept as JSON text."""
        return self.kind in {"integers", "object", "list"}


@dataclass(frozen=True, slots=True)
class Table:
    """`label` is what errors call a record; `custom` says whether it carries custom fields."""

    name: str
    label: str
    columns: Mapping[str, Column]
    required: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    custom: bool = False

    @property
    def shown(self) -> list[Column]:
        return [it for it in self.columns.values() if not it.hidden]


def _columns(text: str) -> dict[str, Column]:
    """`name:kind` each; `*` behind the kind for writable, `-` for hidden."""
    found = {}
    for word in text.split():
        name, _, rest = word.partition(":")
        kind = rest.rstrip("*-")
        found[name] = Column(name, kind, writable="*" in rest, hidden="-" in rest)  # type: ignore[arg-type]  # tables below name known kinds
    return found


DEALS = Table(
    "deals",
    "Deal",
    _columns("""
        id:integer title:string* creator_user_id:integer owner_id:integer* value:number* currency:string*
        person_id:integer* org_id:integer* pipeline_id:integer* stage_id:integer* status:string*
        probability:number* lost_reason:string* visible_to:integer* label_ids:integers* add_time:datetime
        update_time:datetime stage_change_time:datetime close_time:datetime* won_time:datetime*
        lost_time:datetime* expected_close_date:date* is_deleted:boolean is_archived:boolean*
        archive_time:datetime* origin:string origin_id:string channel:integer channel_id:string
        acv:number arr:number mrr:number custom_fields:object*
        first_won_time:datetime- source_lead_id:string- last_incoming_mail_time:datetime-
        last_outgoing_mail_time:datetime- email_messages_count:integer-
    """),
    required=("title",),
    indexes=("update_time", "org_id", "person_id"),
    custom=True,
)
PERSONS = Table(
    "persons",
    "Person",
    _columns("""
        id:integer name:string* first_name:string last_name:string owner_id:integer* org_id:integer*
        add_time:datetime update_time:datetime emails:list* phones:list* is_deleted:boolean
        visible_to:integer* label_ids:integers* picture_id:integer custom_fields:object*
    """),
    required=("name",),
    indexes=("update_time", "org_id"),
    custom=True,
)
ORGANIZATIONS = Table(
    "organizations",
    "Organization",
    _columns("""
        id:integer name:string* owner_id:integer* add_time:datetime update_time:datetime is_deleted:boolean
        visible_to:integer* address:object* label_ids:integers* website:string* linkedin:string*
        industry:integer* annual_revenue:integer* employee_count:integer* custom_fields:object*
    """),
    required=("name",),
    indexes=("update_time",),
    custom=True,
)
ACTIVITIES = Table(
    "activities",
    "Activity",
    _columns("""
        id:integer subject:string* type:string* owner_id:integer* creator_user_id:integer is_deleted:boolean
        add_time:datetime update_time:datetime deal_id:integer* lead_id:string* person_id:integer
        org_id:integer* project_id:integer* due_date:date* due_time:time* duration:time* busy:boolean*
        done:boolean* marked_as_done_time:datetime location:object* participants:list*
        conference_meeting_client:string conference_meeting_url:string conference_meeting_id:string
        public_description:string* priority:integer* note:string* attendees:list*-
    """),
    indexes=("update_time", "deal_id", "person_id", "lead_id"),
)
PIPELINES = Table(
    "pipelines",
    "Pipeline",
    _columns("""
        id:integer name:string* order_nr:integer is_deleted:boolean is_deal_probability_enabled:boolean*
        add_time:datetime update_time:datetime
    """),
    required=("name",),
)
STAGES = Table(
    "stages",
    "Stage",
    _columns("""
        id:integer order_nr:integer name:string* is_deleted:boolean deal_probability:integer*
        pipeline_id:integer* is_deal_rot_enabled:boolean* days_to_rotten:integer* add_time:datetime
        update_time:datetime
    """),
    required=("name", "pipeline_id"),
)
DEAL_PRODUCTS = Table(
    "deal_products",
    "Deal product",
    _columns("""
        id:integer sum:number tax:number* deal_id:integer name:string product_id:integer*
        product_variation_id:integer* order_nr:integer add_time:datetime update_time:datetime comments:string*
        currency:string discount:number* quantity:number* item_price:number* tax_method:string*
        discount_type:string* is_enabled:boolean* billing_frequency:string* billing_frequency_cycles:integer*
        billing_start_date:date*
    """),
    indexes=("deal_id",),
)
USERS = Table(
    "users",
    "User",
    _columns("""
        id:integer name:string* default_currency:string locale:string lang:integer email:string* phone:string
        activated:boolean last_login:datetime created:datetime modified:datetime has_created_company:boolean
        active_flag:boolean* timezone_name:string timezone_offset:string role_id:integer icon_url:string
        is_deleted:boolean is_admin:boolean-
    """),
    required=("name",),
)
LEADS = Table(
    "leads",
    "Lead",
    _columns("""
        number:integer- id:string title:string* owner_id:integer* creator_id:integer label_ids:list*
        person_id:integer* organization_id:integer* source_name:string origin:string origin_id:string
        channel:integer* channel_id:string* is_archived:boolean* was_seen:boolean* value:object*
        expected_close_date:date* add_time:datetime update_time:datetime visible_to:string* cc_email:string
        custom_fields:object*-
    """),
    required=("title",),
    indexes=("id",),
    custom=True,
)
NOTES = Table(
    "notes",
    "Note",
    _columns("""
        id:integer active_flag:boolean add_time:datetime content:string* lead_id:string* deal_id:integer*
        person_id:integer* org_id:integer* last_update_user_id:integer pinned_to_lead_flag:boolean*
        pinned_to_deal_flag:boolean* pinned_to_organization_flag:boolean* pinned_to_person_flag:boolean*
        update_time:datetime user_id:integer*
    """),
    required=("content",),
    indexes=("deal_id",),
)
PARTICIPANTS = Table(
    "participants",
    "Participant",
    _columns("id:integer deal_id:integer person_id:integer* add_time:datetime added_by_user_id:integer"),
    required=("deal_id", "person_id"),
    indexes=("deal_id", "person_id"),
)
CHANGES = Table(
    "changes",
    "Change",
    _columns("""
        id:integer deal_id:integer field_key:string old_value:string new_value:string actor_user_id:integer
        time:datetime change_source:string change_source_user_agent:string is_bulk_update_flag:boolean
    """),
    indexes=("deal_id",),
)
FILTERS = Table(
    "filters",
    "Filter",
    _columns("""
        id:integer name:string* active_flag:boolean type:string* user_id:integer add_time:datetime
        update_time:datetime visible_to:integer conditions:object*
    """),
    required=("name", "conditions", "type"),
)

TABLES = {
    it.name: it
    for it in (
        DEALS, PERSONS, ORGANIZATIONS, ACTIVITIES, PIPELINES, STAGES, DEAL_PRODUCTS, USERS, LEADS, NOTES,
        PARTICIPANTS, CHANGES, FILTERS,
    )
}  # fmt: skip
