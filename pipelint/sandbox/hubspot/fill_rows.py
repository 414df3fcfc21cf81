"""Rows that follow from one generated thing alone, with what HubSpot would have calculated for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from pipelint.sandbox import names
from pipelint.sandbox.hubspot.derive import calculated, move
from pipelint.sandbox.hubspot.history import Source, Version
from pipelint.sandbox.hubspot.moments import millis
from pipelint.sandbox.hubspot.object_types import (
    CALLS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LEADS,
    MEETINGS,
    TASKS,
    ObjectType,
)
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Stage
from pipelint.sandbox.hubspot.roll_up import Moment, summary
from pipelint.sandbox.hubspot.values import Row, Value
from pipelint.sandbox.organisation import Activity, Company, Contact, Deal, Lead

MASS_UPDATE_DAYS = 20
"""So many days ago a colleague changed all older closed deals at once: they share one stamp."""

_CATEGORIES = {
    "Pipeline": "PIPELINE",
    "Best Case": "BEST_CASE",
    "Commit": "COMMIT",
    "Closed": "CLOSED",
    "Omitted": "OMIT",
}
_BUYING_ROLES = {
    "Champion": "CHAMPION",
    "Decision Maker": "DECISION_MAKER",
    "Economic Buyer": "BUDGET_HOLDER",
    "Evaluator": "INFLUENCER",
    "Business User": "END_USER",
}
_LEAD_STATES = {
    "new": ("lead", "NEW", "new-stage-id"),
    "working": ("lead", "IN_PROGRESS", "attempting-stage-id"),
    "converted": ("opportunity", "OPEN_DEAL", "qualified-stage-id"),
    "dropped": ("lead", "UNQUALIFIED", "unqualified-stage-id"),
}
_PROPERTIES = {"close_date": "closedate", "amount": "amount", "next_step": "hs_next_step"}
_CLOSING_TIME = time(16)
"""Close dates are moments here: this hour of UTC is the same day from London to Berlin."""


def stamps(kind: ObjectType, created: datetime, owner: Owner | None, modified: datetime | None = None) -> Row:
    """Who made a record, and when it was made and changed."""
    user = None if owner is None else str(owner.user_id)
    return {
        kind.created: millis(created),
        kind.modified: millis(modified or created),
        "hs_created_by_user_id": user,
        "hs_updated_by_user_id": user,
        "hubspot_owner_id": None if owner is None else str(owner.id),
    }


def deal_row(
    deal: Deal, owner: Owner, pipeline: str, stages: Sequence[tuple[Stage, datetime]], now: datetime
) -> Row:
    """A deal with its stage times and activity summary."""
    stage = stages[-1][0]
    row: Row = stamps(DEALS, deal.created_at, owner, _modified(deal, now)) | {
        "dealname": deal.name,
        "pipeline": pipeline,
        "amount": _number(deal.amount),
        "closedate": _closing(deal.close_date),
        "dealtype": "existingbusiness" if deal.pipeline == "renewal" else "newbusiness",
        "hs_next_step": deal.next_step,
        "closed_lost_reason": deal.loss_reason,
        "hs_manual_forecast_category": _category(deal, stage),
        "hs_forecast_probability": None if deal.probability is None else str(deal.probability / 100),
        "need": deal.need,
        "decision_makers": deal.decision_makers,
        "budget": deal.budget,
        "deadline": _iso(deal.deadline),
        "risk": deal.risk,
        "next_step_date": _iso(deal.next_step_date),
        "lead_source": deal.source,
        "num_associated_contacts": str(len(deal.contacts)),
    }
    before: Row | None = None
    for visited, entered in stages:
        row["dealstage"] = visited.id
        move(row, before, millis(entered))
        before = dict(row)
    moments = [Moment(_KINDS[it.kind], millis(it.at), it.done) for it in deal.activities]
    return row | calculated(row, stage) | summary(moments, millis(now))


_KINDS = {"call": CALLS, "email": EMAILS, "meeting": MEETINGS, "task": TASKS}


def versions(
    deal: Deal, record: int, owner: Owner, stages: Sequence[tuple[Stage, datetime]]
) -> list[Version]:
    """The history of what changed since the deal was made, with the first values."""
    source = Source("CRM_UI", f"userId:{owner.user_id}", owner.user_id)
    made = [(("dealstage", stage.id), at) for stage, at in stages] if len(stages) > 1 else []
    found = [Version(record, name, millis(at), value, source) for (name, value), at in made]
    first: set[str] = set()
    changes = sorted(deal.changes, key=lambda change: change.at)
    last = {_PROPERTIES[it.field]: it for it in changes}
    now = {"hs_next_step": deal.next_step, "amount": deal.amount, "closedate": deal.close_date.isoformat()}
    for it in changes:
        name = _PROPERTIES[it.field]
        if name not in first and it.old is not None:
            found.append(Version(record, name, millis(deal.created_at), _value(name, it.old), source))
        first.add(name)
        new = now[name] if it is last[name] else it.new  # the last change led to what stands there now
        found.append(Version(record, name, millis(it.at), _value(name, new), source))
    return found


def company_row(company: Company, deal: Deal, owner: Owner) -> Row:
    """A company, made a month before its first deal."""
    return stamps(COMPANIES, deal.created_at - timedelta(days=30), owner) | {
        "name": company.name,
        "domain": company.domain,
        "website": f"https://www.{company.domain}",
        "numberofemployees": str(company.employees),
        "annualrevenue": str(company.employees * 180_000),
        "city": company.city,
        "country": names.COUNTRIES[company.language],
        "lifecyclestage": "customer" if deal.pipeline == "renewal" else "opportunity",
    }


def contact_row(contact: Contact, deal: Deal, owner: Owner) -> Row:
    """A person at the customer; the part played is a label of the link, and a property here."""
    return stamps(CONTACTS, deal.created_at, owner) | {
        "firstname": contact.first,
        "lastname": contact.last,
        "email": contact.email,
        "jobtitle": contact.title,
        "lifecyclestage": "opportunity",
        "hs_buying_role": _BUYING_ROLES[contact.role],
    }


def activity_row(kind: ObjectType, activity: Activity, owner: Owner, now: datetime) -> Row:
    """A call, an e-mail, a meeting or a task."""
    at = millis(activity.at)
    row = stamps(kind, min(activity.at, now - timedelta(days=1)), owner) | {"hs_timestamp": at}
    if kind is CALLS:
        return row | {
            "hs_call_title": activity.subject,
            "hs_call_direction": "INBOUND" if activity.inbound else "OUTBOUND",
            "hs_call_status": "COMPLETED",
        }
    if kind is EMAILS:
        return row | {
            "hs_email_subject": activity.subject,
            "hs_email_direction": "INCOMING_EMAIL" if activity.inbound else "EMAIL",
            "hs_email_status": "SENT",
        }
    if kind is MEETINGS:
        return row | {
            "hs_meeting_title": activity.subject,
            "hs_meeting_start_time": at,
            "hs_meeting_end_time": at + 3_600_000,
            "hs_meeting_outcome": "COMPLETED" if activity.done else "SCHEDULED",
        }
    return row | {
        "hs_task_subject": activity.subject,
        "hs_task_status": "COMPLETED" if activity.done else "NOT_STARTED",
        "hs_task_completion_date": at if activity.done else None,
        "hs_task_type": "TODO",
    }


def lead_contact_row(lead: Lead, owner: Owner | None) -> Row:
    """A lead as a contact: most accounts have nothing else for them."""
    lifecycle, status, _ = _LEAD_STATES[lead.status]
    touched = None if lead.touched_at is None else millis(lead.touched_at)
    return stamps(CONTACTS, lead.created_at, owner, lead.touched_at) | {
        "firstname": lead.first,
        "lastname": lead.last,
        "email": lead.email,
        "company": lead.company,
        "country": names.COUNTRIES[lead.language],
        "lifecyclestage": lifecycle,
        "hs_lead_status": status,
        "hs_analytics_source_data_1": lead.source,
        "notes_last_updated": touched,
        "notes_last_contacted": touched,
    }


def lead_row(lead: Lead, owner: Owner | None) -> Row:
    """A lead as an object of its own."""
    return stamps(LEADS, lead.created_at, owner, lead.touched_at) | {
        "hs_lead_name": f"{lead.first} {lead.last}",
        "hs_pipeline": "lead-pipeline-id",
        "hs_pipeline_stage": _LEAD_STATES[lead.status][2],
        "hs_lead_type": "NEW_BUSINESS",
        "hs_lead_label": "WARM",
    }


def _category(deal: Deal, stage: Stage) -> str:
    """The forecast category somebody chose, or what goes with the stage."""
    if deal.category is not None:
        return _CATEGORIES[deal.category]
    if stage.closed:
        return "CLOSED" if stage.probability == 1 else "OMIT"
    late = {0.75: "BEST_CASE", 0.8: "BEST_CASE", 0.9: "COMMIT"}
    return late.get(stage.probability, "PIPELINE")


def _modified(deal: Deal, now: datetime) -> datetime:
    last = max([deal.stages[-1][1], *(it.at for it in deal.changes)])
    mass_update = datetime.combine((now - timedelta(days=MASS_UPDATE_DAYS)).date(), time(6, 30), UTC)
    return last if deal.is_open else max(last, mass_update)


def _value(name: str, value: str | float | None) -> Value:
    if name == "closedate":
        return None if value is None else _closing(date.fromisoformat(str(value)))
    return _number(value) if isinstance(value, float) else value


def _closing(day: date) -> int:
    return millis(datetime.combine(day, _CLOSING_TIME, UTC))


def _number(value: float | None) -> str | None:
    return None if value is None else str(int(value)) if value == int(value) else str(value)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
