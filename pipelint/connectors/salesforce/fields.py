"""The org's fields as a pack may use them, and our own as metadata (fact sheet §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipelint.connectors.base import FieldInfo, FieldType, OwnField, OwnFieldType
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.describe import FieldDescription
from pipelint.connectors.salesforce.refusal import RequestInvalid
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import PermissionMissing

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


def short(ours: Sequence[OwnField]) -> list[OwnField]:
    """Those that sum up the others in a column or a compact layout, which takes no choices and no long text."""
    preferred = [own for key in ("severity", "summary") for own in ours if own.key == key]
    others = [own for own in ours if own.type not in {OwnFieldType.FLAGS, OwnFieldType.LONG_TEXT}]
    return preferred or others[:1]


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
    values = [value(choice) for choice in choices]
    return {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}


def value(choice: str) -> dict[str, Any]:
    """An option of a picklist."""
    return {"valueName": choice, "label": choice, "default": False}


def full_name(own: OwnField) -> str:
    """A field of ours with its object, as metadata names it."""
    return f"{OBJECT_OF[own.kind]}.{own.name}"
