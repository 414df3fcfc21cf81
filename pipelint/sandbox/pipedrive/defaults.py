"""What Pipedrive fills in where a new record does not say."""

from __future__ import annotations

from pipelint.sandbox.pipedrive.schema import LEADS, Table
from pipelint.sandbox.pipedrive.store import Row


def defaults(table: Table, given: Row, user: int, now: str) -> Row:
    """The values of a new record, made by this user now."""
    row: Row = {name: False for name, it in table.columns.items() if it.kind == "boolean"}
    stamps = {"add_time", "update_time", "created"} & set(table.columns)
    row |= dict.fromkeys(stamps, now)
    usual: Row = {
        "owner_id": user,
        "user_id": user,
        "creator_user_id": user,
        "creator_id": user,
        "visible_to": "3" if table is LEADS else 3,
        "active_flag": True,
        "activated": True,
        "origin": "API",
        "source_name": "API",
        "cc_email": "sandbox@pipedrivemail.example",
        "is_enabled": True,
        "custom_fields": {},
        "default_currency": "EUR",
        "timezone_name": "Europe/Paris",
        "type": "call",
        "subject": "Call",
    }
    row |= {name: it for name, it in usual.items() if name in table.columns and name not in given}
    if "order_nr" in table.columns:
        row["order_nr"] = 1
    return row
