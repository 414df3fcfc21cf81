"""The names that a condition may use in one place: fields, facts, scores, and named conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipelint.config.nodes import Node
from pipelint.rules.calendar import Calendar
from pipelint.rules.fields import Field


@dataclass(slots=True)
class Scope:
    """What is known where a condition stands; `used` collects the fields that were looked up."""

    label: str
    fields: Mapping[str, Field]
    calendar: Calendar = field(default_factory=Calendar)
    conditions: Mapping[str, Node] = field(default_factory=dict)
    settings: Mapping[str, Node] = field(default_factory=dict)
    outer: Mapping[str, Field] = field(default_factory=dict)
    """Inside `where`: the fields of the record the rows belong to, reached as `record.x`."""
    used_settings: set[str] = field(default_factory=set)
    used_conditions: set[str] = field(default_factory=set)
    broken: frozenset[str] = frozenset()
    """Facts whose own mistakes were reported: using them is no second mistake."""

    def find(self, name: str) -> Field | None:
        if name.startswith("record.") and self.outer:
            inner = self.outer.get(name.removeprefix("record."))
            return None if inner is None else _of_record(inner)
        return self.fields.get(name)

    def names(self) -> Iterable[str]:
        yield from self.fields
        for name in self.outer:
            yield f"record.{name}"

    def for_rule(self) -> Scope:
        """The same names for one rule, whose used settings are noted apart."""
        return replace(self, used_settings=set())

    def with_settings(self, settings: Mapping[str, Node]) -> Scope:
        """The same names under other settings; what is used is noted in the same place."""
        return Scope(
            self.label,
            self.fields,
            self.calendar,
            self.conditions,
            settings,
            self.outer,
            self.used_settings,
            self.used_conditions,
            self.broken,
        )


def _of_record(inner: Field) -> Field:
    return Field(
        f"record.{inner.name}",
        inner.type,
        inner.about,
        inner.origin,
        inner.source,
        inner.values,
        f"record.{inner.marker}" if inner.marker else "",
    )
