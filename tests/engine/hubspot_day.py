"""A day of one HubSpot account and one project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipelint.sandbox.hubspot import HubSpotSandbox

from .day import Day

OURS = ("pipelint_flags", "pipelint_severity", "pipelint_summary", "pipelint_hygiene")


class HubSpotDay(Day[HubSpotSandbox]):
    """One account and one project, run again and again."""

    @property
    def deals(self) -> list[str]:
        return self.sandbox.portal.ids("deals")

    def crm(self) -> Mapping[str, Mapping[str, object]]:
        portal = self.sandbox.portal
        return {deal: {name: portal.get("deals", deal)[name] for name in OURS} for deal in self.deals}


def count_writes(day: HubSpotDay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is really written, whether or not the answer arrives."""
    writer = day.sandbox.portal.writer
    update = writer.update

    def counted(kind: Any, record: int, given: Mapping[str, object], source: Any, **options: Any) -> Any:
        changed = update(kind, record, given, source, **options)
        if any(name.startswith("pipelint_") for name in given):
            day.writes[str(record)] += 1
        return changed

    monkeypatch.setattr(writer, "update", counted)
