"""Lists of v2: filters, order, and a cursor that names the first record of the next page."""

from __future__ import annotations

import base64
import json
from typing import Any

from pipelint.sandbox.pipedrive.call import Call
from pipelint.sandbox.pipedrive.errors import invalid
from pipelint.sandbox.pipedrive.params import DEFAULT_LIMIT
from pipelint.sandbox.pipedrive.schema import DEALS, PERSONS, Table
from pipelint.sandbox.pipedrive.store import Row

_EQUAL = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "deal_id", "lead_id", "done")
_OF_DEAL = (
    "(id IN (SELECT person_id FROM participants WHERE deal_id = ?)"
    " OR id = (SELECT person_id FROM deals WHERE id = ?))"
)


def find(call: Call, table: Table, *, archived: bool | None = None) -> tuple[list[Row], str | None]:
    """The records of one page, and the cursor of the next."""
    params = call.params
    if "filter_id" in params:
        raise invalid("filter_id: Filters are not evaluated by the sandbox")
    where, values = _conditions(call, table, archived=archived)
    field, direction = params.get("sort_by", "id"), params.get("sort_direction", "asc")
    if "cursor" in params:
        mark = _read(params["cursor"], table)
        field, direction = mark["field"], mark["sortDirection"]
        than = ">" if direction == "asc" else "<"
        where.append(f'("{field}" {than} ? OR ("{field}" IS ? AND id {than}= ?))')
        values += [mark["fieldValue"], mark["fieldValue"], mark["id"]]
    limit = params.get("limit", DEFAULT_LIMIT)
    order = f'"{field}" {direction}, id {direction}' if field != "id" else f"id {direction}"
    rows = call.company.store.select(
        table, f"{' AND '.join(where) or '1'} ORDER BY {order} LIMIT {limit + 1}", values
    )
    following = None
    if len(rows) > limit:
        following = _mark(field, direction, rows.pop())
    return rows, following


def _conditions(call: Call, table: Table, *, archived: bool | None) -> tuple[list[str], list[Any]]:
    params = call.params
    where: list[str] = []
    values: list[Any] = []
    for name in _EQUAL:
        if name in params and name in table.columns:
            where.append(f"{name} = ?")
            values.append(params[name])
    if table is PERSONS and "deal_id" in params:
        where.append(_OF_DEAL)
        values += [params["deal_id"], params["deal_id"]]
    for name, than in (("updated_since", ">="), ("updated_until", "<")):
        if name in params:
            where.append(f"update_time {than} ?")
            values.append(params[name])
    if "ids" in params:
        where.append(f"id IN ({', '.join('?' * len(params['ids']))})")
        values += params["ids"]
    if table is DEALS:
        statuses = params.get("status") or ["open", "won", "lost"]
        where.append(f"status IN ({', '.join('?' * len(statuses))})")
        where.append("NOT (is_deleted AND update_time < ?)")
        where.append(f"is_archived = {int(bool(archived))}")
        values += [*statuses, call.company.deleted_since()]
    elif "is_deleted" in table.columns:
        where.append("NOT is_deleted")
    return where, values


def _mark(field: str, direction: str, row: Row) -> str:
    mark = {"field": field, "fieldValue": row[field], "sortDirection": direction, "id": row["id"]}
    return base64.urlsafe_b64encode(json.dumps(mark).encode()).decode().rstrip("=")


def _read(cursor: str, table: Table) -> Row:
    try:
        mark = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        mark = {name: mark[name] for name in ("field", "fieldValue", "sortDirection", "id")}
    except (ValueError, KeyError, TypeError):
        raise invalid("cursor: Invalid cursor") from None
    if mark["field"] not in table.columns or mark["sortDirection"] not in {"asc", "desc"}:
        raise invalid("cursor: Invalid cursor")
    return mark


SORTS = ("id", "update_time", "add_time")
_PAGED = {"limit": "limit", "cursor": "string", "sort_direction": ("asc", "desc")}
_CHANGED = {"filter_id": "integer", "ids": "ids", "owner_id": "integer", "updated_since": "instant",
            "updated_until": "instant"}  # fmt: skip
_LABELS = {"custom_fields": "keys", "include_option_labels": "boolean", "include_labels": "boolean"}

DEAL_EXTRAS = ["next_activity_id", "last_activity_id", "first_won_time", "products_count", "files_count",
               "notes_count", "followers_count", "email_messages_count", "activities_count",
               "done_activities_count", "undone_activities_count", "participants_count",
               "last_incoming_mail_time", "last_outgoing_mail_time", "smart_bcc_email",
               "source_lead_id"]  # fmt: skip
_CONTACT_EXTRAS = ["next_activity_id", "last_activity_id", "activities_count", "done_activities_count",
                   "undone_activities_count", "notes_count", "open_deals_count", "closed_deals_count",
                   "won_deals_count", "lost_deals_count", "related_open_deals_count",
                   "related_closed_deals_count", "related_won_deals_count", "related_lost_deals_count",
                   "files_count", "followers_count", "email_messages_count", "smart_bcc_email"]  # fmt: skip
ORGANIZATION_EXTRAS = [*_CONTACT_EXTRAS, "people_count"]
PERSON_EXTRAS = [*_CONTACT_EXTRAS, "participant_open_deals_count", "participant_closed_deals_count",
                 "last_incoming_mail_time", "last_outgoing_mail_time", "marketing_status", "doi_status"]  # fmt: skip

DEAL_SHOWN = {**_LABELS, "include_fields": DEAL_EXTRAS}
PERSON_SHOWN = {**_LABELS, "include_fields": PERSON_EXTRAS}
ORGANIZATION_SHOWN = {**_LABELS, "include_fields": ORGANIZATION_EXTRAS}
ACTIVITY_SHOWN = {"include_fields": ["attendees"]}
ARCHIVED_LIST = {
    **_PAGED, **_CHANGED, **dict.fromkeys(("person_id", "org_id", "pipeline_id", "stage_id"), "integer"),
    "status": ["open", "won", "lost", "deleted"], "sort_by": SORTS, "custom_fields": "keys",
    "include_fields": DEAL_EXTRAS,
}  # fmt: skip
DEAL_LIST = {**ARCHIVED_LIST, **_LABELS}
PERSON_LIST = {
    **_PAGED, **_CHANGED, **PERSON_SHOWN, "org_id": "integer", "deal_id": "integer", "sort_by": SORTS,
}  # fmt: skip
ORGANIZATION_LIST = {**_PAGED, **_CHANGED, **ORGANIZATION_SHOWN, "sort_by": SORTS}
ACTIVITY_LIST = {
    **_PAGED, **_CHANGED, **ACTIVITY_SHOWN, "lead_id": "string", "done": "boolean",
    **dict.fromkeys(("deal_id", "person_id", "org_id"), "integer"), "sort_by": (*SORTS, "due_date"),
}  # fmt: skip
PIPELINE_LIST = {**_PAGED, "sort_by": SORTS}
STAGE_LIST = {**_PAGED, "pipeline_id": "integer", "sort_by": (*SORTS, "order_nr")}
PRODUCT_LIST = {**_PAGED, "deal_ids": "ids", "sort_by": (*SORTS, "deal_id", "order_nr")}
FIELD_LIST = {
    "limit": "limit",
    "cursor": "string",
    "include_fields": ["ui_visibility", "important_fields", "required_fields"],
}
