"""Our fields as a package of metadata that an administrator deploys instead of `setup --apply` (fact sheet §7).

The layout is that of the Metadata API: a package.xml beside a file for each object and permission set. A page
layout is not in it, because a deployed layout replaces the org's own as a whole; placing our fields there is
left to the administrator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipelint.connectors.base import OwnField
from pipelint.connectors.salesforce.fields import full_name, metadata, short
from pipelint.connectors.salesforce.permissions import SETS, PermissionSet
from pipelint.connectors.salesforce.streams import OBJECT_OF

NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"

_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "Opportunity": (
        "OPPORTUNITY.NAME",
        "ACCOUNT.NAME",
        "OPPORTUNITY.STAGE_NAME",
        "OPPORTUNITY.AMOUNT",
        "OPPORTUNITY.CLOSE_DATE",
        "CORE.USERS.ALIAS",
    ),
    "Lead": ("FULL_NAME", "LEAD.COMPANY", "LEAD.STATUS", "CORE.USERS.ALIAS"),
}
"""The columns of a list view before ours, by the names that list views have for fields."""

_COMPACT: Final[Mapping[str, Sequence[str]]] = {
    "Opportunity": ("Name", "StageName", "Amount", "CloseDate"),
    "Lead": ("Name", "Company", "Status"),
}


def files(fields: Sequence[OwnField], api_version: str) -> dict[str, str]:
    """The package: relative path → XML. Deploying it again does no harm."""
    if not fields:
        return {}
    of_object: dict[str, list[OwnField]] = {}
    for own in fields:
        of_object.setdefault(OBJECT_OF[own.kind], []).append(own)
    found = {"package.xml": _manifest(of_object, api_version)}
    found |= {f"objects/{name}.object": _object(name, ours) for name, ours in of_object.items()}
    found |= {
        f"permissionsets/{one.name}.permissionset": _permission_set(one, fields) for one in SETS.values()
    }
    return {path: _text(root) for path, root in found.items()}


def _manifest(of_object: Mapping[str, Sequence[OwnField]], api_version: str) -> Element:
    members = {
        "CompactLayout": [f"{name}.Pipelint" for name in of_object],
        "CustomField": [full_name(own) for ours in of_object.values() for own in ours],
        "ListView": [f"{name}.{_view(name)[0]}" for name, ours in of_object.items() if _filter(ours)],
        "PermissionSet": list(SETS),
    }
    types = [{"members": names, "name": type_} for type_, names in members.items() if names]
    return _element("Package", {"types": types, "version": api_version})


def _object(sobject: str, ours: Sequence[OwnField]) -> Element:
    content: dict[str, Any] = {
        "compactLayouts": {
            "fullName": "Pipelint",
            "fields": [*_COMPACT[sobject], *(own.name for own in short(ours))],
            "label": "Pipelint",
        },
        "fields": [{"fullName": own.name, **_sorted(metadata(own))} for own in ours],
    }
    if filtered := _filter(ours):
        name, label = _view(sobject)
        content["listViews"] = {
            "fullName": name,
            "columns": [*_COLUMNS[sobject], *(own.name for own in short(ours))],
            "filterScope": "Everything",
            # Not equal to nothing: whatever is flagged.
            "filters": {"field": filtered.name, "operation": "notEqual"},
            "label": label,
        }
    return _element("CustomObject", content)


def _permission_set(one: PermissionSet, fields: Sequence[OwnField]) -> Element:
    rights = [
        {"editable": one.edits, "field": name, "readable": True} for name in sorted(map(full_name, fields))
    ]
    content = {
        "description": one.description,
        "fieldPermissions": rights,
        "hasActivationRequired": False,
        "label": one.label,
    }
    return _element("PermissionSet", content)


def _view(sobject: str) -> tuple[str, str]:
    """Name and label of the list view."""
    plural = "opportunities" if sobject == "Opportunity" else f"{sobject.lower()}s"
    return f"Flagged_{plural}", f"Flagged {plural}"


def _filter(ours: Sequence[OwnField]) -> OwnField | None:
    return next((own for own in ours if own.key == "flags"), None)


def _sorted(value: object) -> Any:  # noqa: ANN401 - metadata nests freely
    """Metadata for XML: keys in order, as Salesforce writes them, and options by the name they have there."""
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    if not isinstance(value, dict):
        return value
    name = {"fullName": value["valueName"]} if "valueName" in value else {}
    return name | {key: _sorted(value[key]) for key in sorted(value) if key != "valueName"}


def _element(tag: str, content: Mapping[str, Any]) -> Element:
    root = Element(tag, xmlns=NAMESPACE)
    _fill(root, content)
    return root


def _fill(parent: Element, content: Mapping[str, Any]) -> None:
    """A list becomes as many elements as it has items."""
    for key, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            child = SubElement(parent, key)
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = str(one).lower() if isinstance(one, bool) else str(one)


def _text(root: Element) -> str:
    indent(root, "    ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'
