"""What v1 alone knows of a deal: its history, its participants, merging."""

from __future__ import annotations

import base64
import binascii

from werkzeug.wrappers import Response

from pipelint.sandbox.pipedrive.call import Call, succeed, window_of
from pipelint.sandbox.pipedrive.errors import PipedriveError
from pipelint.sandbox.pipedrive.params import window
from pipelint.sandbox.pipedrive.schema import (
    ACTIVITIES,
    CHANGES,
    DEALS,
    ORGANIZATIONS,
    PARTICIPANTS,
    PERSONS,
    USERS,
)
from pipelint.sandbox.pipedrive.store import Row
from pipelint.sandbox.pipedrive.values import v1_time, v1_values

_CHANGE = ("field_key", "old_value", "new_value", "actor_user_id", "time", "change_source",
           "change_source_user_agent", "is_bulk_update_flag")  # fmt: skip


def changelog(call: Call) -> Response:
    """The changes of a deal, newest first."""
    deal = call.company.get(DEALS, call.args["id"])
    _, limit = window(call.request.args)
    before = _mark(call.request.args.get("cursor", ""))
    rows = call.company.store.select(
        CHANGES,
        "deal_id = ?1 AND (?2 IS NULL OR (time, id) <= (SELECT time, id FROM changes WHERE id = ?2))"
        " ORDER BY time DESC, id DESC LIMIT ?3",
        [deal["id"], before, limit + 1],
    )
    following = None
    if len(rows) > limit:
        following = base64.b64encode(f"id:{rows.pop()['id']}".encode()).decode()
    data = [{name: row[name] for name in _CHANGE} | {"time": v1_time(row["time"])} for row in rows]
    return succeed(data, additional_data={"next_cursor": following})


def _mark(cursor: str) -> int | None:
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("id:")) if cursor else None
    except (ValueError, binascii.Error):
        raise PipedriveError(400, "Invalid cursor") from None


def flow(call: Call) -> Response:
    """What happened around a deal, newest first; changes of custom fields only on request."""
    deal = call.company.get(DEALS, call.args["id"])
    start, limit = window(call.request.args)
    items = call.request.args.get("items", "dealChange,activity").split(",")
    found: list[Row] = []
    if "dealChange" in items:
        all_changes = call.request.args.get("all_changes") == "1"
        custom = call.company.fields.custom("deals")
        found += [
            _deal_change(it)
            for it in call.company.store.select(CHANGES, "deal_id = ?", [deal["id"]])
            if all_changes or it["field_key"] not in custom
        ]
    if "activity" in items:
        found += [
            {"object": "activity", "timestamp": v1_time(it["add_time"]), "data": _activity(it)}
            for it in call.company.store.select(ACTIVITIES, "deal_id = ? AND NOT is_deleted", [deal["id"]])
        ]
    found.sort(key=lambda it: (it["timestamp"], it["data"]["id"]), reverse=True)
    return window_of(found[start : start + limit], start, limit, more=len(found) > start + limit)


def _deal_change(row: Row) -> Row:
    time = v1_time(row["time"])
    data = {name: row[name] for name in _CHANGE if name not in {"actor_user_id", "time"}}
    data |= {"id": row["id"], "item_id": row["deal_id"], "user_id": row["actor_user_id"], "log_time": time}
    return {"object": "dealChange", "timestamp": time, "data": {**data, "additional_data": []}}


def _activity(row: Row) -> Row:
    kept = ("id", "type", "subject", "done", "due_date", "due_time", "duration", "deal_id", "person_id",
            "org_id", "lead_id", "note")  # fmt: skip
    times = {name: v1_time(row[name]) for name in ("add_time", "update_time", "marked_as_done_time")}
    return {name: row[name] for name in kept} | times | {"user_id": row["owner_id"]}


def participants(call: Call) -> Response:
    """The people of a deal, the main contact among them; they have no role here."""
    deal = call.company.get(DEALS, call.args["id"])
    start, limit = window(call.request.args)
    rows = call.company.store.select(
        PARTICIPANTS, "deal_id = ? ORDER BY id LIMIT ? OFFSET ?", [deal["id"], limit + 1, start]
    )
    data = [_participant(call, it, deal) for it in rows[:limit]]
    return window_of(data, start, limit, more=len(rows) > limit)


