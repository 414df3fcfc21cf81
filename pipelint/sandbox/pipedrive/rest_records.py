"""Deals, persons, organizations, activities, pipelines and stages in v2: list, read, create, change, delete."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from pipelint.sandbox.pipedrive import extras, listing
from pipelint.sandbox.pipedrive.call import Call, Handler, page, succeed
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.errors import invalid
from pipelint.sandbox.pipedrive.schema import DEAL_PRODUCTS, DEALS, Table
from pipelint.sandbox.pipedrive.store import Row

ZONE = ZoneInfo("Europe/Paris")
"""Where the company is: `local_…` dates are counted there."""

_LOCAL = {"local_won_date": "won_time", "local_lost_date": "lost_time", "local_close_date": "close_time"}


def lists(table: Table, *, archived: bool = False) -> Handler:
    """The list of a table."""

    def handle(call: Call) -> Response:
        rows, cursor = listing.find(call, table, archived=archived)
        return page(_shown(call, table, rows), cursor)

    return handle


def reads(table: Table) -> Handler:
    """One record."""

    def handle(call: Call) -> Response:
        return succeed(_shown(call, table, [call.company.get(table, call.args["id"])])[0])

    return handle


def creates(table: Table) -> Handler:
    """A new record."""

    def handle(call: Call) -> Response:
        made = call.company.create(table.name, call.body(), call.caller.user_id)
        return succeed(_shown(call, table, [made])[0])

    return handle


def changes(table: Table) -> Handler:
    """A changed record: only the given keys change."""

    def handle(call: Call) -> Response:
        after = call.company.update(
            table.name, call.args["id"], call.body(), call.caller.user_id, source="api"
        )
        return succeed(_shown(call, table, [after])[0])

    return handle


def deletes(table: Table) -> Handler:
    """A deleted record, by its id."""

    def handle(call: Call) -> Response:
        call.company.delete(table.name, call.args["id"])
        return succeed({"id": call.args["id"]})

    return handle


def deal_products(call: Call) -> Response:
    """Products on several deals at once."""
    if "deal_ids" not in call.params:
        raise invalid("deal_ids: Required")
    ids = call.params["deal_ids"]
    rows = call.company.store.select(
        DEAL_PRODUCTS, f"deal_id IN ({', '.join('?' * len(ids))}) ORDER BY id", ids
    )
    start = int(call.params.get("cursor", "0") or 0)
    limit = call.params.get("limit", 100)
    return page(rows[start : start + limit], str(start + limit) if len(rows) > start + limit else None)


def _shown(call: Call, table: Table, rows: list[Row]) -> list[Row]:
    """Records as v2 shows them, with what the parameters ask for."""
    hidden = [it.name for it in table.columns.values() if it.hidden]
    wanted = call.params.get("include_fields", ())
    for row in rows:
        kept = {name: row.pop(name) for name in hidden}
        row |= {name: kept[name] for name in wanted if table.name == "activities"}
        if table is DEALS:
            row |= {name: _local(row[source]) for name, source in _LOCAL.items()}
    if wanted and table.custom:
        extras.add(call.company.store, table, rows, wanted)
    if table.custom:
        _custom(call, call.company, table, rows)
    return rows


def _custom(call: Call, company: Company, table: Table, rows: list[Row]) -> None:
    """All custom fields in every record, null when empty; only those asked for, when some are."""
    known = company.fields.custom(table.name)
    codes = [it for it in call.params.get("custom_fields", known) if it in known]
    labels = {
        code: {option["id"]: option["label"] for option in known[code]["options"] or ()} for code in codes
    }
    with_labels = call.params.get("include_option_labels", False)
    for row in rows:
        values = {code: row["custom_fields"].get(code) for code in codes}
        for code, value in values.items() if with_labels else ():
            names = labels[code]
            if known[code]["field_type"] == "enum" and value is not None:
                values[code] = {"id": value, "label": names.get(value)}
            if known[code]["field_type"] == "set" and value is not None:
                values[code] = [{"id": it, "label": names.get(it)} for it in value]
        row["custom_fields"] = values


def _local(moment: str | None) -> str | None:
    return None if moment is None else datetime.fromisoformat(moment).astimezone(ZONE).date().isoformat()
