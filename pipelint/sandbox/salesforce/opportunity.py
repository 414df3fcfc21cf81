"""What Salesforce works out by itself when a deal or an activity changes (fact sheet §4)."""

from __future__ import annotations

from datetime import date, datetime

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.stages import FORECAST_CATEGORIES
from pipelint.sandbox.salesforce.store import Row, Store, Value
from pipelint.sandbox.salesforce.values import stamp

HISTORY_FIELDS = ("StageName", "Amount", "Probability", "CloseDate")
TRACKED_FIELDS = ("StageName", "Amount", "CloseDate", "NextStep", "OwnerId", "ForecastCategoryName")
"""A change of the former writes OpportunityHistory; of the latter, and of custom fields that are tracked,
OpportunityFieldHistory."""

API_CATEGORY = {label: api for api, label in FORECAST_CATEGORIES}


def derive(store: Store, before: Row | None, after: Row, given: set[str], now: str) -> None:
    """Fill in what follows from the values given; a new stage resets probability and forecast category."""
    if before is None or after["StageName"] != before["StageName"]:
        stage = store.find(store.schema["OpportunityStage"], ApiName=after["StageName"])
        if stage is not None:
            after["IsClosed"], after["IsWon"] = stage["IsClosed"], stage["IsWon"]
            if "Probability" not in given:
                after["Probability"] = stage["DefaultProbability"]
            if "ForecastCategoryName" not in given:
                after["ForecastCategoryName"] = stage["ForecastCategoryName"]
        if before is not None:
            after["LastStageChangeDate"] = now
    after["ForecastCategory"] = API_CATEGORY.get(str(after.get("ForecastCategoryName")))
    after["ExpectedRevenue"] = expected_revenue(after.get("Amount"), after.get("Probability"))
    closes = date.fromisoformat(str(after["CloseDate"]))
    after["FiscalYear"], after["FiscalQuarter"] = closes.year, (closes.month + 2) // 3
    after["Fiscal"] = f"{closes.year} {after['FiscalQuarter']}"
    pushes = after.get("PushCount") or 0
    if before is not None and str(after["CloseDate"])[:7] > str(before["CloseDate"])[:7]:
        pushes = int(pushes) + 1
    after["PushCount"] = pushes


def expected_revenue(amount: Value, probability: Value) -> float | None:
    """Amount times probability."""
    if not isinstance(amount, int | float):
        return None
    return round(amount * float(probability or 0) / 100, 2)


def record_history(store: Store, before: Row | None, after: Row, user_id: str, now: str) -> None:
    """Write the history rows of a change."""
    if before is None or any(before[it] != after[it] for it in HISTORY_FIELDS):
        history = store.schema["OpportunityHistory"]
        store.insert(
            history,
            {
                "Id": store.reserve(history)[0],
                "OpportunityId": after["Id"],
                **{it: after[it] for it in (*HISTORY_FIELDS, "ExpectedRevenue", "ForecastCategory")},
                "PrevAmount": before["Amount"] if before else None,
                "PrevCloseDate": before["CloseDate"] if before else None,
                **{it: after[it] for it in ("CurrencyIsoCode",) if it in after},
                "CreatedDate": now,
                "CreatedById": user_id,
                "SystemModstamp": now,
            },
        )
    for it in store.schema["Opportunity"].fields.values():
        if (
            before is not None
            and is_tracked(store.schema["Opportunity"], it)
            and before[it.name] != after[it.name]
        ):
            _record_field(store, after, it, before[it.name], user_id, now)


def is_tracked(sobject: SObject, field: Field) -> bool:
    """Whether a change of this field is written into a field history."""
    return field.tracked or (sobject.name == "Opportunity" and field.name in TRACKED_FIELDS)


def _record_field(store: Store, deal: Row, field: Field, old: Value, user_id: str, now: str) -> None:
    tracked = store.schema["OpportunityFieldHistory"]
    store.insert(
        tracked,
        {
            "Id": store.reserve(tracked)[0],
            "OpportunityId": deal["Id"],
            "Field": field.name.removesuffix("Id"),
            "DataType": _HISTORY_TYPES.get(field.type, "Text"),
            # Of long texts the history tells only that they changed.
            "OldValue": None if field.long_text else old,
            "NewValue": None if field.long_text else deal[field.name],
            "CreatedDate": now,
            "CreatedById": user_id,
        },
    )


_HISTORY_TYPES = {"reference": "EntityId", "currency": "Currency", "double": "Double", "percent": "Percent",
                  "date": "DateOnly", "datetime": "DateTime", "picklist": "DynamicEnum",
                  "boolean": "Boolean", "textarea": "TextArea"}  # fmt: skip


def derive_task(before: Row | None, after: Row, now: str) -> None:
    """A task is closed by its status, and completed at that moment."""
    closed = int(after.get("Status") == "Completed")
    after["IsClosed"] = closed
    after["IsHighPriority"] = int(after.get("Priority") == "High")
    after["TaskSubtype"] = after.get("TaskSubtype") or "Task"
    if closed and (before is None or not before["IsClosed"]):
        after["CompletedDateTime"] = after.get("CompletedDateTime") or now
    elif not closed:
        after["CompletedDateTime"] = None


def derive_event(after: Row) -> None:
    """Date and length of an event follow from its start and end."""
    start, end = (datetime.fromisoformat(str(after[it])) for it in ("StartDateTime", "EndDateTime"))
    if end < start:
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION", "End Date Time: Event duration cannot be negative", ["EndDateTime"]
        )
    after["ActivityDateTime"] = after["StartDateTime"]
    after["ActivityDate"] = start.date().isoformat()
    after["DurationInMinutes"] = int((end - start).total_seconds() // 60)
    after["EventSubtype"] = "Event"


_ACTIVITY = """
    SELECT max(CASE WHEN IsClosed THEN substr(coalesce(ActivityDate, CompletedDateTime), 1, 10) END),
           max(NOT IsClosed), max(NOT IsClosed AND ActivityDate < :today)
    FROM (
        SELECT ActivityDate, CompletedDateTime, IsClosed FROM "Task" WHERE WhatId = :id AND NOT IsDeleted
        UNION ALL
        SELECT ActivityDate, NULL, EndDateTime <= :now FROM "Event" WHERE WhatId = :id AND NOT IsDeleted
    )
"""


def roll_up_activity(store: Store, opportunity: str, now: datetime) -> None:
    """Renew what a deal says about its activities; its stamp stays (fact sheet §4, Task/Event)."""
    [[last, open_, overdue]] = store.rows(
        _ACTIVITY.replace(":today", "?1").replace(":id", "?2").replace(":now", "?3"),
        [now.date().isoformat(), opportunity, stamp(now)],
    )
    store.update(
        store.schema["Opportunity"],
        opportunity,
        {"LastActivityDate": last, "HasOpenActivity": int(open_ or 0), "HasOverdueTask": int(overdue or 0)},
    )