def add_participant(call: Call) -> Response:
    """One more person on a deal."""
    person = call.body().get("person_id")
    if not isinstance(person, int):
        raise PipedriveError(400, "person_id is required")
    number = call.company.add_participant(call.args["id"], person, call.caller.user_id)
    row = call.company.get(PARTICIPANTS, number)
    return succeed(_participant(call, row, call.company.get(DEALS, call.args["id"])))


def remove_participant(call: Call) -> Response:
    """One person less; the path names the participant, not the person."""
    row = call.company.get(PARTICIPANTS, call.args["participant"])
    if row["deal_id"] != call.args["id"]:
        raise PipedriveError(404, "Participant not found")
    call.company.delete("participants", row["id"])
    return succeed({"id": row["id"]})


def _participant(call: Call, row: Row, deal: Row) -> Row:
    store = call.company.store
    person = store.get(PERSONS, row["person_id"]) or {}
    owner = store.get(USERS, person.get("owner_id")) or {}
    organization = store.get(ORGANIZATIONS, person.get("org_id"))
    short = {
        "active_flag": not person.get("is_deleted"),
        "name": person.get("name"),
        "email": person.get("emails"),
        "phone": person.get("phones"),
        "value": row["person_id"],
    }
    seller = {"id": owner.get("id"), "name": owner.get("name"), "email": owner.get("email"), "has_pic": 0,
              "pic_hash": None, "active_flag": owner.get("active_flag"), "value": owner.get("id")}  # fmt: skip
    custom: Row = {}
    for code, field in call.company.fields.custom("persons").items():
        custom |= v1_values(code, field["field_type"], person.get("custom_fields", {}).get(code))
    return {
        "id": row["id"],
        "person_id": short,
        "person": {
            **{name: short[name] for name in ("active_flag", "name", "email", "phone")},
            **{
                name: person.get(name)
                for name in ("id", "first_name", "last_name", "label_ids", "picture_id")
            },
            "visible_to": str(person.get("visible_to")),
            "add_time": v1_time(person.get("add_time")),
            "update_time": v1_time(person.get("update_time")),
            "owner_id": seller,
            "org_id": organization
            and {
                "name": organization["name"],
                "value": organization["id"],
                "owner_id": organization["owner_id"],
            },
            "org_name": organization and organization["name"],
            "owner_name": owner.get("name"),
            **custom,
        },
        "add_time": v1_time(row["add_time"]),
        "active_flag": True,
        "related_item_data": {"deal_id": deal["id"], "title": deal["title"]},
        "related_item_type": "deal",
        "related_item_id": deal["id"],
        "added_by_user_id": seller,
    }


def merge(call: Call) -> Response:
    """The deal of the path is merged into the one of the body, and deleted."""
    other = call.body().get("merge_with_id")
    if not isinstance(other, int) or other == call.args["id"]:
        raise PipedriveError(400, "merge_with_id is not valid")
    return succeed(
        deal_v1(call, call.company.merge_deals(call.args["id"], other)) | {"merge_what_id": call.args["id"]}
    )


def deal_v1(call: Call, row: Row) -> Row:
    """A deal in the form of v1: flat custom fields, times without a zone, `user_id` for the owner."""
    names = ("id", "title", "creator_user_id", "value", "currency", "person_id", "org_id", "stage_id",
             "pipeline_id", "status", "probability", "lost_reason", "expected_close_date", "origin",
             "origin_id", "channel", "channel_id", "acv", "arr", "mrr")  # fmt: skip
    times = (
        "add_time",
        "update_time",
        "stage_change_time",
        "close_time",
        "won_time",
        "first_won_time",
        "lost_time",
    )
    shown = {name: row[name] for name in names} | {name: v1_time(row[name]) for name in times}
    shown |= {
        "user_id": row["owner_id"],
        "visible_to": str(row["visible_to"]),
        "label": ",".join(map(str, row["label_ids"])) or None,
        "deleted": row["is_deleted"],
        "active": row["status"] == "open",
    }
    for code, field in call.company.fields.custom("deals").items():
        shown |= v1_values(code, field["field_type"], row["custom_fields"].get(code))
    return shown
