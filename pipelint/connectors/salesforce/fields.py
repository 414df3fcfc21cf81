"""The org's fields as a pack may use them, and our own: planned, created, opened to users (fact sheet §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pipelint.connectors.base import FieldInfo, FieldType, OwnField, OwnFieldType, SetupStep
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client, Row, decoded
from pipelint.connectors.salesforce.describe import FieldDescription
from pipelint.connectors.salesforce.refusal import RequestInvalid
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import PermissionMissing, RecordRefused, UnexpectedAnswer

PERMISSION_SET: Final = "Pipelint"

FIELD_TYPES: Final[Mapping[str, FieldType]] = {
    "string": "text",
    "textarea": "text",
    "email": "text",
    "phone": "text",
    "url": "text",
    "reference": "text",
    "picklist": "choice",
    "combobox": "choice",
    "multipicklist": "choices",
    "int": "number",
    "long": "number",
    "double": "number",
    "percent": "number",
    "currency": "money",
    "date": "date",
    "datetime": "datetime",
    "boolean": "yes_no",
}
"""Described types → ours; others (addresses, files, encrypted text) are not offered."""

METADATA_TYPES: Final = {
    OwnFieldType.FLAGS: "MultiselectPicklist",
    OwnFieldType.CHOICE: "Picklist",
    OwnFieldType.TEXT: "Text",
    OwnFieldType.LONG_TEXT: "LongTextArea",
    OwnFieldType.NUMBER: "Number",
    OwnFieldType.DATE: "Date",
}

LONG_TEXT_LENGTH: Final = 32_768


class Created(msgspec.Struct):
    """The answer to a creation."""

    id: str
    success: bool = True


def field_infos(fields: Sequence[FieldDescription]) -> list[FieldInfo]:
    """The described fields, those of kinds that rules can use."""
    return [
        FieldInfo(
            name=field.name,
            label=field.label,
            type=FIELD_TYPES[field.type],
            custom=field.custom,
            writable=field.updateable,
            required=field.createable and not field.nillable and not field.defaulted_on_create,
            choices={one.value: one.label or one.value for one in field.picklist_values if one.active},
        )
        for field in fields
        if field.type in FIELD_TYPES
    ]


def ids(client: Client, sobject: str) -> dict[str, str]:
    """The ids of an object's custom fields by API name; none where this user may not look into Setup."""
    columns = ("Id", "DeveloperName", "NamespacePrefix")
    statement = soql.select(columns, "CustomField", [f"TableEnumOrId = {soql.quoted(sobject)}"])
    try:
        rows = list(client.rows(statement, name="query CustomField", tooling=True))
    except (RequestInvalid, PermissionMissing):
        return {}
    return {
        "__".join(filter(None, (row["NamespacePrefix"], row["DeveloperName"], "c"))): row["Id"]
        for row in rows
    }


def metadata(own: OwnField) -> dict[str, Any]:
    """A field as the Tooling API wants it; no history tracking: an object has 20 slots (hazards W5)."""
    common: dict[str, Any] = {
        "type": METADATA_TYPES[own.type],
        "label": own.label,
        "inlineHelpText": own.help[:510],
        "description": "Maintained by pipelint; values written by hand are overwritten.",
    }
    match own.type:
        case OwnFieldType.FLAGS:
            return common | {"visibleLines": 6, "valueSet": _value_set(own.choices)}
        case OwnFieldType.CHOICE:
            return common | {"valueSet": _value_set(own.choices)}
        case OwnFieldType.TEXT:
            return common | {"length": min(own.length, 255)}
        case OwnFieldType.LONG_TEXT:
            return common | {"length": LONG_TEXT_LENGTH, "visibleLines": 8}
        case OwnFieldType.NUMBER:
            return common | {"precision": 18, "scale": 0}
        case OwnFieldType.DATE:
            return common


def _value_set(choices: Sequence[str]) -> dict[str, Any]:
    values = [_value(choice) for choice in choices]
    return {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}


