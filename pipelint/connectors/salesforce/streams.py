"""Which Salesforce object feeds which stream, field by field (rules.md §4.3a).

To read a declaration one needs to know Salesforce only: on the left the canonical field, on the right the
API fields it comes from. A source with several fields is given all of them; one marked `or_none` may be
invisible or missing in an org, without the canonical field being lost, and of `one_of` any will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pipelint.connectors.base import Kind
from pipelint.connectors.salesforce import normalise as n
from pipelint.connectors.salesforce.sobject import Companion, SObject, Source, from_
from pipelint.records import (
    Account,
    Activity,
    Contact,
    ContactRole,
    Lead,
    LineItem,
    Opportunity,
    Owner,
    Stream,
)

MASTER: Final = "Master"
"""The pipeline of opportunities without a record type: the org's master record type (fact sheet §4)."""


_ID = from_("Id", read=n.identity)
_STAMP = from_("SystemModstamp", read=n.instant)
_OWNER = from_("OwnerId", read=n.identity)
_ACCOUNT = from_("AccountId", read=n.identity)
_CREATED = from_("CreatedDate", read=n.instant)


def _pipeline(developer_name: str | None) -> str:
    return developer_name or MASTER


def _stage_entered(changed: str | None, created: str) -> datetime:
    return n.moment(changed or created)


def _closed_at(closed: bool, changed: str | None, created: str) -> datetime | None:
    """The last change into won or lost is the last change of a closed deal."""
    return n.moment(changed or created) if closed else None


OPPORTUNITY: Final = SObject(
    "Opportunity",
    Opportunity,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "name": from_("Name"),
        "amount": from_("Amount", read=n.number),
        "currency": from_("CurrencyIsoCode"),  # in multi-currency orgs only (fact sheet §4)
        "pipeline": from_("RecordType.DeveloperName", read=_pipeline, or_none=["RecordType.DeveloperName"]),
        "stage": from_("StageName"),
        "is_open": from_("IsClosed", read=n.negated),
        "is_won": from_("IsWon", read=n.yes_no),
        "stage_entered_at": from_(
            "LastStageChangeDate", "CreatedDate", read=_stage_entered, or_none=["LastStageChangeDate"]
        ),
        "closed_at": from_("IsClosed", "LastStageChangeDate", "CreatedDate", read=_closed_at),
        "probability": from_("Probability", read=n.number),
        "forecast_category": from_("ForecastCategory"),
        "close_date": from_("CloseDate", read=n.day),
        "created_at": _CREATED,
        "last_activity_at": from_("LastActivityDate", read=n.noon, timed=True),
        "next_step": from_("NextStep"),
        "type": from_("Type"),
        "source": from_("LeadSource"),
        "owner": _OWNER,
        "account": _ACCOUNT,
    },
    kind="opportunity",
)

ACCOUNT: Final = SObject(
    "Account",
    Account,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "name": from_("Name"),
        "industry": from_("Industry"),
        "employees": from_("NumberOfEmployees", read=n.number),
        "created_at": _CREATED,
        "owner": _OWNER,
    },
    kind="account",
)

CONTACT: Final = SObject(
    "Contact",
    Contact,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "name": from_("Name"),
        "email": from_("Email"),
        "account": _ACCOUNT,
        "owner": _OWNER,
    },
    kind="contact",
)

CONTACT_ROLE: Final = SObject(
    # A stream of its own: a change here does not move the opportunity's stamp (fact sheet §4).
    "OpportunityContactRole",
    ContactRole,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "opportunity": from_("OpportunityId", read=n.identity),
        "contact": from_("ContactId", read=n.identity),
        "role": from_("Role"),
        "is_primary": from_("IsPrimary", read=n.yes_no),
        "created_at": _CREATED,
    },
)

USER: Final = SObject(
    "User",
    Owner,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "name": from_("Name"),
        "email": from_("Email"),
        "active": from_("IsActive", read=n.yes_no),
        "manager": from_("ManagerId", read=n.identity),
        "team": from_("UserRole.Name"),
    },
)

QUEUE: Final = SObject(
    # Leads may wait in a queue, which then is their owner (fact sheet §4).
    "Group",
    Owner,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "name": from_("Name"),
        "active": Source((), lambda: True),
    },
    where="Type = 'Queue'",
)

