"""Who sees and edits our fields: a permission set to edit them for us, one to read them for everybody else.

A field made through the API is invisible to all, administrators included, until a permission grants it; and
what people can edit they will overwrite (fact sheet §7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from pipelint.connectors.base import OwnField, SetupStep
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.answers import decoded
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.fields import full_name
from pipelint.errors import RecordRefused, UnexpectedAnswer


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A set of ours; `edits` tells whether it grants more than reading."""

    name: str
    label: str
    description: str
    edits: bool


EDIT: Final = PermissionSet(
    "Pipelint", "Pipelint", "Lets the integration user write the fields of pipelint.", edits=True
)
READ: Final = PermissionSet(
    "Pipelint_Read",
    "Pipelint (read)",
    "Shows the fields of pipelint to managers and sales people.",
    edits=False,
)
SETS: Final = {one.name: one for one in (EDIT, READ)}


class Created(msgspec.Struct):
    """The answer to a creation."""

    id: str
    success: bool = True


def create(client: Client, path: str, values: Mapping[str, object], name: str) -> None:
    """Create a row; one that is there already, perhaps from a call whose answer was lost, is as good."""
    try:
        body = client.call("POST", path, name=f"creating {name}", body=values)
    except RecordRefused as error:
        if error.code not in {"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"}:
            raise
    else:
        decoded(body, Created, name)


class Permissions:
    """Plans and applies the rights on our fields; each step may be repeated."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def plan(self, fields: Sequence[OwnField]) -> Iterator[SetupStep]:
        """Each set with what it grants, and the one to edit for the integration user."""
        for one in SETS.values():
            found = self._find(one)
            target = f"permission set {one.name}"
            if found:
                yield SetupStep("ready", target)
            else:
                yield SetupStep("create", target, one.description, token("permission_set", one.name))
            granted = self._grants(found) if found else {}
            for own in fields:
                yield self._plan_grant(one, full_name(own), granted)
        target = f"permission set {EDIT.name} for the integration user"
        found = self._find(EDIT)
        if found and self._assigned(found):
            yield SetupStep("ready", target)
        else:
            yield SetupStep("assign", target, token=token("assign"))

    def _plan_grant(self, one: PermissionSet, name: str, granted: dict[str, bool]) -> SetupStep:
        target = f"{'edit' if one.edits else 'read'} rights on {name}"
        if granted.get(name, False) or (name in granted and not one.edits):
            return SetupStep("ready", target)
        return SetupStep("grant", target, f"in permission set {one.name}", token("grant", one.name, name))

    def create(self, name: str) -> None:
        """Make a set."""
        one = SETS[name]
        values = {"Name": one.name, "Label": one.label, "Description": one.description}
        create(self._client, "sobjects/PermissionSet", values, f"permission set {one.name}")

    def grant(self, name: str, field: str) -> None:
        """Let those with a set read a field, and edit it where the set is for that."""
        one = SETS[name]
        parent = self._needed(one)
        where = [f"ParentId = {soql.quoted(parent)}", f"Field = {soql.quoted(field)}"]
        existing = self._id(soql.select(("Id",), "FieldPermissions", where))
        rights = {"PermissionsRead": True, "PermissionsEdit": one.edits}
        what = f"granting {field}"
        if existing:
            self._client.call("PATCH", f"sobjects/FieldPermissions/{existing}", name=what, body=rights)
        else:
            values = {"ParentId": parent, "SobjectType": field.partition(".")[0], "Field": field, **rights}
            create(self._client, "sobjects/FieldPermissions", values, what)

    def assign(self) -> None:
        """Give the integration user the set to edit."""
        parent = self._needed(EDIT)
        if not self._assigned(parent):
            values = {"PermissionSetId": parent, "AssigneeId": self._client.user_id()}
            create(self._client, "sobjects/PermissionSetAssignment", values, f"assigning {EDIT.name}")

    def _find(self, one: PermissionSet) -> str | None:
        where = [f"Name = {soql.quoted(one.name)}", "IsOwnedByProfile = false"]
        return self._id(soql.select(("Id",), "PermissionSet", where))

    def _needed(self, one: PermissionSet) -> str:
        found = self._find(one)
        if found is None:
            raise UnexpectedAnswer(f"permission set {one.name} is not there", hint="run setup again")
        return found

    def _grants(self, permission_set: str) -> dict[str, bool]:
        """Field → whether it may be edited."""
        where = [f"ParentId = {soql.quoted(permission_set)}"]
        statement = soql.select(("Field", "PermissionsEdit"), "FieldPermissions", where)
        rows = self._client.rows(statement, name="query FieldPermissions")
        return {row["Field"]: row["PermissionsEdit"] for row in rows}

    def _assigned(self, permission_set: str) -> bool:
        where = [
            f"PermissionSetId = {soql.quoted(permission_set)}",
            f"AssigneeId = {soql.quoted(self._client.user_id())}",
        ]
        return self._id(soql.select(("Id",), "PermissionSetAssignment", where)) is not None

    def _id(self, statement: str) -> str | None:
        row = next(self._client.rows(statement, name="query permissions"), None)
        return row["Id"] if row else None


def token(*parts: object) -> str:
    """A handle for a step, for ourselves to read."""
    return msgspec.json.encode(parts).decode()
