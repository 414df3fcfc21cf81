"""What a portal's records look like: properties by object type, pipelines and their stages."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from pipelint.connectors.base import FieldInfo, FieldType
from pipelint.connectors.hubspot.answers import ABSENT
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.refusal import RequestInvalid
from pipelint.errors import PermissionMissing

FIELD_TYPES: Final[dict[str, FieldType]] = {
    "string": "text",
    "phone_number": "text",
    "enumeration": "choice",
    "number": "number",
    "date": "date",
    "datetime": "datetime",
    "bool": "yes_no",
}
"""HubSpot's types → ours; others are not offered."""


class Option(msgspec.Struct, frozen=True):
    """One of a property's options; rules and writes go by `value`."""

    value: str
    label: str = ""
    hidden: bool = False


class Modification(msgspec.Struct, frozen=True):
    """What may be done to a property."""

    readOnlyValue: bool = False  # noqa: N815 - HubSpot's name


class Property(msgspec.Struct, frozen=True):
    """A property; `dealstage` and the like have options elsewhere, and an empty list here (fact sheet §6)."""

    name: str
    label: str = ""
    type: str = "string"
    fieldType: str = "text"  # noqa: N815 - HubSpot's name
    options: list[Option] = []
    calculated: bool = False
    archived: bool = False
    hubspotDefined: bool = False  # noqa: N815 - HubSpot's name
    showCurrencySymbol: bool = False  # noqa: N815 - HubSpot's name
    groupName: str = ""  # noqa: N815 - HubSpot's name
    modificationMetadata: Modification | None = None  # noqa: N815 - HubSpot's name

    @property
    def writable(self) -> bool:
        """Whether a value may be written."""
        closed = self.modificationMetadata is not None and self.modificationMetadata.readOnlyValue
        return not self.calculated and not closed

    @property
    def kind(self) -> FieldType | None:
        """Our word for its type."""
        if self.fieldType == "booleancheckbox":
            return "yes_no"
        if self.type == "enumeration" and self.fieldType == "checkbox":
            return "choices"
        return "money" if self.showCurrencySymbol else FIELD_TYPES.get(self.type)


class StageRow(msgspec.Struct, frozen=True):
    """A stage; all of its metadata is text (fact sheet §6)."""

    id: str
    label: str = ""
    displayOrder: int = 0  # noqa: N815 - HubSpot's name
    metadata: dict[str, str | None] = {}
    archived: bool = False

    @property
    def closed(self) -> bool:
        state = (self.metadata.get("leadState") or "").upper()
        return self.metadata.get("isClosed") == "true" or state in {"CLOSED", "UNQUALIFIED", "QUALIFIED"}

    @property
    def chance(self) -> Decimal | None:
        """Its probability in percent."""
        given = self.metadata.get("probability")
        return Decimal(given) * 100 if given else None

    @property
    def won(self) -> bool:
        return self.closed and self.chance == 100


class PipelineRow(msgspec.Struct, frozen=True):
    """A pipeline with its stages."""

    id: str
    label: str = ""
    displayOrder: int = 0  # noqa: N815 - HubSpot's name
    archived: bool = False
    stages: list[StageRow] = []


class _Properties(msgspec.Struct):
    results: list[Property]


class _Pipelines(msgspec.Struct):
    results: list[PipelineRow]


class Portal:
    """What the portal says of its records; each list is asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._properties: dict[str, dict[str, Property]] = {}
        self._pipelines: dict[str, dict[str, PipelineRow]] = {}
        self._seen: dict[str, bool] = {}

    def properties(self, kind: str) -> dict[str, Property]:
        """The live properties of an object type, by name."""
        if kind not in self._properties:
            path = self._client.reading.properties(kind)
            found = self._client.get(path, _Properties, name=f"the properties of {kind}").results
            self._properties[kind] = {each.name: each for each in found if not each.archived}
        return self._properties[kind]

    def pipelines(self, kind: str) -> dict[str, PipelineRow]:
        """The pipelines of an object type, in order, by id."""
        if kind not in self._pipelines:
            path = self._client.reading.pipelines(kind)
            found = self._client.get(path, _Pipelines, name=f"the pipelines of {kind}").results
            ordered = sorted(found, key=lambda each: each.displayOrder)
            self._pipelines[kind] = {each.id: each for each in ordered}
        return self._pipelines[kind]

    def stage(self, kind: str, pipeline: str | None, stage: str | None) -> StageRow | None:
        """A stage of a pipeline: old portals have stages of the same id in two (fact sheet §6)."""
        found = self.pipelines(kind).get(pipeline or "")
        return next((each for each in found.stages if each.id == stage), None) if found else None

    def sees(self, kind: str) -> bool:
        """Whether there are such records in this account, and we may read them; asked for once."""
        if kind not in self._seen:
            try:
                path = self._client.reading.objects(kind)
                self._client.get(path, msgspec.Raw, name=f"the {kind}", query=[("limit", "1")])
                self._seen[kind] = True
            except PermissionMissing:
                self._seen[kind] = False
            except RequestInvalid as error:
                # A plan without leads knows no such type: it says that it cannot infer it, or that it is not found.
                if kind != "leads" or error.code not in {"VALIDATION_ERROR", *ABSENT}:
                    raise
                self._seen[kind] = False
        return self._seen[kind]

    def forget(self) -> None:
        """Ask anew: properties were made or changed."""
        self._properties.clear()


def infos(properties: dict[str, Property]) -> list[FieldInfo]:
    """The properties that rules can use."""
    return [
        FieldInfo(
            name=each.name,
            label=each.label,
            type=each.kind,
            custom=not each.hubspotDefined,
            writable=each.writable,
            choices={option.value: option.label for option in each.options if not option.hidden},
        )
        for each in properties.values()
        if each.kind is not None
    ]
