"""Custom fields as the Metadata API describes them, and the column each of them becomes (fact sheet §7)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Choice, Field
from pipelint.sandbox.salesforce.store import Store

Metadata = Mapping[str, object]

_TYPES = {
    "Checkbox": "boolean",
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Html": "textarea",
    "Number": "double",
    "Percent": "percent",
    "Currency": "currency",
    "Date": "date",
    "DateTime": "datetime",
    "Url": "url",
    "Email": "email",
    "Phone": "phone",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
}

_NEEDS = {
    "Checkbox": ("defaultValue",),
    "Text": ("length",),
    "LongTextArea": ("length", "visibleLines"),
    "Html": ("length", "visibleLines"),
    "Number": ("precision", "scale"),
    "Percent": ("precision", "scale"),
    "Currency": ("precision", "scale"),
    "Picklist": ("valueSet",),
    "MultiselectPicklist": ("visibleLines", "valueSet"),
}

_SPECIAL = {"length", "visibleLines", "precision", "scale", "valueSet"}
_ANYWHERE = {"label", "type", "description", "inlineHelpText", "required", "defaultValue", "externalId",
             "unique",
             "trackHistory", "trackFeedHistory", "trackTrending", "caseSensitive", "businessStatus",
             "complianceGroup", "securityClassification", "fullName"}  # fmt: skip

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def column(full_name: str, metadata: Metadata) -> Field:
    """The field that this metadata describes.

    Raises:
        SalesforceError: as the Tooling API would refuse the metadata.
    """
    developer_name = full_name.partition(".")[2].removesuffix("__c")
    kind = str(metadata.get("type", ""))
    _check(developer_name, full_name, kind, metadata)
    default = metadata.get("defaultValue")
    return Field(
        f"{developer_name}__c",
        _TYPES[kind],
        str(metadata["label"]),
        length=_length(kind, metadata),
        precision=_integer(metadata, "precision"),
        scale=_integer(metadata, "scale"),
        required=metadata.get("required") is True,
        custom=True,
        tracked=metadata.get("trackHistory") is True,
        unique=metadata.get("unique") is True,
        external_id=metadata.get("externalId") is True,
        default=str(default).lower() == "true" if kind == "Checkbox" else default,
        help_text=cast("str | None", metadata.get("inlineHelpText")),
        choices=_choices(metadata),
        restricted=_value_set(metadata).get("restricted") is True,
    )


def load(store: Store) -> None:
    """Add to the schema the custom fields that a saved organisation holds."""
    for row in store.find_all(store.schema["CustomField"]):
        store.schema[str(row["TableEnumOrId"])].put(
            column(str(row["FullName"]), json.loads(str(row["Metadata"])))
        )


def refused(message: str) -> SalesforceError:
    """The Tooling API's usual refusal of metadata."""
    return SalesforceError("FIELD_INTEGRITY_EXCEPTION", message)


def _check(developer_name: str, full_name: str, kind: str, metadata: Metadata) -> None:
    if not full_name.endswith("__c") or not _NAME.fullmatch(developer_name):
        raise refused(
            "The Field Name field can only contain underscores and alphanumeric characters. It must be"
            " unique, begin with a letter, not include spaces, not end with an underscore, not contain two"
            " consecutive underscores, and end with __c."
        )
    if len(developer_name) > 40:
        raise SalesforceError(
            "STRING_TOO_LONG",
            f"Field Name: data value too large: {developer_name} (max length=40)",
            ["DeveloperName"],
        )
    if kind not in _TYPES:
        raise refused(f"'{kind}' is not a valid value for the enum 'FieldType'")
    if not metadata.get("label"):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Label]", ["Label"])
    if len(str(metadata["label"])) > 40:
        raise SalesforceError(
            "STRING_TOO_LONG", f"Label: data value too large: {metadata['label']} (max length=40)", ["Label"]
        )
    unknown = sorted(set(metadata) - _ANYWHERE - _SPECIAL)
    if unknown:
        raise SalesforceError("JSON_PARSER_ERROR", f'Unrecognized field "{unknown[0]}" at [line:1, column:1]')
    needs = _NEEDS.get(kind, ())
    for key in needs:
        if metadata.get(key) is None:
            raise refused(f"Must specify '{key}' for a CustomField of type {kind}")
    for key in sorted(_SPECIAL & set(metadata)):
        if metadata[key] is not None and key not in needs:
            raise refused(f"Can not specify '{key}' for a CustomField of type {kind}")
    _check_sizes(kind, metadata)


def _check_sizes(kind: str, metadata: Metadata) -> None:
    length = _integer(metadata, "length")
    if kind == "Text" and not 1 <= length <= 255:
        raise refused("Text fields must have a length between 1 and 255")
    if kind in {"LongTextArea", "Html"} and not 256 <= length <= 131_072:
        raise refused(f"{kind} fields must have a length between 256 and 131,072")
    if _integer(metadata, "precision") > 18:
        raise refused("Precision must be at most 18")
    if _integer(metadata, "scale") > _integer(metadata, "precision"):
        raise refused("Scale must not be larger than precision")
    help_text = metadata.get("inlineHelpText")
    if isinstance(help_text, str) and len(help_text) > 510:
        raise SalesforceError(
            "STRING_TOO_LONG", "Help Text: data value too large (max length=510)", ["InlineHelpText"]
        )


def _length(kind: str, metadata: Metadata) -> int:
    fixed = {
        "TextArea": 255,
        "Url": 255,
        "Email": 80,
        "Phone": 40,
        "Picklist": 255,
        "MultiselectPicklist": 4099,
    }
    return fixed.get(kind) or _integer(metadata, "length")


def _integer(metadata: Metadata, key: str) -> int:
    value = metadata.get(key) or 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise SalesforceError(
            "JSON_PARSER_ERROR", f"Cannot deserialize instance of int from {value!r} for {key}"
        )
    return value


def _value_set(metadata: Metadata) -> Mapping[str, object]:
    value_set = metadata.get("valueSet")
    return cast("Mapping[str, object]", value_set) if isinstance(value_set, dict) else {}


def _choices(metadata: Metadata) -> tuple[Choice, ...]:
    value_set = _value_set(metadata)
    if not value_set:
        return ()
    definition = value_set.get("valueSetDefinition")
    values = definition.get("value") if isinstance(definition, dict) else None
    if not isinstance(values, list) or not values:
        raise refused("Must specify 'valueSetDefinition' with at least one value for a picklist")
    choices: dict[str, Choice] = {}
    for entry in values:
        if not isinstance(entry, dict) or not (name := entry.get("valueName") or entry.get("fullName")):
            raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [valueName]")
        if name.lower() in choices:
            raise SalesforceError("DUPLICATE_VALUE", f"Duplicate picklist value: {name}")
        choices[name.lower()] = Choice(
            name,
            entry.get("label") or name,
            active=entry.get("isActive") is not False,
            default=entry.get("default") is True,
        )
    return tuple(choices.values())
