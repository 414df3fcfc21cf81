"""Changes of the pack's own fields: histories call them by the CRM's name, rules by the pack's."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.records import FieldChange, Opportunity, Record, Stage, StageChange, Stream

from .judged import AS_OF, outcomes, sound, stored

PACK = """\
fields:
  go_live: {type: date, from: {files: Go_Live__c}}
facts:
  go_live_pushes: {count: field_changes, where: {field: go_live, new: {after: {field: old}}}}
rules:
  go-live-moves: {flag_when: {go_live_pushes: {at_least: 1}}, severity: info, message: Moved.}
"""


def change(record: str, field: str, old: str, new: str) -> FieldChange:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    return FieldChange(f"{record}-{field}", "opportunity", record, field, old, new, at)


def test_a_change_of_a_mapped_field_is_found_by_the_packs_name(tmp_path: Path) -> None:
    pack = sound(tmp_path, PACK)
    deals = [
        Opportunity(name, AS_OF, stage="early", created_at=AS_OF) for name in ("pushed", "pulled", "other")
    ]
    changes = [
        change("pushed", "custom.Go_Live__c", "2026-12-01", "2027-01-01"),
        change("pulled", "custom.Go_Live__c", "2027-01-01", "2026-12-01"),
        change("other", "custom.Renewal__c", "2026-12-01", "2027-01-01"),
    ]
    with Cache.open(":memory:") as cache:
        records: dict[Stream, list[Record]] = {
            Stream.OPPORTUNITIES: [*deals],
            Stream.FIELD_CHANGES: [*changes],
        }
        said = stored(cache, records, {Stream.OPPORTUNITIES: ["Go_Live__c"]})
        assert outcomes(cache, pack, said, "go-live-moves") == {"pushed": "flagged"}


DERIVED = """\
rules:
  closed-late: {flag_when: {closed_at: {on: 2026-11-09}}, severity: info, message: Closed.}
  entered: {flag_when: {stage_entered_at: {on: 2026-11-05}}, severity: info, message: Entered.}
  likely: {flag_when: {stage_probability: 60}, severity: info, message: Likely.}
"""


def move(record: str, stage: str, day: int) -> StageChange:
    return StageChange(f"{record}-{day}", record, None, stage, datetime(2026, 11, day, 12, tzinfo=UTC))


ABSENT = frozenset({"closed_at", "stage_entered_at", "stage_probability"})


@pytest.mark.parametrize("absent", [ABSENT, frozenset[str]()], ids=["for no record", "for these records"])
def test_what_a_record_does_not_carry_is_read_from_its_stages(tmp_path: Path, absent: frozenset[str]) -> None:
    """rules.md §4.3a: closing, entry into the stage and its probability have other sources."""
    pack = sound(tmp_path, DERIVED)
    records: dict[Stream, list[Record]] = {
        Stream.STAGES: [
            Stage("late", "", probability=Decimal(60)),
            Stage("won", "", probability=Decimal(100)),
        ],
        Stream.OPPORTUNITIES: [
            Opportunity("open", AS_OF, stage="late"),
            Opportunity("done", AS_OF, stage="won"),
        ],
        Stream.STAGE_CHANGES: [
            move("open", "won", 2),
            move("open", "late", 5),
            move("done", "late", 5),
            move("done", "won", 9),
        ],
    }
    with Cache.open(":memory:") as cache:
        said = stored(cache, records, without={Stream.OPPORTUNITIES: absent})
        assert outcomes(cache, pack, said, "closed-late") == {"open": "could_not_check", "done": "flagged"}
        assert outcomes(cache, pack, said, "entered") == {"open": "flagged"}
        assert outcomes(cache, pack, said, "likely") == {"open": "flagged"}
