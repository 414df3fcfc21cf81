"""Rows that follow from one generated thing alone: stamps, leads, activities, the two histories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import get_args

from pipelint.sandbox.names import COUNTRIES
from pipelint.sandbox.organisation import Activity, Deal, Lead, LeadStatus
from pipelint.sandbox.salesforce.opportunity import API_CATEGORY, expected_revenue
from pipelint.sandbox.salesforce.schema_sales import LEAD_STATUSES
from pipelint.sandbox.salesforce.stages import STAGE
from pipelint.sandbox.salesforce.store import Row, Value
from pipelint.sandbox.salesforce.values import stamp

_COLUMNS = {"close_date": "CloseDate", "amount": "Amount", "next_step": "NextStep"}


def audit(created: datetime, modified: datetime, user: str) -> Row:
    """Who made and changed a record, and when."""
    return {
        "CreatedDate": stamp(created),
        "CreatedById": user,
        "LastModifiedDate": stamp(modified),
        "LastModifiedById": user,
        "SystemModstamp": stamp(modified),
    }


def event_row(activity: Activity) -> Row:
    """A meeting."""
    start = activity.at.replace(minute=0, second=0)
    return {
        "Subject": activity.subject,
        "StartDateTime": stamp(start),
        "EndDateTime": stamp(start + timedelta(hours=1)),
        "ActivityDateTime": stamp(start),
        "ActivityDate": start.date().isoformat(),
        "DurationInMinutes": 60,
        "EventSubtype": "Event",
    }


def task_row(activity: Activity) -> Row:
    """A task; of an e-mail only the subject tells the direction, for a call there is a field."""
    subject = activity.subject
    if activity.kind == "email":
        subject = f"Re: {subject}" if activity.inbound else f"Email: {subject}"
    return {
        "Subject": subject,
        "ActivityDate": activity.at.date().isoformat(),
        "Status": "Completed" if activity.done else "Not Started",
        "Priority": "Normal",
        "IsClosed": int(activity.done),
        "CompletedDateTime": stamp(activity.at) if activity.done else None,
        "TaskSubtype": {"call": "Call", "email": "Email"}.get(activity.kind, "Task"),
        "CallType": ("Inbound" if activity.inbound else "Outbound") if activity.kind == "call" else None,
    }


def email_row(activity: Activity, customer: str, seller: str) -> Row:
    """The message behind an e-mail that was logged as a task; it knows its direction."""
    sender, recipient = (customer, seller) if activity.inbound else (seller, customer)
    return {
        "Subject": activity.subject,
        "FromAddress": sender,
        "ToAddress": recipient,
        "Incoming": int(activity.inbound),
        "Status": "1" if activity.inbound else "3",
        "MessageDate": stamp(activity.at),
    }


def lead_row(lead: Lead, owner: str) -> Row:
    """A lead in its state."""
    touched = lead.touched_at
    converted = lead.status == "converted" and touched is not None
    return audit(lead.created_at, touched or lead.created_at, owner) | {
        "LastName": lead.last,
        "FirstName": lead.first,
        "Name": f"{lead.first} {lead.last}",
        "Company": lead.company,
        "Email": lead.email,
        "Country": COUNTRIES[lead.language],
        "LeadSource": lead.source,
        "Status": dict(zip(get_args(LeadStatus), LEAD_STATUSES, strict=True))[lead.status],
        "IsConverted": int(converted),
        "ConvertedDate": touched.date().isoformat() if touched and converted else None,
        "OwnerId": owner,
        "LastActivityDate": touched.date().isoformat() if touched else None,
    }


def history_rows(deal: Deal, opportunity: str, user: str) -> Iterator[tuple[str, Row]]:
    """Each change in both histories, with the values as they were at that moment."""
    moves: list[tuple[datetime, str, Value, Value]] = [
        (at, "StageName", old, new) for (old, _), (new, at) in zip(deal.stages, deal.stages[1:], strict=False)
    ]
    moves += [(it.at, _COLUMNS[it.field], it.old, it.new) for it in deal.changes]
    moves.sort(key=lambda move: move[0])
    values: Row = {"StageName": deal.stage, "CloseDate": deal.close_date.isoformat(), "Amount": deal.amount}
    for _, column, old, _new in reversed(moves):
        if column in values:
            values[column] = old
    yield "OpportunityHistory", _history(opportunity, values, values, deal.created_at, user)
    for at, column, old, new in moves:
        yield (
            "OpportunityFieldHistory",
            {
                "OpportunityId": opportunity,
                "Field": column,
                "DataType": "Text",
                "OldValue": old,
                "NewValue": new,
                "CreatedDate": stamp(at),
                "CreatedById": user,
            },
        )
        if column in values:
            before, values = values, {**values, column: new}
            yield "OpportunityHistory", _history(opportunity, before, values, at, user)


def _history(opportunity: str, before: Row, values: Row, at: datetime, user: str) -> Row:
    stage = STAGE[str(values["StageName"])]
    return {
        "OpportunityId": opportunity,
        **values,
        "Probability": float(stage.probability),
        "ExpectedRevenue": expected_revenue(values["Amount"], stage.probability),
        "ForecastCategory": API_CATEGORY[stage.category],
        "PrevAmount": before["Amount"],
        "PrevCloseDate": before["CloseDate"],
        "CreatedDate": stamp(at),
        "CreatedById": user,
        "SystemModstamp": stamp(at),
    }


def pushes(deal: Deal) -> int:
    """How often the close date moved into a later month."""
    moves = [it for it in deal.changes if it.field == "close_date"]
    return sum(1 for it in moves if str(it.new)[:7] > str(it.old)[:7])
