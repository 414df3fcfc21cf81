"""Waivers: findings that somebody answers for until a day (rules.md §4.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipelint.errors import Place
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.conditions import Condition


@dataclass(frozen=True, slots=True)
class Waiver:
    """Rules, or items of rules, that are waived for the records named or for those that meet a condition.

    `records` are as people write them, each with its place; `until` is the last day on which it holds.
    """

    rules: tuple[str, ...]
    kinds: tuple[RecordKind, ...]
    reason: str
    approved_by: str
    until: date
    place: Place
    records: tuple[tuple[str, Place], ...] = ()
    when: Mapping[RecordKind, Condition] = field(default_factory=dict)
    snoozed: bool = False
    """Set in the CRM by a person, who is not always known, for all flags of one record."""

    def covers(self, rule: str, check: str) -> bool:
        """Whether it waives this rule, or this item of it, written `rule/item`."""
        return rule in self.rules or check in self.rules
