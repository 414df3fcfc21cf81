"""Our fields in Pipedrive: planning and creating them, and what the admin clicks so that managers see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from pipelint.connectors.base import OwnField, OwnFieldType, SetupStep
from pipelint.connectors.http import AnswerLost
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Client
from pipelint.connectors.pipedrive.reference import Reference
from pipelint.errors import UnexpectedAnswer

TYPES: Final = {
    OwnFieldType.FLAGS: "set",
    OwnFieldType.CHOICE: "enum",
    OwnFieldType.TEXT: "varchar",
    OwnFieldType.LONG_TEXT: "text",
    OwnFieldType.NUMBER: "double",
    OwnFieldType.DATE: "date",
}


class Provisioning:
    """Plans and applies what is missing of our fields; each step may be repeated, for it looks first."""

    def __init__(self, client: Client, reference: Reference) -> None:
        self._client = client
        self._reference = reference

    def plan(self, fields: Sequence[OwnField]) -> Iterator[SetupStep]:
        """A step for each field; leads share the fields of deals (fact sheet §4)."""
        self._reference.fresh()
        for own in {own.name: own for own in fields}.values():
            yield self._step(own)

    def apply(self, step: SetupStep) -> None:
        """Do one step; `ready` and `conflict` have nothing to do."""
        if not step.token:
            return
        try:
            self._do(step.token)
        except AnswerLost:
            # Perhaps it was done: it looks anew, and does what is missing then.
            self._do(step.token)

    def _do(self, token: str) -> None:
        what, *rest = msgspec.json.decode(token)
        self._reference.fresh()
        match what:
            case "field":
                self._create(rest[0])
            case "options":
                self._extend(rest[0], rest[1])
            case _:
                raise UnexpectedAnswer(f"unknown setup step '{what}'")
        self._reference.fresh()

    def _step(self, own: OwnField) -> SetupStep:
        wanted = TYPES[own.type]
        found = [field for field in self._reference.deal_fields.named(own.name) if field.custom]
        fitting = [field for field in found if field.type == wanted]
        if len(found) > 1:
            keys = ", ".join(field.code for field in found)
            return SetupStep(
                "conflict", own.name, f"several fields bear this name ({keys}): rename all but one"
            )
        if found and not fitting:
            detail = f"exists with type {found[0].type}, and {wanted} is needed: rename one of them"
            return SetupStep("conflict", own.name, detail)
        if not found:
            return SetupStep("create", own.name, f"{wanted}, on deals", _token("field", _definition(own)))
        held = {option.label for option in fitting[0].options}
        missing = [choice for choice in own.choices if choice not in held]
        if missing:
            detail = f"options: {', '.join(missing)}"
            return SetupStep("extend", own.name, detail, _token("options", own.name, missing))
        return SetupStep("ready", own.name)

    def _create(self, definition: dict[str, Any]) -> None:
        """A field that is there already, perhaps from a call whose answer was lost, is as good."""
        named = self._reference.deal_fields.named(definition["field_name"])
        if not any(field.custom and field.type == definition["field_type"] for field in named):
            self._client.send(e.CREATE_FIELD, definition, name=f"creating {definition['field_name']}")

    def _extend(self, name: str, missing: Sequence[str]) -> None:
        field = self._reference.deal_fields.find(name)
        if field is None:
            raise UnexpectedAnswer(f"'{name}' has vanished", hint="run setup again")
        held = {option.label for option in field.options}
        new = [{"label": choice} for choice in missing if choice not in held]
        if new:
            self._client.send(e.ADD_OPTIONS, new, name=f"extending {name}", code=field.code)


def _definition(own: OwnField) -> dict[str, Any]:
    """A field as `POST /dealFields` wants it: seen on the deal, and not in the dialogue for a new one."""
    common: dict[str, Any] = {
        "field_name": own.name,
        "field_type": TYPES[own.type],
        "description": f"{own.help} Maintained by pipelint; values written by hand are overwritten.",
        "ui_visibility": {"add_visible_flag": False, "details_visible_flag": True},
    }
    if own.type in {OwnFieldType.FLAGS, OwnFieldType.CHOICE}:
        return common | {"options": [{"label": choice} for choice in own.choices]}
    return common


def _token(*parts: object) -> str:
    return msgspec.json.encode(parts).decode()


def clicks(fields: Sequence[OwnField]) -> list[str]:
    """What only a person can do, in the words of Pipedrive's pages (fact sheet §9)."""
    if not fields:
        return []
    names = ", ".join(dict.fromkeys(own.name for own in fields))
    severity = next((own.name for own in fields if own.key == "severity"), fields[0].name)
    return [
        f"Deals > list view > the wheel at the right: add the columns {names}.",
        f"Deals > filter > Add new filter: '{severity}' is any of error, warning; name it 'Flagged deals' and "
        "share it with the company. The same filter works on the board.",
        f"A deal > sidebar > Details > customize: pin {names}, for everybody.",
        f"Insights > new report > Deals: view by '{severity}', for the team meeting.",
        "Company settings > Data fields > Deal: let nobody edit our fields, where the plan allows it.",
    ]
