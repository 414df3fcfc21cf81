"""Leads: v1, with the deals' custom fields flat beside their own."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pipelint.sandbox.pipedrive.call import Call, Handler, succeed
from pipelint.sandbox.pipedrive.errors import PipedriveError
from pipelint.sandbox.pipedrive.params import Unfit, instant, window
from pipelint.sandbox.pipedrive.schema import LEADS, Json
from pipelint.sandbox.pipedrive.store import Row
from pipelint.sandbox.pipedrive.values import v1_values

_SORTS = (
    "id",
    "title",
    "owner_id",
    "creator_id",
    "was_seen",
    "expected_close_date",
    "add_time",
    "update_time",
)


def lists(*, archived: bool) -> Handler:
    """Leads that are archived, or not; paged by position, which stands beside no `pagination` here."""

    def handle(call: Call) -> Response:
        start, limit = window(call.request.args)
        where, values = [f"is_archived = {int(archived)}"], []
        for name in ("owner_id", "person_id", "organization_id"):
            if name in call.request.args:
                where.append(f"{name} = ?")
                values.append(call.request.args[name])
        if "updated_since" in call.request.args and not archived:
            where.append("update_time >= ?")
            values.append(_since(call.request.args["updated_since"]))
        rows = call.company.store.select(
            LEADS, f"{' AND '.join(where)} ORDER BY {_order(call)} LIMIT {limit + 1} OFFSET {start}", values
        )
        data = [_shown(call, it) for it in rows[:limit]]
        place = {"start": start, "limit": limit, "more_items_in_collection": len(rows) > limit}
        return succeed(data, additional_data=place)

    return handle


def read(call: Call) -> Response:
    """One lead."""
    return succeed(_shown(call, _get(call)))


def change(call: Call) -> Response:
    """Change a lead; keys of custom fields stand beside the others."""
    lead = _get(call)
    known = call.company.fields.custom("leads")
    changes: Row = {}
    custom: Row = {}
    for name, value in call.body().items():
        code = name.partition("_")[0]
        if code in known:
            kind = known[code]["field_type"]
            if name == code:
                custom[code] = _from_v1(kind, value, call.body().get(f"{code}_currency"))
        else:
            changes[name] = value
    if custom:
        changes["custom_fields"] = custom
    call.company.update("leads", lead["id"], changes, call.caller.user_id, source="api")
    return succeed(_shown(call, _get(call)))


def _get(call: Call) -> Row:
    found = call.company.store.get(LEADS, call.args["id"])
    if found is None:
        raise PipedriveError(404, "Lead not found")
    return found


def _order(call: Call) -> str:
    """`sort=title DESC` and the like; the order of creation where nothing is said."""
    field, _, direction = call.request.args.get("sort", "").partition(" ")
    if field not in _SORTS:
        return "number"
    return f"{field} {'DESC' if direction.upper() == 'DESC' else 'ASC'}, number"


def _since(text: str) -> str:
    try:
        return instant(text)
    except Unfit as error:
        raise PipedriveError(400, f"updated_since: {error}") from None


def _shown(call: Call, row: Row) -> Row:
    custom = row.pop("custom_fields")
    row.pop("number")
    for name in ("add_time", "update_time"):
        row[name] = row[name].removesuffix("Z") + ".000Z"
    next_ = call.company.store.rows(
        "SELECT id FROM activities WHERE lead_id = ? AND NOT done AND NOT is_deleted ORDER BY due_date LIMIT 1",
        [row["id"]],
    )
    row["next_activity_id"] = next_[0][0] if next_ else None
    for code, field in call.company.fields.custom("leads").items():
        # Of the custom fields of deals a lead shows those that have a value.
        if custom.get(code) is not None:
            row |= v1_values(code, field["field_type"], custom[code])
    return row


def _from_v1(kind: str, value: Json, currency: Json) -> Json:
    """A flat value as v2 writes it."""
    match kind, value:
        case _, None | "":
            return None
        case "enum", str() if value.isdigit():
            return int(value)
        case "set", str():
            return [int(it) for it in value.split(",") if it.isdigit()] or None
        case "monetary", int() | float():
            return {"value": value, "currency": currency or "EUR"}
        case (("daterange" | "time" | "timerange" | "address"), str()):
            return {"value": value}
    return value
