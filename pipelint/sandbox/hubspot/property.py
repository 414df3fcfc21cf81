"""A property of an object type: its definition, and the form in which the API tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipelint.sandbox.hubspot.moments import iso

FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "html", "phonenumber", "file", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
}
"""Which field types each type may be shown as (fact sheet §10)."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value of an enumeration; `value` is what records hold, case-sensitively."""

    value: str
    label: str
    hidden: bool = False
    description: str = ""

    def as_json(self, order: int) -> dict[str, object]:
        return {
            "label": self.label,
            "value": self.value,
            "description": self.description,
            "displayOrder": order,
            "hidden": self.hidden,
        }


@dataclass(frozen=True, slots=True)
class Property:
    """A definition; `external` enumerations list no options, and `archived_at` marks one put away."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = ""
    options: tuple[Option, ...] = ()
    description: str = ""
    calculated: bool = False
    read_only: bool = False
    external: bool = False
    unique: bool = False
    hidden: bool = False
    listed: bool = True
    """Whether the list of definitions shows it; the times of stages must be asked for by name."""
    custom: bool = False
    display_order: int = -1
    changed_at: int = 0
    created_at: int = 0
    archived_at: int | None = None

    @property
    def many(self) -> bool:
        """Whether it holds several values, parted by semicolons."""
        return self.field_type == "checkbox"

    def as_json(self) -> dict[str, object]:
        document: dict[str, object] = {
            "updatedAt": iso(self.changed_at),
            "createdAt": iso(self.created_at),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [it.as_json(order) for order, it in enumerate(self.options)],
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external,
            "archived": self.archived_at is not None,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": not self.custom,
            "modificationMetadata": {
                "archivable": self.custom,
                "readOnlyDefinition": not self.custom,
                "readOnlyOptions": not self.custom,
                "readOnlyValue": self.read_only or self.calculated,
            },
            "formField": self.custom,
        }
        if self.archived_at is not None:
            document["archivedAt"] = iso(self.archived_at)
        return document


def options(document: object) -> tuple[Option, ...]:
    """The options of a definition that was sent in."""
    if not isinstance(document, list):
        raise TypeError("options is a list")
    return tuple(
        Option(
            str(it["value"]),
            str(it["label"]),
            bool(it.get("hidden", False)),
            str(it.get("description", "")),
        )
        for it in document
    )


@dataclass(slots=True)
class Group:
    """A heading under which properties stand."""

    name: str
    label: str
    display_order: int = -1
    archived: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": self.archived,
        }


@dataclass(slots=True)
class Properties:
    """All definitions of one object type, archived ones too, with their groups."""

    groups: dict[str, Group] = field(default_factory=dict)
    every: dict[str, Property] = field(default_factory=dict)

    def get(self, name: str) -> Property | None:
        """The property of this name, unless archived."""
        found = self.every.get(name)
        return found if found is not None and found.archived_at is None else None

    def known(self, names: Sequence[str]) -> list[Property]:
        """Those of the names that exist, in order and once each; HubSpot ignores the others."""
        return [it for it in (self.get(name) for name in dict.fromkeys(names)) if it is not None]

    def put(self, definition: Property, **changes: Any) -> Property:  # noqa: ANN401 - any attribute of it
        self.every[definition.name] = changed = replace(definition, **changes)
        return changed
