"""What an object looks like to the integration user: fields without read access are simply absent."""

from __future__ import annotations

from functools import cached_property

import msgspec


class PicklistValue(msgspec.Struct, frozen=True):
    """A choice; `value` is what the API speaks."""

    value: str
    label: str | None = None
    active: bool = True


class FieldDescription(msgspec.Struct, frozen=True, rename="camel"):
    """A field of an object (fact sheet §3, describe)."""

    name: str
    label: str
    type: str
    length: int = 0
    scale: int = 0
    custom: bool = False
    calculated: bool = False
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    defaulted_on_create: bool = False
    relationship_name: str | None = None
    reference_to: list[str] = []
    picklist_values: list[PicklistValue] = []


class SObjectInfo(msgspec.Struct, rename="camel", dict=True):
    """An object."""

    name: str
    fields: list[FieldDescription]
    updateable: bool = False
    replicateable: bool = False

    @cached_property
    def by_name(self) -> dict[str, FieldDescription]:
        return {field.name: field for field in self.fields}

    @cached_property
    def _relationships(self) -> set[str]:
        return {field.relationship_name for field in self.fields if field.relationship_name}

    def sees(self, path: str) -> bool:
        """Whether a field, or the first step of a path such as `RecordType.DeveloperName`, is visible."""
        first, dot, _ = path.partition(".")
        return first in self._relationships if dot else path in self.by_name
