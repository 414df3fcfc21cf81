"""Our fields in the org: what is missing, and making it, one step at a time (fact sheet §7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pipelint.connectors.base import OwnField, SetupStep
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.fields import full_name, metadata, value
from pipelint.connectors.salesforce.permissions import Permissions, create, token
from pipelint.errors import UnexpectedAnswer


class Provisioning:
    """Plans and applies; each step may be repeated."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._permissions = Permissions(client)

    def plan(self, fields: Sequence[OwnField]) -> Iterator[SetupStep]:
        """Fields first, then the permission sets, what they grant, and who has them."""
        if fields:
            yield from (self._plan_field(own) for own in fields)
            yield from self._permissions.plan(fields)

    def apply(self, step: SetupStep) -> None:
        """Do one step; `ready` and `conflict` have nothing to do."""
        if not step.token:
            return
        match msgspec.json.decode(step.token):
            case ["field", str(name), dict(wanted)]:
                values = {"FullName": name, "Metadata": wanted}
                create(self._client, "tooling/sobjects/CustomField", values, name)
            case ["extend", str(name), list(missing)]:
                self._extend(name, missing)
            case ["permission_set", str(name)]:
                self._permissions.create(name)
            case ["grant", str(name), str(field)]:
                self._permissions.grant(name, field)
            case ["assign"]:
                self._permissions.assign()
            case _:
                raise UnexpectedAnswer(f"unknown setup step '{step.token}'")
        self._client.forget_descriptions()

    def _plan_field(self, own: OwnField) -> SetupStep:
        name = full_name(own)
        wanted = metadata(own)
        found = self._field(name)
        if found is None:
            return SetupStep("create", name, f"{wanted['type']}, {own.label}", token("field", name, wanted))
        existing: dict[str, Any] = found["Metadata"]
        if existing.get("type") != wanted["type"]:
            detail = (
                f"exists with type {existing.get('type')}, and {wanted['type']} is needed: rename one of them"
            )
            return SetupStep("conflict", name, detail)
        missing = [choice for choice in own.choices if choice not in _choices(existing)]
        if missing:
            detail = f"options: {', '.join(missing)}"
            return SetupStep("extend", name, detail, token("extend", name, missing))
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
        values += [value(choice) for choice in missing if choice not in _choices(existing)]
        path = f"tooling/sobjects/CustomField/{found['Id']}"
        self._client.call("PATCH", path, name=f"extending {full_name}", body={"Metadata": existing})


def _choices(existing: dict[str, Any]) -> set[str]:
    definition = (existing.get("valueSet") or {}).get("valueSetDefinition") or {}
    return {str(value.get("valueName")) for value in definition.get("value") or []}
