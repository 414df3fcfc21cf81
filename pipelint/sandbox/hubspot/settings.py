"""The settings of an account, apart from its records, as one document to keep in a file."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from pipelint.sandbox.hubspot.object_types import OBJECT_TYPES, object_type
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Pipeline, Pipelines
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.property import Properties
from pipelint.sandbox.hubspot.rules import ConditionalRule, StageRules, ValidationRule, Workflow


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an administrator can change, by the names of object types."""

    owners: list[Owner]
    pipelines: dict[str, list[Pipeline]]
    properties: dict[str, Properties]
    labels: list[tuple[str, str, str]]
    validation_rules: dict[str, list[ValidationRule]]
    conditional_rules: dict[str, list[ConditionalRule]]
    workflows: list[Workflow]
    stage_rules: dict[str, StageRules]


def keep(portal: Portal) -> None:
    """Write the settings beside the records."""
    settings = Settings(
        portal.owners,
        {kind.name: it.all for kind, it in portal.pipelines.items()},
        {kind.name: it for kind, it in portal.properties.items()},
        portal.links.types.labels(),
        {kind.name: it for kind, it in portal.validation_rules.items()},
        {kind.name: it for kind, it in portal.conditional_rules.items()},
        portal.workflows,
        portal.stage_rules,
    )
    portal.store.run("DELETE FROM setup")
    portal.store.run("INSERT INTO setup VALUES (?)", [msgspec.json.encode(settings).decode()])


def bring_back(portal: Portal) -> None:
    """Take the settings from beside the records."""
    [[document]] = portal.store.rows("SELECT document FROM setup")
    settings = msgspec.json.decode(document, type=Settings)
    portal.owners = settings.owners
    portal.pipelines = {object_type(name): Pipelines(it) for name, it in settings.pipelines.items()}
    for kind in OBJECT_TYPES:
        # What HubSpot defined since the file was written stays beside what the file knows.
        portal.properties[kind].every |= settings.properties[kind.name].every
        portal.properties[kind].groups |= settings.properties[kind.name].groups
        portal.validation_rules[kind] = settings.validation_rules[kind.name]
        portal.conditional_rules[kind] = settings.conditional_rules[kind.name]
    portal.workflows, portal.stage_rules = settings.workflows, settings.stage_rules
    for first, second, label in settings.labels:
        portal.links.types.add(object_type(first), object_type(second), label)
