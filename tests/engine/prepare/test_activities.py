"""Whose activities count for a record: `activities_count` says it for opportunities."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.records import Activity, ActivityLink, ContactRole, Lead, Opportunity, Record, Stream

from .judged import AS_OF, outcomes, sound, stored

RULES = """\
pack: {name: acme, activities_count: %s}
facts:
  calls: {count: activities}
  lead_calls: {count: activities, for: lead}
rules:
  called: {flag_when: {calls: 1}, severity: info, message: Called.}
  lead-called: {for: lead, flag_when: {lead_calls: 1}, severity: info, message: Called.}
"""


@pytest.mark.parametrize(("counted", "called"), [("direct", {}), ("contacts", {"opp": "flagged"})])
def test_what_concerned_the_contact_of_a_lead_always_counts_for_the_lead(
    tmp_path: Path, counted: str, called: dict[str, str]
) -> None:
    pack = sound(tmp_path, RULES % counted)
    records: dict[Stream, list[Record]] = {
        Stream.OPPORTUNITIES: [Opportunity("opp", AS_OF)],
        Stream.CONTACT_ROLES: [ContactRole("role", AS_OF, "opp", "con")],
        Stream.LEADS: [Lead("lead", AS_OF, contact="con")],
        Stream.ACTIVITIES: [
            Activity("call", AS_OF, happened_at=AS_OF),
            ActivityLink("contact", "con", "call"),
        ],
    }
    with Cache.open(":memory:") as cache:
        said = stored(cache, records)
        assert outcomes(cache, pack, said, "called") == called
        assert outcomes(cache, pack, said, "lead-called", "lead") == {"lead": "flagged"}
