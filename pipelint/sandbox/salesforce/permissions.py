"""The rules of permission sets, their assignments and field permissions (fact sheet §7)."""

from __future__ import annotations

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.store import Row, Store

_UNIQUE = {
    "PermissionSet": ("Name",),
    "PermissionSetAssignment": ("PermissionSetId", "AssigneeId"),
    "FieldPermissions": ("ParentId", "Field"),
    "ObjectPermissions": ("ParentId", "SobjectType"),
}


def check(store: Store, sobject: SObject, before: Row | None, after: Row) -> None:
    """Refuse what Salesforce refuses about permissions."""
    if sobject.name == "FieldPermissions":
        _check_field(store, after, creating=before is None)
    if sobject.name == "PermissionSet":
        after["IsCustom"] = 1
    columns = _UNIQUE.get(sobject.name, ())
    if columns and before is None and store.find(sobject, **{it: after[it] for it in columns}):
        raise SalesforceError(
            "DUPLICATE_VALUE",
            "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
        )


def emptied(sobject: SObject, after: Row) -> bool:
    """Whether a field permission grants nothing any more: then its row disappears."""
    return sobject.name == "FieldPermissions" and not after["PermissionsRead"]


def _check_field(store: Store, row: Row, *, creating: bool) -> None:
    name, _, column = str(row["Field"]).partition(".")
    target = store.schema.get(str(row["SobjectType"]))
    field = target.field(column) if target and name.lower() == target.name.lower() else None
    if field is None or field.required or field.type == "id":
        raise SalesforceError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"Field Name: bad value for restricted picklist field: {row['Field']}",
            ["Field"],
        )
    if row["PermissionsEdit"] and not row["PermissionsRead"]:
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION",
            f"Permission Edit {row['Field']} depends on permission(s): Read {row['Field']}",
        )
    if creating and not row["PermissionsRead"]:
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION", "A field permission must grant read or edit access"
        )