LEAD: Final = SObject(
    "Lead",
    Lead,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "name": from_("Name"),
        "company": from_("Company"),
        "status": from_("Status"),
        "source": from_("LeadSource"),
        "is_open": from_("IsConverted", read=n.negated),
        "created_at": _CREATED,
        "owner": _OWNER,
    },
    kind="lead",
)

LINE_ITEM: Final = SObject(
    "OpportunityLineItem",
    LineItem,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "opportunity": from_("OpportunityId", read=n.identity),
        "name": from_("Product2.Name", "Name", read=n.first_text, or_none=["Product2.Name"]),
        "quantity": from_("Quantity", read=n.number),
        "amount": from_("TotalPrice", read=n.number),
        "discount": from_("Discount", read=n.number),
    },
)

_DIRECTIONS = ("CallType", "EmailMessage.Incoming")


def _several(count: object) -> bool:
    """Whether there are more people than the one that the row itself names (text in the Bulk API)."""
    return count is not None and int(str(count)) > 1


TASK: Final = SObject(
    "Task",
    Activity,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "type": from_("TaskSubtype", "CallType", read=n.activity_type, or_none=["TaskSubtype", "CallType"]),
        "direction": from_("CallType", "EmailMessage.Incoming", read=n.direction, one_of=_DIRECTIONS),
        "subject": from_("Subject"),
        "happened_at": from_(
            "IsClosed", "CompletedDateTime", "ActivityDate", "SystemModstamp",
            read=n.task_happened, or_none=["CompletedDateTime"], timed=True,
        ),
        "planned_at": from_("IsClosed", "ActivityDate", read=n.task_planned, timed=True),
        "owner": _OWNER,
    },
    links=("WhatId", "WhoId"),
    archived=True,
    companions=(
        Companion("TaskRelation", "TaskId", "RelationId", "WhoCount", _several, link=True),
        Companion("EmailMessage", "ActivityId", "Incoming", "TaskSubtype", lambda kind: kind == "Email"),
    ),
)  # fmt: skip

_TIMES = ("StartDateTime", "EndDateTime", "IsAllDayEvent")

EVENT: Final = SObject(
    "Event",
    Activity,
    {
        "id": _ID,
        "modified_at": _STAMP,
        "type": Source((), lambda: "meeting"),
        "subject": from_("Subject"),
        "happened_at": from_(*_TIMES, read=n.event_happened, timed=True),
        "planned_at": from_(*_TIMES, read=n.event_planned, timed=True),
        "owner": _OWNER,
    },
    links=("WhatId", "WhoId"),
    drop="IsChild",  # invitees' copies
    archived=True,
    companions=(Companion("EventRelation", "EventId", "RelationId", "WhoCount", _several, link=True),),
    passing="EndDateTime",
)

FOLLOWED: Final[Mapping[Stream, tuple[SObject, ...]]] = {
    Stream.OWNERS: (USER, QUEUE),
    Stream.ACCOUNTS: (ACCOUNT,),
    Stream.CONTACTS: (CONTACT,),
    Stream.OPPORTUNITIES: (OPPORTUNITY,),
    Stream.CONTACT_ROLES: (CONTACT_ROLE,),
    Stream.ACTIVITIES: (TASK, EVENT),
    Stream.LEADS: (LEAD,),
    Stream.LINE_ITEMS: (LINE_ITEM,),
}
"""The streams that are pulled by stamp; pipelines, stages and stage changes have ways of their own."""

ORDER: Final[tuple[Stream, ...]] = (
    Stream.OWNERS,
    Stream.PIPELINES,
    Stream.STAGES,
    Stream.EXCHANGE_RATES,
    Stream.ACCOUNTS,
    Stream.CONTACTS,
    Stream.OPPORTUNITIES,
    Stream.CONTACT_ROLES,
    Stream.LINE_ITEMS,
    Stream.STAGE_CHANGES,
    Stream.FIELD_CHANGES,
    Stream.ACTIVITIES,
    Stream.LEADS,
)
"""Parents before children, so that a first pull is useful early."""

OBJECT_OF: Final[Mapping[Kind, str]] = {
    "opportunity": "Opportunity",
    "account": "Account",
    "contact": "Contact",
    "lead": "Lead",
}
