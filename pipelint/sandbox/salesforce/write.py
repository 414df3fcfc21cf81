"""Saving records: permissions, required fields, references, derived values and history, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.salesforce import ids, line_items, opportunity, permissions
from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.errors import SalesforceError, no_such_column
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import MASTER_RECORD_TYPE, SObject
from pipelint.sandbox.salesforce.store import Row, Store, Value
from pipelint.sandbox.salesforce.validation import validate
from pipelint.sandbox.salesforce.values import normalise, stamp

WHOLE_REQUEST = {"INVALID_FIELD", "JSON_PARSER_ERROR"}
"""Codes that end a request with 400 wherever among its records they arise (fact sheet §6)."""


def find_id(text: str, sobject: SObject) -> str:
    """The 18-character form of an id of this object."""
    known = ids.normalise(text)
    if known is None:
        raise SalesforceError("MALFORMED_ID", f"malformed id {text}", ["Id"])
    if not known.startswith(sobject.prefix):
        raise SalesforceError(
            "MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {text}", ["Id"]
        )
    return known


class Writer:
    """Creates, changes and deletes records as one user or another."""

    def __init__(self, store: Store, clock: Clock, fault: Callable[[str], SalesforceError | None]) -> None:
        self._store = store
        self._clock = clock
        self._fault = fault

    def create(self, access: Access, sobject: SObject, given: Mapping[str, object]) -> str:
        """Insert a record and answer its id."""
        access.require_write()
        if not sobject.createable:
            raise SalesforceError(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {sobject.label}"
            )
        with self._store.transaction():
            row = self._defaults(access, sobject)
            fields = self._fields(access, sobject, given, creating=True)
            row |= {field.name: self._checked(field, value) for field, value in fields}
            row["Id"] = self._store.reserve(sobject)[0]
            _require(sobject, row)
            self._derive(sobject, None, row, {field.name for field, _ in fields})
            self._stamp(sobject, row, access.user_id, creating=True)
            permissions.check(self._store, sobject, None, row)
            self._check_business(sobject, None, row)
            self._store.insert(sobject, row)
            self._after(sobject, None, row, access.user_id)
        return str(row["Id"])

    def update(self, access: Access, sobject: SObject, record_id: str, given: Mapping[str, object]) -> None:
        """Change a record; its stamp moves even when every value stays as it was."""
        access.require_write()
        fields = self._fields(access, sobject, given, creating=False)
        if not sobject.updateable:
            raise SalesforceError(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {sobject.label}"
            )
        with self._store.transaction():
            before = self._existing(sobject, record_id)
            after = dict(before)
            after |= {field.name: self._checked(field, value) for field, value in fields}
            _require(sobject, after)
            self._derive(sobject, before, after, {field.name for field, _ in fields})
            self._stamp(sobject, after, access.user_id, creating=False)
            permissions.check(self._store, sobject, before, after)
            self._check_business(sobject, before, after)
            if permissions.emptied(sobject, after):
                self._store.remove(sobject, record_id)
                return
            changed = {name: value for name, value in after.items() if value != before[name]}
            if changed:
                self._store.update(sobject, record_id, changed)
            self._after(sobject, before, after, access.user_id)

    def delete(self, access: Access, sobject: SObject, record_id: str) -> None:
        """Move a record to the recycle bin, or out of existence where the object has none."""
        access.require_write()
        if not sobject.deletable:
            raise SalesforceError("INSUFFICIENT_ACCESS_OR_READONLY")
        with self._store.transaction():
            before = self._existing(sobject, record_id)
            if not sobject.recycled:
                self._store.remove(sobject, record_id)
                return
            after = {**before, "IsDeleted": 1}
            self._stamp(sobject, after, access.user_id, creating=False)
            self._store.update(sobject, record_id, {k: v for k, v in after.items() if v != before[k]})
            for child, lookup in self._store.schema.children(sobject):
                if lookup.required and child.recycled:  # master and detail go together
                    for row in self._store.find_all(child, **{lookup.name: record_id}, IsDeleted=0):
                        self.delete(access, child, str(row["Id"]))
            self._roll_up(sobject, before, access.user_id)

    def _existing(self, sobject: SObject, record_id: str) -> Row:
        row = self._store.get(sobject, record_id)
        if row is None:
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY")
        if row.get("IsDeleted"):
            raise SalesforceError("ENTITY_IS_DELETED")
        if (scripted := self._fault(record_id)) is not None:
            raise scripted
        return row

    def _fields(
        self, access: Access, sobject: SObject, given: Mapping[str, object], *, creating: bool
    ) -> list[tuple[Field, object]]:
        """The fields meant, refusing those unknown, invisible or read-only."""
        found: list[tuple[Field, object]] = []
        closed: list[str] = []
        for name, value in given.items():
            if name == "attributes":
                continue
            field = access.field(sobject, name)
            if field is None:
                raise no_such_column(name, sobject.name)
            writable = field.createable if creating else field.updateable
            if not writable or not access.may_edit(sobject, field):
                closed.append(field.name)
            found.append((field, value))
        for field, value in found:  # a wrong JSON type counts before anything that concerns one record only
            try:
                normalise(field, value)
            except SalesforceError as error:
                if error.code in WHOLE_REQUEST:
                    raise
        if closed:
            raise SalesforceError(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(closed)}. Please check the security settings of"
                " this field and verify that it is read/write for your profile or permission set.",
                closed,
            )
        return found

    def _checked(self, field: Field, value: object) -> Value:
        stored = normalise(field, value)
        if field.type != "reference" or stored is None or stored == MASTER_RECORD_TYPE:
            return stored
        targets = [self._store.schema[name] for name in field.reference_to]
        target = next((it for it in targets if it.prefix == str(stored)[:3]), None)
        if target is None:
            raise SalesforceError(
                "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name]
            )
        row = self._store.get(target, str(stored))
        if row is None or row.get("IsDeleted"):
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", fields=[field.name])
        if field.name == "OwnerId" and row.get("IsActive") == 0:
            raise SalesforceError(
                "INACTIVE_OWNER_OR_USER",
                f"operation performed with inactive user [{row['Id']}] as owner",
                ["OwnerId"],
            )
        return stored

    def _defaults(self, access: Access, sobject: SObject) -> Row:
        row: Row = {field.name: None for field in sobject.fields.values()}
        for field in sobject.fields.values():
            if field.type == "boolean":
                row[field.name] = int(bool(field.default))
            elif field.default is not None:
                row[field.name] = str(field.default)
        if "OwnerId" in row:
            row["OwnerId"] = access.user_id
        return row

    def _stamp(self, sobject: SObject, row: Row, user_id: str, *, creating: bool) -> None:
        now = stamp(self._clock.now())
        values = {"LastModifiedDate": now, "LastModifiedById": user_id, "SystemModstamp": now}
        if creating:
            values |= {"CreatedDate": now, "CreatedById": user_id}
        row |= {name: value for name, value in values.items() if name in sobject.fields}

    def _derive(self, sobject: SObject, before: Row | None, after: Row, given: set[str]) -> None:
        now = stamp(self._clock.now())
        match sobject.name:
            case "Opportunity":
                opportunity.derive(self._store, before, after, given, now)
            case "Task":
                opportunity.derive_task(before, after, now)
            case "Event":
                opportunity.derive_event(after)
            case "OpportunityLineItem":
                line_items.derive(self._store, after)
            case "PricebookEntry":
                line_items.derive_entry(self._store, after)
            case "TaskRelation" | "EventRelation":
                after["IsWhat"] = int(str(after["RelationId"])[:3] in {"001", "006"})
            case "Contact" | "Lead" | "User":
                after["Name"] = " ".join(str(after[it]) for it in ("FirstName", "LastName") if after[it])

    def _check_business(self, sobject: SObject, before: Row | None, after: Row) -> None:
        if sobject.name == "Opportunity":
            validate(self._store, after)
        elif sobject.name == "Lead" and before is not None and before["IsConverted"]:
            raise SalesforceError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        elif sobject.name == "OpportunityContactRole" and after["IsPrimary"]:
            for row in self._store.find_all(sobject, OpportunityId=after["OpportunityId"], IsPrimary=1):
                self._store.update(sobject, str(row["Id"]), {"IsPrimary": 0})

    def _after(self, sobject: SObject, before: Row | None, after: Row, user_id: str) -> None:
        if sobject.name == "Opportunity":
            opportunity.record_history(self._store, before, after, user_id, stamp(self._clock.now()))
        for row in (before, after):
            self._roll_up(sobject, row or {}, user_id)

    def _roll_up(self, sobject: SObject, row: Row, user_id: str) -> None:
        if sobject.name == "OpportunityLineItem" and row:
            self._sum_up(str(row["OpportunityId"]), user_id)
        what = row.get("WhatId")
        if sobject.name in {"Task", "Event"} and str(what).startswith(
            self._store.schema["Opportunity"].prefix
        ):
            opportunity.roll_up_activity(self._store, str(what), self._clock.now())

    def _sum_up(self, opportunity_id: str, user_id: str) -> None:
        """Renew the amount of a deal, which is a change of the deal like any other."""
        deals = self._store.schema["Opportunity"]
        before = self._store.get(deals, opportunity_id)
        if before is None:
            return
        after = {**before, **line_items.sum_up(self._store, opportunity_id)}
        if after == before:
            return
        now = stamp(self._clock.now())
        opportunity.derive(self._store, before, after, set(), now)
        self._stamp(deals, after, user_id, creating=False)
        self._store.update(deals, opportunity_id, {k: v for k, v in after.items() if v != before[k]})
        opportunity.record_history(self._store, before, after, user_id, now)


def _require(sobject: SObject, row: Row) -> None:
    missing = [field.name for field in sobject.fields.values() if field.required and row[field.name] is None]
    if missing:
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing
        )
