"""The administrator's own rules: for values, for properties that others require, for stages, and workflows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelint.sandbox.hubspot.errors import Invalid
from pipelint.sandbox.hubspot.values import Row, Value


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A rule for the values of one property, enforced in every version of the API."""

    property: str
    type: str
    arguments: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "ruleType": self.type,
            "ruleArguments": list(self.arguments),
            "shouldApplyNormalization": False,
        }

    def check(self, value: Value) -> None:
        """Refuse a value that breaks the rule."""
        if value is not None and not _CHECKS[self.type](str(value), *self.arguments):
            wanted = ", ".join(self.arguments)
            raise Invalid(
                self.property,
                "FAILED_VALIDATION_RULE",
                f'"{value}" does not meet the validation rule {self.type} ({wanted}) of {self.property}',
            )


_CHECKS: Mapping[str, Callable[..., bool]] = {
    "MIN_NUMBER": lambda value, limit: float(value) >= float(limit),
    "MAX_NUMBER": lambda value, limit: float(value) <= float(limit),
    "MIN_LENGTH": lambda value, limit: len(value) >= int(limit),
    "MAX_LENGTH": lambda value, limit: len(value) <= int(limit),
    "REGEX": lambda value, pattern: re.fullmatch(pattern, value) is not None,
}


@dataclass(frozen=True, slots=True)
class ConditionalRule:
    """When a property has one of these values, others are required; only dated versions enforce it (§1)."""

    property: str
    values: tuple[str, ...]
    required: tuple[str, ...]

    def missing(self, changes: Row, after: Row) -> list[Invalid]:
        """The required properties that a write of the controlling one leaves empty."""
        if self.property not in changes or after.get(self.property) not in self.values:
            return []
        return [
            Invalid(
                name,
                "REQUIRED_PROPERTY",
                f"{name} is required because {self.property} is {after[self.property]}",
            )
            for name in self.required
            if after.get(name) is None
        ]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow; `criteria` says in HubSpot's own form which records it enrols."""

    id: str
    name: str
    object_type: str
    criteria: Mapping[str, Any]
    enabled: bool = True

    def listed(self) -> dict[str, object]:
        """As a list tells it."""
        return {
            "id": self.id,
            "name": self.name,
            "objectTypeId": self.object_type,
            "flowType": "WORKFLOW",
            "isEnabled": self.enabled,
            "revisionId": "1",
        }

    def whole(self) -> dict[str, object]:
        """As it is told by itself."""
        return {
            **self.listed(),
            "type": "PLATFORM_FLOW",
            "actions": [],
            "enrollmentCriteria": dict(self.criteria),
        }


@dataclass(frozen=True, slots=True)
class StageRules:
    """What binds people in some stages of a pipeline, named by their ids."""

    forward_only: tuple[str, ...] = ()
    not_skipped: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    edited_by_some: tuple[str, ...] = ()
