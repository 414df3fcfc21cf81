"""The company: its records, and what a change to one of them brings about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.faults import Faults
from pipelint.sandbox.pipedrive import deal_effects
from pipelint.sandbox.pipedrive.defaults import defaults
from pipelint.sandbox.pipedrive.errors import PipedriveError, invalid, native_error, not_found
from pipelint.sandbox.pipedrive.fields import Fields
from pipelint.sandbox.pipedrive.params import Unfit, utc_text
from pipelint.sandbox.pipedrive.schema import (
    ACTIVITIES,
    CHANGES,
    DEALS,
    LEADS,
    ORGANIZATIONS,
    PARTICIPANTS,
    PERSONS,
    PIPELINES,
    STAGES,
    TABLES,
    USERS,
    Json,
    Table,
)
from pipelint.sandbox.pipedrive.store import Row, Store
from pipelint.sandbox.pipedrive.values import body_value, custom_value, logged

KEPT_DELETED = timedelta(days=30)
"""So long a deleted record can still be seen; then it is gone for good."""

REFERENCES = {
    "owner_id": USERS,
    "user_id": USERS,
    "person_id": PERSONS,
    "org_id": ORGANIZATIONS,
    "organization_id": ORGANIZATIONS,
    "deal_id": DEALS,
    "pipeline_id": PIPELINES,
    "stage_id": STAGES,
}
_V1_NAMES = {"owner_id": "user_id", "pipeline_id": "pipeline", "visible_to": "visible_to"}
"""Names in the change log where they differ from those of v2."""


class Company:
    """Changes go through here, from the API and from colleagues alike."""

    def __init__(self, store: Store, clock: Clock, faults: Faults, *, most_custom: int) -> None:
        self.store = store
        self.clock = clock
        self.faults = faults
        self.fields = Fields(store, most_custom=most_custom)
        self.admin = 0
        """The user that changes made through this class are by, unless said otherwise."""

    def now(self) -> str:
        return utc_text(self.clock.now())

    def get(self, table: Table, record_id: object) -> Row:
        """A record, also one deleted lately.

        Raises:
            PipedriveError: 404.
        """
        found = self.store.get(table, record_id)
        if found is None or (found.get("is_deleted") and found["update_time"] < self.deleted_since()):
            raise not_found(table.label)
        return found

    def deleted_since(self) -> str:
        """What was deleted before this moment is gone."""
        return utc_text(self.clock.now() - KEPT_DELETED)

    def create(self, name: str, values: Mapping[str, Json], user: int | None = None) -> Row:
        """Create a record of a table with values as v2 takes them.

        Raises:
            PipedriveError: 400 naming what is wrong with the values.
        """
        table, user = TABLES[name], user or self.admin
        given = self._checked(table, values)
        missing = [it for it in table.required if given.get(it) in (None, "")]
        if missing:
            raise invalid(*(f"{it}: Required" for it in missing))
        with self.store.lock:
            row = defaults(table, given, user, self.now()) | given
            if table is DEALS:
                deal_effects.begin(self, row)
            if table is PERSONS:
                row["first_name"], _, row["last_name"] = row["name"].partition(" ")
            if table is ACTIVITIES:
                _link(row)
            if table is LEADS:
                row["id"] = str(uuid.uuid4())
            number = self.store.insert(table, row)
            if table is DEALS:
                self._log(number, "add_time", None, row["add_time"], user, row["add_time"])
            return self.get(table, row.get("id") or number)

    def update(
        self,
        name: str,
        record_id: object,
        values: Mapping[str, Json],
        user: int | None = None,
        source: str = "app",
    ) -> Row:
        """Change a record; whatever was written, its `update_time` moves, and its rotting starts anew.

        Raises:
            PipedriveError: 400 naming what is wrong with the values, 404.
        """
        table, user = TABLES[name], user or self.admin
        with self.store.lock:
            before = self.get(table, record_id)
            if before.get("is_deleted"):
                raise not_found(table.label)
            changes = self._checked(table, values, before)
            fault = self.faults.for_record(str(record_id))
            if fault is not None:
                answer = native_error(fault.code, fault.message, fault.status)
                raise PipedriveError(answer.status_code, fault.message or fault.code, fault.code)
            if "custom_fields" in changes:
                changes["custom_fields"] = {**before["custom_fields"], **changes["custom_fields"]}
            if table is DEALS:
                deal_effects.follow(self, before, changes)
            if table is ACTIVITIES:
                _link(changes)
                _done(changes, before, self.now())
            if "update_time" in table.columns:
                changes["update_time"] = self.now()
            self.store.update(table, record_id, changes)
            after = self.get(table, record_id)
            if table is DEALS:
                self._log_changes(before, after, user, source)
            return after

    def delete(self, name: str, record_id: object) -> None:
        """Delete a record; those with a mark for it can be seen for a month still."""
        table = TABLES[name]
        with self.store.lock:
            self.get(table, record_id)
            if "is_deleted" not in table.columns:
                self.store.run(f"DELETE FROM {table.name} WHERE id = ?", [record_id])
                return
            gone: Row = {"is_deleted": True, "update_time": self.now()}
            if table is USERS:
                gone = {"is_deleted": True, "active_flag": False, "modified": self.now()}
            if table is DEALS:
                gone["status"] = "deleted"
            self.store.update(table, record_id, gone)

    def add_participant(self, deal_id: int, person_id: int, user: int | None = None) -> int:
        """Add a person to the deal; whether that touches the deal is undocumented: here it does not."""
        self.get(DEALS, deal_id)
        self.get(PERSONS, person_id)
        row = {"deal_id": deal_id, "person_id": person_id, "add_time": self.now()}
        return self.store.insert(PARTICIPANTS, {**row, "added_by_user_id": user or self.admin})

    def merge_deals(self, loser: int, survivor: int) -> Row:
        """Move what belongs to one deal to another, and delete the first."""
        with self.store.lock:
            for it in (loser, survivor):
                if self.get(DEALS, it)["is_deleted"]:
                    raise not_found("Deal")
            for table in ("activities", "participants", "deal_products", "notes"):
                self.store.run(f"UPDATE {table} SET deal_id = ? WHERE deal_id = ?", [survivor, loser])
            self.delete("deals", loser)
            self.store.update(DEALS, survivor, {"update_time": self.now()})
            return self.get(DEALS, survivor)

    def _checked(self, table: Table, values: Mapping[str, Json], before: Row | None = None) -> Row:
        problems, found = [], {}
        for name, value in values.items():
            column = table.columns.get(name)
            if column is None or not column.writable:
                problems.append(f"{name}: Unknown key")
                continue
            try:
                found[name] = body_value(column, value)
                self._check_reference(table, name, value)
                if name == "custom_fields":
                    found[name] = self._custom(table, value or {})
            except Unfit as error:
                problems.append(f"{name}: {error}")
        if table is DEALS and not problems:
            problems += deal_effects.problems(self, found, before)
        if table is ACTIVITIES and found.get("type") and not problems:
            known = {it["key_string"] for it in self.store.kept("activity types")}
            problems += [] if found["type"] in known else ["type: Unknown activity type"]
        if problems:
            raise invalid(*problems)
        return found

    def _custom(self, table: Table, values: Mapping[str, Json]) -> Row:
        known = self.fields.custom(table.name)
        found = {}
        for code, value in values.items():
            if code not in known:
                raise Unfit(f"Unknown key '{code}'")
            found[code] = custom_value(known[code], value)
        return found

    def _check_reference(self, table: Table, name: str, value: Json) -> None:
        target = REFERENCES.get(name)
        if target is not None and value is not None and target is not table:
            found = self.store.get(target, value)
            if found is None or found.get("is_deleted"):
                raise Unfit(f"{target.label} {value} does not exist")

    def _log_changes(self, before: Row, after: Row, user: int, source: str) -> None:
        for name, column in DEALS.columns.items():
            if not column.writable or name == "custom_fields" or before[name] == after[name]:
                continue
            self._log(after["id"], _V1_NAMES.get(name, name), before[name], after[name], user, source=source)
        for code in self.fields.custom("deals"):
            old, new = before["custom_fields"].get(code), after["custom_fields"].get(code)
            if old != new:
                self._log(after["id"], code, old, new, user, source=source)

    def _log(
        self, deal: int, key: str, old: Json, new: Json, user: int, at: str | None = None, source: str = "app"
    ) -> None:
        self.store.insert(
            CHANGES,
            {
                "deal_id": deal,
                "field_key": key,
                "old_value": logged(old),
                "new_value": logged(new),
                "actor_user_id": user,
                "time": at or self.now(),
                "change_source": source,
                "is_bulk_update_flag": False,
            },
        )


def _link(row: Row) -> None:
    """The primary participant of an activity is its person."""
    if "participants" in row:
        people = row["participants"] or []
        primary = next((it for it in people if it.get("primary")), people[0] if people else {})
        row["person_id"] = primary.get("person_id")


def _done(changes: Row, before: Row, now: str) -> None:
    if changes.get("done") and not before["done"]:
        changes["marked_as_done_time"] = now
    if changes.get("done") is False:
        changes["marked_as_done_time"] = None
