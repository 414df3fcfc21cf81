"""Our properties in HubSpot: planning and creating them, and what the admin clicks so that managers see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pipelint.connectors.base import Kind, OwnField, OwnFieldType, SetupStep
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.refusal import RequestInvalid
from pipelint.connectors.hubspot.schema import Portal
from pipelint.errors import UnexpectedAnswer

GROUP: Final = "pipelint"

TYPES: Final[Mapping[OwnFieldType, tuple[str, str]]] = {
    OwnFieldType.FLAGS: ("enumeration", "checkbox"),
    OwnFieldType.CHOICE: ("enumeration", "select"),
    OwnFieldType.TEXT: ("string", "text"),
    OwnFieldType.LONG_TEXT: ("string", "textarea"),
    OwnFieldType.NUMBER: ("number", "number"),
    OwnFieldType.DATE: ("date", "date"),
}
"""Type and field type of our forms."""


class _Group(msgspec.Struct):
    name: str


class _Groups(msgspec.Struct):
    results: list[_Group]


class Provisioning:
    """Plans and applies what is missing of our properties; each step may be repeated, for it looks first."""

    def __init__(self, client: Client, portal: Portal, objects: Mapping[Kind, str]) -> None:
        self._client = client
        self._portal = portal
        self._objects = objects

    def plan(self, fields: Sequence[OwnField]) -> Iterator[SetupStep]:
        """The group of each object type first, then its properties."""
        self._portal.forget()
        for kind in dict.fromkeys(own.kind for own in fields):
            type_ = self._objects[kind]
            target = f"property group {GROUP} on {type_}"
            if self._has_group(type_):
                yield SetupStep("ready", target)
            else:
                yield SetupStep("create", target, token=_token("group", type_))
            yield from (self._step(own) for own in fields if own.kind == kind)

    def apply(self, step: SetupStep) -> None:
        """Do one step; `ready` and `conflict` have nothing to do."""
        if not step.token:
            return
        what, type_, *rest = msgspec.json.decode(step.token)
        path = self._client.writing.properties(type_)
        match what:
            case "group":
                self._create(f"{path}/groups", {"name": GROUP, "label": "Pipelint"}, "the property group")
            case "property":
                self._create(path, rest[0], rest[0]["name"])
            case "options":
                self._extend(type_, rest[0], rest[1])
            case _:
                raise UnexpectedAnswer(f"unknown setup step '{what}'")
        self._portal.forget()

    def _step(self, own: OwnField) -> SetupStep:
        type_ = self._objects[own.kind]
        target = f"{type_}.{own.name}"
        wanted = TYPES[own.type]
        found = self._portal.properties(type_).get(own.name)
        if found is None:
            return SetupStep(
                "create", target, f"{wanted[1]}, {own.label}", _token("property", type_, _definition(own))
            )
        if (found.type, found.fieldType) != wanted:
            detail = f"exists as {found.type}/{found.fieldType}, and {'/'.join(wanted)} is needed: rename one of them"
            return SetupStep("conflict", target, detail)
        if not found.writable:
            return SetupStep("conflict", target, "exists, and may not be written")
        held = {option.value for option in found.options}
        missing = [choice for choice in own.choices if choice not in held]
        if missing:
            detail = f"options: {', '.join(missing)}"
            return SetupStep("extend", target, detail, _token("options", type_, own.name, missing))
        return SetupStep("ready", target)

    def _has_group(self, type_: str) -> bool:
        path = f"{self._client.reading.properties(type_)}/groups"
        groups = self._client.get(path, _Groups, name=f"the property groups of {type_}").results
        return any(group.name == GROUP for group in groups)

    def _create(self, path: str, body: dict[str, Any], name: str) -> None:
        """Create a thing; one that is there already, perhaps from a call whose answer was lost, is as good."""
        try:
            self._client.change("POST", path, body, name=f"creating {name}", final=())
        except RequestInvalid as error:
            if error.code not in {"409", "CONFLICT", "OBJECT_ALREADY_EXISTS", "PROPERTY_EXISTS"}:
                raise

    def _extend(self, type_: str, name: str, missing: Sequence[str]) -> None:
        """Add options: the list is replaced as a whole, so what is there is sent along (fact sheet §10)."""
        self._portal.forget()
        found = self._portal.properties(type_).get(name)
        if found is None:
            raise UnexpectedAnswer(f"{type_}.{name} has vanished", hint="run setup again")
        held = [msgspec.to_builtins(option) for option in found.options]
        known = {option["value"] for option in held}
        options = held + [_option(choice) for choice in missing if choice not in known]
        body = {"options": [{**option, "displayOrder": place} for place, option in enumerate(options)]}
        path = f"{self._client.writing.properties(type_)}/{name}"
        self._client.change("PATCH", path, body, name=f"extending {name}", final=())


def _definition(own: OwnField) -> dict[str, Any]:
    type_, form = TYPES[own.type]
    definition: dict[str, Any] = {
        "name": own.name,
        "label": own.label,
        "type": type_,
        "fieldType": form,
        "groupName": GROUP,
        "description": f"{own.help} Maintained by pipelint; values written by hand are overwritten.",
    }
    if own.choices:
        options = [_option(choice) for choice in own.choices]
        definition["options"] = [{**option, "displayOrder": place} for place, option in enumerate(options)]
    return definition


def _option(choice: str) -> dict[str, Any]:
    return {"label": choice, "value": choice, "hidden": False}


def _token(*parts: object) -> str:
    return msgspec.json.encode(parts).decode()


def clicks(fields: Sequence[OwnField]) -> list[str]:
    """What only an administrator can do, in the words of HubSpot's pages (fact sheet §15)."""
    on_deals = [own for own in fields if own.kind == "opportunity"]
    if not on_deals:
        return []
    names = ", ".join(dict.fromkeys(own.label for own in on_deals))
    severity = next((own.label for own in on_deals if own.key == "severity"), on_deals[0].label)
    return [
        f"Deals > Add view > 'Flagged deals': filter on {severity} is any of error, warning; add the columns "
        f"{names}; share it with everyone. The same filter works on the board.",
        f"Settings > Objects > Deals > Record customization: add {names} to the card 'About this deal'.",
        f"Settings > Objects > Deals > Pipelines > Deal cards: add {severity}, so that boards show it.",
        f"Settings > Objects > Deals > Deal tags: a red tag where {severity} is error.",
        f"CRM > Lists > Create list (deals): {severity} is error, for reminders by e-mail or workflow.",
    ]
