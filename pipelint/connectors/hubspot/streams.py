"""Which HubSpot object types feed which stream, and what is asked for of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelint.connectors.base import Kind
from pipelint.connectors.hubspot import activities, readers
from pipelint.connectors.hubspot.readers import ENTERED, STAMP, Given
from pipelint.records import (
    Account,
    Activity,
    Contact,
    Lead,
    LineItem,
    Opportunity,
    Record,
    Stream,
)

MERGED: Final = "hs_merged_object_ids"


@dataclass(frozen=True, slots=True)
class Followed:
    """An object type that is followed by its stamp.

    `links` are the types whose links are wanted; with `labels` what they say matters, too. `passing` names
    instants that change what a row means when they pass, without moving the stamp. `where` narrows what a full
    pull lists: a search finds it then.
    """

    kind: str
    type_id: str
    properties: tuple[str, ...]
    read: Callable[[Given], list[Record]]
    links: tuple[str, ...] = ()
    stamp: str = STAMP
    passing: tuple[str, ...] = ()
    where: tuple[Mapping[str, object], ...] = ()
    labels: bool = False


_OWNED: Final = ("hubspot_owner_id", STAMP)
_TO: Final = tuple(activities.LINKED_KINDS)

DEALS: Final = Followed(
    "deals",
    "0-3",
    (
        "dealname", "amount", "deal_currency_code", "pipeline", "dealstage", "hs_is_closed", "hs_is_closed_won",
        "closedate", "createdate", "hs_next_step", "notes_next_activity_date", "dealtype", "closed_lost_reason",
        "hs_manual_forecast_category", ENTERED, MERGED, *_OWNED,
    ),
    readers.deal,
    links=("companies",),
    labels=True,
)  # fmt: skip
COMPANIES: Final = Followed(
    "companies",
    "0-2",
    ("name", "domain", "industry", "numberofemployees", "createdate", MERGED, *_OWNED),
    readers.company,
)
CONTACTS: Final = Followed(
    "contacts",
    "0-1",
    ("firstname", "lastname", "email", "hubspot_owner_id", "lastmodifieddate", MERGED),
    readers.contact,
    links=("companies",),
    labels=True,
    stamp="lastmodifieddate",
)
LEADS: Final = Followed(
    "leads",
    "0-136",
    (
        "hs_lead_name",
        "hs_associated_company_name",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_createdate",
        *_OWNED,
    ),
    readers.lead,
    links=("contacts",),
    labels=True,
)
EARLY_CONTACTS: Final = Followed(
    "contacts",
    "0-1",
    (
        "firstname", "lastname", "email", "company", "lifecyclestage", "hs_lead_status", "createdate",
        "hubspot_owner_id", "lastmodifieddate", MERGED,
    ),
    readers.early_contact,
    stamp="lastmodifieddate",
    where=({"propertyName": "lifecyclestage", "operator": "IN", "values": list(readers.LEAD_STAGES)},),
)  # fmt: skip
LINE_ITEMS: Final = Followed(
    "line_items",
    "0-8",
    ("name", "quantity", "amount", "hs_discount_percentage", STAMP),
    readers.line_item,
    links=("deals",),
)
ACTIVITIES: Final = (
    Followed(
        "calls",
        "0-48",
        ("hs_timestamp", "hs_call_title", "hs_call_direction", *_OWNED),
        activities.activity("calls", "call", "hs_call_title", activities.at_its_time),
        _TO,
        passing=("hs_timestamp",),
    ),
    Followed(
        "meetings",
        "0-47",
        (
            "hs_timestamp", "hs_meeting_title", "hs_meeting_start_time", "hs_meeting_end_time",
            "hs_meeting_outcome", *_OWNED,
        ),
        activities.activity("meetings", "meeting", "hs_meeting_title", activities.meeting),
        _TO,
        passing=("hs_meeting_end_time", "hs_meeting_start_time"),
    ),
    Followed(
        "tasks",
        "0-27",
        ("hs_timestamp", "hs_task_subject", "hs_task_status", "hs_task_completion_date", *_OWNED),
        activities.activity("tasks", "task", "hs_task_subject", activities.task),
        _TO,
    ),
    Followed(
        "notes",
        "0-46",
        ("hs_timestamp", *_OWNED),
        activities.activity("notes", "note", "", activities.at_its_time),
        _TO,
    ),
    Followed(
        "emails",
        "0-49",
        ("hs_timestamp", "hs_email_subject", "hs_email_direction", *_OWNED),
        activities.activity("emails", "email", "hs_email_subject", activities.at_its_time),
        _TO,
    ),
)  # fmt: skip

OBJECT_OF: Final[Mapping[Kind, str]] = {"opportunity": "deals", "account": "companies", "contact": "contacts"}

TYPE_IDS: Final[Mapping[str, str]] = {each.kind: each.type_id for each in (DEALS, COMPANIES, CONTACTS, LEADS)}
"""The ids of object types, which every endpoint takes, by their names."""

SUPPLIED: Final[Mapping[Stream, frozenset[str]]] = {
    Stream.OPPORTUNITIES: frozenset(Opportunity._fields)
    - {"custom", "probability", "source", "last_activity_at", "next_activity_at"},
    Stream.ACCOUNTS: frozenset(Account._fields) - {"custom"},
    Stream.CONTACTS: frozenset(Contact._fields) - {"custom"},
    Stream.LEADS: frozenset(Lead._fields) - {"custom", "source"},
    Stream.LINE_ITEMS: frozenset(LineItem._fields),
    Stream.ACTIVITIES: frozenset(Activity._fields),
}
"""What HubSpot tells of each stream; all else is not synced, or mapped by the pack."""


FOLLOWED: Final[Mapping[Stream, tuple[Followed, ...]]] = {
    Stream.ACCOUNTS: (COMPANIES,),
    Stream.CONTACTS: (CONTACTS,),
    Stream.OPPORTUNITIES: (DEALS,),
    Stream.LINE_ITEMS: (LINE_ITEMS,),
    Stream.ACTIVITIES: ACTIVITIES,
    Stream.LEADS: (LEADS,),
}

LINKED: Final[Mapping[Stream, Mapping[str, str]]] = {
    Stream.OPPORTUNITIES: {"account": "companies"},
    Stream.CONTACTS: {"account": "companies"},
    Stream.LEADS: {"contact": "contacts"},
}
"""Fields that come from a link, and the type it leads to: not synced where we may not see that type."""

SOURCES: Final[Mapping[Stream, Mapping[str, str]]] = {
    Stream.OPPORTUNITIES: {
        "stage_entered_at": ENTERED,
        "closed_at": ENTERED,
        "next_step": "hs_next_step",
        "next_step_date": "notes_next_activity_date",
        "forecast_category": "hs_manual_forecast_category",
        "type": "dealtype",
        "lost_reason": "closed_lost_reason",
    },
    Stream.ACCOUNTS: {"industry": "industry", "employees": "numberofemployees"},
    Stream.LINE_ITEMS: {"discount": "hs_discount_percentage"},
}
"""Fields that come from one property, which a portal may not have or have removed: then they are not synced.

Since when a deal is in its stage follows from its stage changes where HubSpot's plan does not calculate it.
"""