def _value(choice: str) -> dict[str, Any]:
    return {"valueName": choice, "label": choice, "default": False}


class Provisioning:
    """Plans and applies what is missing of our fields, one step at a time; each step may be repeated."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def plan(self, fields: Sequence[OwnField]) -> Iterator[SetupStep]:
        """Fields first, then the permission set, what it grants, and who has it."""
        if not fields:
            return
        yield from (self._plan_field(own) for own in fields)
        found = self._permission_set()
        if found:
            yield SetupStep("ready", f"permission set {PERMISSION_SET}")
        else:
            yield SetupStep("create", f"permission set {PERMISSION_SET}", token=_token("permission_set"))
        granted = self._grants(found) if found else {}
        for own in fields:
            name = _full_name(own)
            target = f"edit rights on {name}"
            if granted.get(name):
                yield SetupStep("ready", target)
            else:
                yield SetupStep("grant", target, f"in permission set {PERMISSION_SET}", _token("grant", name))
        target = f"permission set {PERMISSION_SET} for the integration user"
        if found and self._assigned(found):
            yield SetupStep("ready", target)
        else:
            yield SetupStep("assign", target, token=_token("assign"))

    def apply(self, step: SetupStep) -> None:
        """Do one step; `ready` and `conflict` have nothing to do."""
        if not step.token:
            return
        what, *rest = msgspec.json.decode(step.token)
        match what:
            case "field":
                self._create(
                    "tooling/sobjects/CustomField", {"FullName": rest[0], "Metadata": rest[1]}, rest[0]
                )
            case "extend":
                self._extend(rest[0], rest[1])
            case "permission_set":
                values = {"Name": PERMISSION_SET, "Label": PERMISSION_SET}
                self._create("sobjects/PermissionSet", values, f"permission set {PERMISSION_SET}")
            case "grant":
                self._grant(rest[0])
            case "assign":
                self._assign()
            case _:
                raise UnexpectedAnswer(f"unknown setup step '{what}'")
        self._client.forget_descriptions()

    # Fields

    def _plan_field(self, own: OwnField) -> SetupStep:
        name = _full_name(own)
        wanted = metadata(own)
        found = self._field(name)
        if found is None:
            return SetupStep("create", name, f"{wanted['type']}, {own.label}", _token("field", name, wanted))
        existing: dict[str, Any] = found["Metadata"]
        if existing.get("type") != wanted["type"]:
            detail = (
                f"exists with type {existing.get('type')}, and {wanted['type']} is needed: rename one of them"
            )
            return SetupStep("conflict", name, detail)
        missing = [choice for choice in own.choices if choice not in _choices(existing)]
        if missing:
            detail = f"options: {', '.join(missing)}"
            return SetupStep("extend", name, detail, _token("extend", name, missing))
        return SetupStep("ready", name)

    def _field(self, full_name: str) -> Row | None:
        """A custom field with its metadata, which only a query with one row may ask for (fact sheet §7)."""
        sobject, _, name = full_name.partition(".")
        where = [
            f"TableEnumOrId = {soql.quoted(sobject)}",
            f"DeveloperName = {soql.quoted(name.removesuffix('__c'))}",
        ]
        statement = soql.select(("Id", "Metadata"), "CustomField", where)
        return next(self._client.rows(statement, name="query CustomField", tooling=True), None)

    def _extend(self, full_name: str, missing: Sequence[str]) -> None:
        """Add options; the metadata is sent back whole, so that nothing else of the field changes."""
        found = self._field(full_name)
        if found is None:
            raise UnexpectedAnswer(f"{full_name} has vanished", hint="run setup again")
        existing: dict[str, Any] = found["Metadata"]
        values = existing["valueSet"]["valueSetDefinition"]["value"]
        values += [_value(choice) for choice in missing if choice not in _choices(existing)]
        path = f"tooling/sobjects/CustomField/{found['Id']}"
        self._client.call("PATCH", path, name=f"extending {full_name}", body={"Metadata": existing})

    # Permissions

    def _permission_set(self) -> str | None:
        where = [f"Name = {soql.quoted(PERMISSION_SET)}", "IsOwnedByProfile = false"]
        return self._id(soql.select(("Id",), "PermissionSet", where))

    def _grants(self, permission_set: str) -> dict[str, bool]:
        """Field → whether it may be edited."""
        where = [f"ParentId = {soql.quoted(permission_set)}"]
        statement = soql.select(("Field", "PermissionsEdit"), "FieldPermissions", where)
        rows = self._client.rows(statement, name="query FieldPermissions")
        return {row["Field"]: row["PermissionsEdit"] for row in rows}

    def _grant(self, full_name: str) -> None:
        parent = self._needed_permission_set()
        field = soql.quoted(full_name)
        existing = self._id(
            soql.select(
                ("Id",), "FieldPermissions", [f"ParentId = {soql.quoted(parent)}", f"Field = {field}"]
            )
        )
        rights = {"PermissionsRead": True, "PermissionsEdit": True}
        name = f"granting {full_name}"
        if existing:
            self._client.call("PATCH", f"sobjects/FieldPermissions/{existing}", name=name, body=rights)
        else:
            values = {"ParentId": parent, "SobjectType": full_name.partition(".")[0], "Field": full_name}
            self._create("sobjects/FieldPermissions", values | rights, name)

    def _assigned(self, permission_set: str) -> bool:
        where = [
            f"PermissionSetId = {soql.quoted(permission_set)}",
            f"AssigneeId = {soql.quoted(self._client.user_id())}",
        ]
        return self._id(soql.select(("Id",), "PermissionSetAssignment", where)) is not None

    def _assign(self) -> None:
        parent = self._needed_permission_set()
        if not self._assigned(parent):
            values = {"PermissionSetId": parent, "AssigneeId": self._client.user_id()}
            self._create("sobjects/PermissionSetAssignment", values, f"assigning {PERMISSION_SET}")

    def _needed_permission_set(self) -> str:
        found = self._permission_set()
        if found is None:
            raise UnexpectedAnswer(f"permission set {PERMISSION_SET} is not there", hint="run setup again")
        return found

    def _id(self, statement: str) -> str | None:
        row = next(self._client.rows(statement, name="query permissions"), None)
        return row["Id"] if row else None

    def _create(self, path: str, values: dict[str, Any], name: str) -> None:
        """Create a row; one that is there already, perhaps from a call whose answer was lost, is as good."""
        try:
            body = self._client.call("POST", path, name=f"creating {name}", body=values)
        except RecordRefused as error:
            if error.code not in {"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"}:
                raise
        else:
            decoded(body, Created, name)


def _token(*parts: object) -> str:
    return msgspec.json.encode(parts).decode()


def _full_name(own: OwnField) -> str:
    return f"{OBJECT_OF[own.kind]}.{own.name}"


def _choices(existing: dict[str, Any]) -> set[str]:
    definition = (existing.get("valueSet") or {}).get("valueSetDefinition") or {}
    return {str(value.get("valueName")) for value in definition.get("value") or []}


def clicks(fields: Sequence[OwnField]) -> list[str]:
    """What only an administrator can do, in the words of Salesforce's Setup (fact sheet §8)."""
    if not fields:
        return []
    names = ", ".join(own.label for own in fields if own.kind == fields[0].kind)
    return [
        f"Setup > Permission Sets > {PERMISSION_SET}: clone it with Read Access only, and assign the clone "
        "to managers and sales people.",
        f"Setup > Object Manager > Opportunity > Lightning Record Pages (or Page Layouts): add {names}.",
        "Opportunities > List View Controls > New: 'Flagged opportunities', with a filter on our severity; "
        "share it with the managers.",
        "Setup > Object Manager > Opportunity > Compact Layouts: add our severity, so that it shows at the "
        "top of the record.",
    ]
