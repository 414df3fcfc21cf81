"""Notes, filters, and what happened lately: v1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from werkzeug.wrappers import Response

from pipelint.sandbox.pipedrive.call import Call, succeed, window_of
from pipelint.sandbox.pipedrive.errors import PipedriveError
from pipelint.sandbox.pipedrive.params import utc_text, window
from pipelint.sandbox.pipedrive.rest_deals import deal_v1
from pipelint.sandbox.pipedrive.schema import DEALS, FILTERS, NOTES
from pipelint.sandbox.pipedrive.store import Row
from pipelint.sandbox.pipedrive.values import v1_time

RECENT = timedelta(days=31)
_FLAGS = (
    "pinned_to_lead_flag",
    "pinned_to_deal_flag",
    "pinned_to_organization_flag",
    "pinned_to_person_flag",
)


def notes(call: Call) -> Response:
    """Notes on anything, or on one thing."""
    start, limit = window(call.request.args)
    where, values = ["active_flag"], []
    for name in ("user_id", "lead_id", "deal_id", "person_id", "org_id"):
        if name in call.request.args:
            where.append(f"{name} = ?")
            values.append(call.request.args[name])
    if "updated_since" in call.request.args:
        where.append("update_time >= ?")
        values.append(_moment(call.request.args["updated_since"]))
    rows = call.company.store.select(
        NOTES, f"{' AND '.join(where)} ORDER BY id LIMIT {limit + 1} OFFSET {start}", values
    )
    return window_of(
        [_note(it) for it in rows[:limit]], start, limit, more=len(rows) > limit, tells_next=True
    )


def add_note(call: Call) -> Response:
    """A new note."""
    made = call.company.create("notes", _flags(call.body()), call.caller.user_id)
    return succeed(_note(made))


def change_note(call: Call) -> Response:
    """A changed note."""
    changed = call.company.update("notes", call.args["id"], _flags(call.body()), call.caller.user_id)
    return succeed(_note(changed))


def read_note(call: Call) -> Response:
    """One note."""
    return succeed(_note(call.company.get(NOTES, call.args["id"])))


def filters(call: Call) -> Response:
    """Saved filters, of one type or all."""
    wanted = call.request.args.get("type")
    rows = call.company.store.select(FILTERS, "1 ORDER BY id")
    return succeed([_filter(it) for it in rows if wanted in {None, it["type"]}])


def read_filter(call: Call) -> Response:
    """One saved filter."""
    return succeed(_filter(call.company.get(FILTERS, call.args["id"])))


def add_filter(call: Call) -> Response:
    """A saved filter; its conditions are kept, not evaluated."""
    made = call.company.create("filters", call.body(), call.caller.user_id)
    return succeed({"id": made["id"]})


def recents(call: Call) -> Response:
    """Deals changed lately; it looks back a month at most."""
    text = call.request.args.get("since_timestamp", "")
    since = _moment(text)
    if since < utc_text(call.company.clock.now() - RECENT):
        raise PipedriveError(400, "since_timestamp cannot be older than 1 month")
    start, limit = window(call.request.args)
    rows = call.company.store.select(
        DEALS, "update_time >= ? ORDER BY update_time, id LIMIT ? OFFSET ?", [since, limit + 1, start]
    )
    data: list[Row] = [{"item": "deal", "id": it["id"], "data": deal_v1(call, it)} for it in rows[:limit]]
    last = data[-1]["data"]["update_time"] if data else None
    pagination = {"start": start, "limit": limit, "more_items_in_collection": len(rows) > limit}
    return succeed(
        data,
        additional_data={"since_timestamp": text, "last_timestamp_on_page": last, "pagination": pagination},
    )


def _flags(body: Row) -> Row:
    """0 and 1 are what v1 takes for a flag."""
    return {name: bool(it) if name in _FLAGS else it for name, it in body.items()}


def _note(row: Row) -> Row:
    return row | {name: v1_time(row[name]) for name in ("add_time", "update_time")}


def _filter(row: Row) -> Row:
    times = {name: v1_time(row[name]) for name in ("add_time", "update_time")}
    return row | times | {"visible_to": str(row["visible_to"])}


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        return utc_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        raise PipedriveError(400, f"{text!r} is not a valid timestamp") from None
