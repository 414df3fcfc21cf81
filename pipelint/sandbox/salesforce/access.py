"""What one user sees: a custom field shows only where a permission grants it (fact sheet §7)."""

from __future__ import annotations

from collections.abc import Iterator

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import Schema, SObject
from pipelint.sandbox.salesforce.store import Store

ADMINISTRATOR = "System Administrator"
READ_ONLY = "Read Only"

_GRANTS = """
    SELECT permission."Field", max(permission."PermissionsEdit")
    FROM "PermissionSetAssignment" AS assigned
    JOIN "FieldPermissions" AS permission ON permission."ParentId" = assigned."PermissionSetId"
    WHERE assigned."AssigneeId" = ? AND permission."PermissionsRead"
    GROUP BY 1
"""


class Access:
    """The organisation through the eyes of one user, at one moment."""

    def __init__(self, store: Store, user_id: str) -> None:
        self.schema: Schema = store.schema
        self.user_id = user_id
        user = store.get(store.schema["User"], user_id) or {}
        self.zone = str(user.get("TimeZoneSidKey") or "UTC")
        profile = store.get(store.schema["Profile"], str(user.get("ProfileId"))) or {}
        self._profile = profile.get("Name")
        self._grants = {str(field).lower(): bool(edit) for field, edit in store.rows(_GRANTS, [user_id])}

    def field(self, sobject: SObject, name: str) -> Field | None:
        """The field of this name, if there is one and this user may see it."""
        found = sobject.field(name)
        return found if found is not None and self._sees(sobject, found) else None

    def fields(self, sobject: SObject) -> Iterator[Field]:
        return (it for it in sobject.fields.values() if self._sees(sobject, it))

    def may_edit(self, sobject: SObject, field: Field) -> bool:
        """Whether field-level security lets this user change the field."""
        return not field.custom or field.required or self._grants.get(_key(sobject, field), False)

    @property
    def may_write(self) -> bool:
        return self._profile != READ_ONLY

    def require_write(self) -> None:
        """Refuse users who may only read."""
        if not self.may_write:
            raise SalesforceError("INSUFFICIENT_ACCESS_OR_READONLY")

    def require_customize(self) -> None:
        """Refuse users without the permission to customise the application."""
        if self._profile != ADMINISTRATOR:
            raise SalesforceError(
                "INSUFFICIENT_ACCESS", "insufficient access rights on entity: Custom Field Definition"
            )

    def _sees(self, sobject: SObject, field: Field) -> bool:
        return not field.custom or field.required or _key(sobject, field) in self._grants


def _key(sobject: SObject, field: Field) -> str:
    return f"{sobject.name}.{field.name}".lower()
