"""Which writes are refused: properties, values, and what the portal's settings say about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelint.sandbox.hubspot.errors import Invalid, invalid_properties
from pipelint.sandbox.hubspot.object_types import CONTACTS, DEALS, LEADS, ObjectType
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.standard import LIFECYCLE_STAGES
from pipelint.sandbox.hubspot.values import Row, Value, kept

if TYPE_CHECKING:
    from pipelint.sandbox.hubspot.portal import Portal

_STAGES = {DEALS: ("pipeline", "dealstage"), LEADS: ("hs_pipeline", "hs_pipeline_stage")}
_LIFECYCLE = list(LIFECYCLE_STAGES)


class Checks:
    """Turns what was sent into what is kept, or refuses with everything that is wrong with it."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def changes(
        self, kind: ObjectType, sent: Mapping[str, object], before: Row | None, *, enforce: bool
    ) -> Row:
        """The values to keep; `enforce` lets the conditional rules count.

        Raises:
            HubSpotError: 400 VALIDATION_ERROR, with an entry for each property that was refused.
        """
        changes: Row = {}
        problems: list[Invalid] = []
        for name, value in sent.items():
            try:
                definition = self._writable(kind, name)
                changes[name] = self._value(kind, definition, value, before)
            except Invalid as problem:
                problems.append(problem)
        if not problems:
            problems += self._stage(kind, changes, before)
        if not problems and enforce:
            after = (before or {}) | changes
            for rule in self._portal.conditional_rules[kind]:
                problems += rule.missing(changes, after)
        if problems:
            raise invalid_properties(problems)
        if kind is CONTACTS:
            _keep_lifecycle(changes, before)
        return changes

    def _writable(self, kind: ObjectType, name: str) -> Property:
        definition = self._portal.properties[kind].get(name)
        if definition is None:
            raise Invalid(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if definition.read_only or definition.calculated:
            raise Invalid(
                name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
            )
        return definition

    def _value(self, kind: ObjectType, definition: Property, sent: object, before: Row | None) -> Value:
        value = kept(definition, sent, before[definition.name] if before else None)
        if value is not None and definition.name == "hubspot_owner_id":
            owner = self._portal.owner(str(value))
            if owner is None or owner.archived:
                raise Invalid("hubspot_owner_id", "INVALID_OWNER_ID", f"Owner {value} does not exist")
        for rule in self._portal.validation_rules[kind]:
            if rule.property == definition.name:
                rule.check(value)
        if value is not None and (definition.unique or (kind is CONTACTS and definition.name == "email")):
            self._unique(kind, definition, value, before)
        return value

    def _unique(self, kind: ObjectType, definition: Property, value: Value, before: Row | None) -> None:
        found = self._portal.store.rows(
            f'SELECT hs_object_id FROM {kind.name} WHERE "{definition.name}" = ? COLLATE NOCASE AND NOT _archived',
            [value],
        )
        if any(before is None or it[0] != before["hs_object_id"] for it in found):
            raise Invalid(
                definition.name,
                "CONFLICTING_UNIQUE_VALUE",
                f'A {kind.singular} with the value "{value}" already exists. Existing ID: {found[0][0]}',
            )

    def _stage(self, kind: ObjectType, changes: Row, before: Row | None) -> list[Invalid]:
        """A stage belongs to its pipeline: to move across pipelines takes both in one write."""
        names = _STAGES.get(kind)
        if names is None or not set(names) & set(changes):
            return []
        pipelines = self._portal.pipelines[kind]
        default = {names[0]: pipelines.all[0].id}
        pipeline, stage = (str(({**default, **(before or {}), **changes}).get(it)) for it in names)
        if pipelines.has(pipeline, stage):
            return []
        wrong = names[1] if names[1] in changes else names[0]
        return [
            Invalid(
                wrong,
                "INVALID_OPTION",
                f"{changes[wrong]} was not one of the allowed options for {wrong} in pipeline {pipeline}",
            )
        ]


def _keep_lifecycle(changes: Row, before: Row | None) -> None:
    """An earlier lifecycle stage is ignored in silence, unless the value was cleared first."""
    name = "lifecyclestage"
    if before is not None and before[name] is not None and changes.get(name) is not None:
        old, new = (_LIFECYCLE.index(str(row[name])) for row in (before, changes))
        if new < old:
            del changes[name]
