"""`include_fields`: what a record shows only when asked, counted for a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelint.sandbox.pipedrive.schema import DEALS, Table
from pipelint.sandbox.pipedrive.store import Row, Store

_DEAL_KEY = {"deals": "deal_id", "persons": "person_id", "organizations": "org_id"}


def add(store: Store, table: Table, rows: list[Row], names: Sequence[str]) -> None:
    """Put the named extras into these records."""
    found = _Extras(store, table, [row["id"] for row in rows])
    for name in names:
        values, default = found.get(name)
        for row in rows:
            row[name] = values.get(row["id"], default)


class _Extras:
    def __init__(self, store: Store, table: Table, ids: list[int]) -> None:
        self.store = store
        self.table = table
        self.ids = ids
        self.key = _DEAL_KEY[table.name]

    def get(self, name: str) -> tuple[dict[int, Any], Any]:
        """The values by id, and the one for all others."""
        match name:
            case "next_activity_id":
                return self._first("NOT done", "min(due_date || coalesce(due_time, ''))"), None
            case "last_activity_id":
                return self._first("done", "max(due_date || coalesce(due_time, ''))"), None
            case "activities_count":
                return self._count("activities", "NOT is_deleted"), 0
            case "done_activities_count":
                return self._count("activities", "NOT is_deleted AND done"), 0
            case "undone_activities_count":
                return self._count("activities", "NOT is_deleted AND NOT done"), 0
            case "notes_count":
                return self._count("notes", "active_flag"), 0
            case "products_count" | "participants_count":
                source = "deal_products" if name == "products_count" else "participants"
                return self._count(source, "1"), 0
            case "people_count":
                return self._count("persons", "NOT is_deleted"), 0
            case "open_deals_count" | "won_deals_count" | "lost_deals_count":
                return self._count("deals", f"status = '{name.partition('_')[0]}'"), 0
            case "closed_deals_count":
                return self._count("deals", "status IN ('won', 'lost')"), 0
        if self.table is DEALS and name in DEALS.columns:
            return self._own(name), 0 if name.endswith("_count") else None
        return {}, 0 if name.endswith("_count") else None

    def _count(self, table: str, where: str) -> dict[int, Any]:
        return self._pairs(
            f"SELECT {self.key}, count(*) FROM {table} WHERE {where} AND {self.key} IN", self.key
        )

    def _first(self, where: str, order: str) -> dict[int, Any]:
        rows = self.store.rows(
            f"SELECT {self.key}, id, {order} FROM activities WHERE NOT is_deleted AND {where}"
            f" AND {self.key} IN ({self._marks()}) GROUP BY {self.key}",
            self.ids,
        )
        return {row[0]: row[1] for row in rows}

    def _own(self, name: str) -> dict[int, Any]:
        rows = self.store.rows(
            f"SELECT id, {name} FROM deals WHERE {name} IS NOT NULL AND id IN ({self._marks()})", self.ids
        )
        return {row[0]: row[1] for row in rows}

    def _pairs(self, sql: str, group: str) -> dict[int, Any]:
        return {
            row[0]: row[1] for row in self.store.rows(f"{sql} ({self._marks()}) GROUP BY {group}", self.ids)
        }

    def _marks(self) -> str:
        return ", ".join("?" * len(self.ids))
