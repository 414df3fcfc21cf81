"""The canonical records that every CRM is translated into, all that connectors and rules share.

Instants are aware datetimes in UTC, dates are dates as the CRM means them, numbers and money are exact
decimals, text is the CRM's own. Stages, roles, types and categories keep the CRM's words: a pack maps them
(design: architecture §3). None means the CRM holds no value; a field that a connection does not supply is
absent from its `Supply` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias


class Stream(StrEnum):
    """What a connector pulls; the value names the cache table."""

    OWNERS = "owner"
    PIPELINES = "pipeline"
    STAGES = "stage"
    ACCOUNTS = "account"
    CONTACTS = "contact"
    OPPORTUNITIES = "opportunity"
    CONTACT_ROLES = "contact_role"
    ACTIVITIES = "activity"
    ACTIVITY_LINKS = "activity_link"
    STAGE_CHANGES = "stage_change"
    FIELD_CHANGES = "field_change"
    LEADS = "lead"
    LINE_ITEMS = "line_item"
    EXCHANGE_RATES = "exchange_rate"


CustomValue: TypeAlias = str | Decimal | bool | date | datetime | tuple[str, ...] | None
Custom: TypeAlias = Mapping[str, CustomValue]  # the pack's own fields, by the CRM's API name
NO_CUSTOM: Custom = MappingProxyType({})


class Opportunity(NamedTuple):
    """A deal. `pipeline` and `stage` are native ids; `is_open` and `is_won` are the CRM's own verdict."""

    id: str
    modified_at: datetime
    url: str | None = None
    name: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    pipeline: str | None = None
    stage: str | None = None
    is_open: bool | None = None
    is_won: bool | None = None
    stage_entered_at: datetime | None = None
    probability: Decimal | None = None
    stage_probability: Decimal | None = None
    forecast_category: str | None = None
    close_date: date | None = None
    closed_at: datetime | None = None
    created_at: datetime | None = None
    next_step: str | None = None
    next_step_date: date | None = None
    last_activity_at: datetime | None = None
    next_activity_at: datetime | None = None
    type: str | None = None
    source: str | None = None
    lost_reason: str | None = None
    owner: str | None = None
    account: str | None = None
    custom: Custom = NO_CUSTOM


class Account(NamedTuple):
    """A company."""

    id: str
    modified_at: datetime
    url: str | None = None
    name: str | None = None
    industry: str | None = None
    employees: Decimal | None = None
    created_at: datetime | None = None
    owner: str | None = None
    custom: Custom = NO_CUSTOM


class Contact(NamedTuple):
    """A person at a customer."""

    id: str
    modified_at: datetime
    url: str | None = None
    name: str | None = None
    email: str | None = None
    account: str | None = None
    owner: str | None = None
    custom: Custom = NO_CUSTOM


class ContactRole(NamedTuple):
    """A contact's part in one opportunity; `role` is the CRM's word."""

    id: str
    modified_at: datetime
    opportunity: str
    contact: str | None = None
    role: str | None = None
    is_primary: bool | None = None
    created_at: datetime | None = None


class Owner(NamedTuple):
    """A user of the CRM who may own records."""

    id: str
    modified_at: datetime
    name: str | None = None
    email: str | None = None
    active: bool | None = None
    manager: str | None = None
    team: str | None = None


class Lead(NamedTuple):
    """Somebody who may become a customer; `contact` is the person behind it, where the CRM keeps one."""

    id: str
    modified_at: datetime
    url: str | None = None
    name: str | None = None
    company: str | None = None
    status: str | None = None
    source: str | None = None
    is_open: bool | None = None
    created_at: datetime | None = None
    owner: str | None = None
    contact: str | None = None
    custom: Custom = NO_CUSTOM


class Activity(NamedTuple):
    """A call, email, meeting, task or note: `happened_at` only when done, `planned_at` only while open."""

    id: str
    modified_at: datetime
    type: str | None = None
    direction: str | None = None
    subject: str | None = None
    happened_at: datetime | None = None
    planned_at: datetime | None = None
    owner: str | None = None


class ActivityLink(NamedTuple):
    """That an activity concerns a record; `kind` is opportunity, account, contact or lead."""

    kind: str
    record: str
    activity: str


class StageChange(NamedTuple):
    """A move of one opportunity into `to_stage`; the first one comes from nowhere."""

    id: str
    opportunity: str
    from_stage: str | None
    to_stage: str | None
    at: datetime
    by: str | None = None


class FieldChange(NamedTuple):
    """A field that took another value; `source` says how (user, import, api, workflow) if the CRM does."""

    id: str
    kind: str
    record: str
    field: str
    old: str | None
    new: str | None
    at: datetime
    by: str | None = None
    origin: str = "crm"
    source: str | None = None


class Pipeline(NamedTuple):
    """A native pipeline (in Salesforce: a record type)."""

    id: str
    label: str | None = None
    active: bool | None = None


class Stage(NamedTuple):
    """A native stage of one native pipeline; `pipeline` is empty where stages are shared by all.

    `quiet_days` is after how many days without a change the CRM itself marks an opportunity.
    """

    id: str
    pipeline: str
    label: str | None = None
    position: int | None = None
    is_open: bool | None = None
    is_won: bool | None = None
    probability: Decimal | None = None
    forecast_category: str | None = None
    active: bool | None = None
    quiet_days: int | None = None


class LineItem(NamedTuple):
    """A product on an opportunity."""

    id: str
    modified_at: datetime
    opportunity: str
    name: str | None = None
    quantity: Decimal | None = None
    amount: Decimal | None = None
    discount: Decimal | None = None


class ExchangeRate(NamedTuple):
    """How many units of a currency one unit of the CRM's home currency buys, from a day on; None: for ever."""

    id: str
    currency: str
    start: date | None
    per_home: Decimal | None


Record: TypeAlias = (
    Opportunity
    | Account
    | Contact
    | ContactRole
    | Owner
    | Lead
    | Activity
    | ActivityLink
    | StageChange
    | FieldChange
    | Pipeline
    | Stage
    | LineItem
    | ExchangeRate
)

RECORD_TYPES: Mapping[Stream, type[Record]] = {
    Stream.OWNERS: Owner,
    Stream.PIPELINES: Pipeline,
    Stream.STAGES: Stage,
    Stream.ACCOUNTS: Account,
    Stream.CONTACTS: Contact,
    Stream.OPPORTUNITIES: Opportunity,
    Stream.CONTACT_ROLES: ContactRole,
    Stream.ACTIVITIES: Activity,
    Stream.ACTIVITY_LINKS: ActivityLink,
    Stream.STAGE_CHANGES: StageChange,
    Stream.FIELD_CHANGES: FieldChange,
    Stream.LEADS: Lead,
    Stream.LINE_ITEMS: LineItem,
    Stream.EXCHANGE_RATES: ExchangeRate,
}
