"""Our own writing is no human activity and no work; what somebody else did to our fields is put right."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from pipelint.connectors.base import FieldInfo
from pipelint.engine.cache.sqlite import Cache

from .conftest import Acme
from .fake_crm import STAMP

STAMPED = f"""\
pipelint: 1
fields:
  touched: {{type: date_time, from: {{acme: {STAMP}}}}}
  tier: {{type: text, from: {{acme: tier}}}}
rules:
  untouched:
    title: Nobody has touched it
    applies_to: still-open
    flag_when: {{touched: {{older_than: 14 days}}}}
    severity: warning
    message: "Not touched since {{touched}}."
    fix: Say how it goes on.
"""


@pytest.fixture
def stamped(acme: Acme) -> Acme:
    """A pack with a field that holds the stamp of the last modification, and a deal that goes stale."""
    for name in (STAMP, "tier"):
        acme.crm.custom[name] = FieldInfo(name, name, "text", custom=True)
    acme.pack(STAMPED)
    acme.setup()
    acme.crm.deal("d1")
    acme.run()
    return acme


def quarters(acme: Acme, count: int) -> list[str]:
    """Run every quarter of an hour; the records that were written."""
    before = len(acme.crm.writes)
    for _ in range(count):
        acme.run()
        acme.crm.advance(minutes=15)
    return [record for record, _ in acme.crm.writes[before:]]


def test_our_own_writing_does_not_touch_a_record(stamped: Acme) -> None:
    stamped.crm.advance(days=20)
    assert quarters(stamped, 8) == ["d0", "d1"]
    assert stamped.crm.shows("d1")["pipelint_details"] == (
        "untouched (warning): Not touched since 20 Nov 2026.\nSay how it goes on."
    )
    stamped.crm.advance(days=1)
    assert quarters(stamped, 8) == [], "a new day looks at everything, and finds nothing moved"


def test_a_stamp_is_no_change_of_a_field(stamped: Acme) -> None:
    for days in (20, 1, 1):
        stamped.crm.advance(days=days)
        stamped.run()
    stamped.crm.deal("d1", amount=Decimal(2))
    stamped.run()
    with stamped.project.cache() as cache:
        assert cache.db.execute("SELECT field FROM field_change").fetchall() == [("amount",)]


def test_what_a_person_does_after_us_moves_the_stamp(stamped: Acme) -> None:
    stamped.crm.advance(days=20)
    quarters(stamped, 2)
    stamped.crm.deal("d1", amount=Decimal(2))
    assert quarters(stamped, 4) == ["d1"]
    assert stamped.crm.shows("d1")["pipelint_severity"] == "clean"


def test_what_only_moves_the_stamp_is_taken_too(stamped: Acme) -> None:
    stamped.crm.advance(days=20)
    quarters(stamped, 2)
    stamped.crm.deal("d1")
    assert quarters(stamped, 4) == ["d1"]
    assert stamped.crm.shows("d1")["pipelint_severity"] == "clean"


def test_a_value_that_came_with_our_writing_is_taken_with_its_stamp(stamped: Acme) -> None:
    stamped.crm.advance(days=20)
    stamped.run()
    stamped.crm.deal("d1", custom={"tier": "gold"})
    assert quarters(stamped, 4) == ["d1"]
    assert stamped.crm.shows("d1")["pipelint_severity"] == "clean"


def test_a_stamp_that_is_mapped_later_is_taken_as_it_comes(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.custom[STAMP] = FieldInfo(STAMP, STAMP, "text", custom=True)
    acme.pack(STAMPED)
    acme.setup()
    acme.crm.advance(days=20)
    assert quarters(acme, 4) == ["d0", "d1"]


def owed(cache: Cache) -> list[tuple[str, str]]:
    return cache.db.execute("SELECT record, why FROM owed ORDER BY record").fetchall()


@pytest.mark.parametrize("found", ["I know better", None])
def test_our_field_that_somebody_overwrote_is_put_right(acme: Acme, found: str | None) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    before = acme.crm.shows("d1")
    acme.crm.advance(hours=1)
    acme.crm.overwrite("d1", pipelint_summary=found)
    assert quarters(acme, 3) == ["d1"]
    assert acme.crm.shows("d1") == before
    with acme.project.cache() as cache:
        assert owed(cache) == []


def test_in_preview_it_is_planned_and_not_written(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.settings("{mode: preview}")
    acme.crm.advance(hours=1)
    acme.crm.overwrite("d1", pipelint_summary="I know better")
    plan = acme.run().plan
    assert plan is not None
    assert [(change.field, change.old) for change in plan.changes] == [("pipelint_summary", "I know better")]


def test_an_edit_that_leaves_our_fields_alone_costs_one_reading(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(hours=1)
    quiet = acme.run().api_calls
    acme.crm.advance(hours=1)
    acme.crm.deal("d1")
    assert [acme.run().api_calls, acme.run().api_calls] == [quiet + 1, quiet]
    assert len(acme.crm.writes) == 1


def test_our_own_writing_is_not_read_again(acme: Acme) -> None:
    acme.run()
    acme.crm.advance(hours=1)
    quiet = acme.run().api_calls
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(hours=1)
    assert acme.run().api_calls == quiet


def test_a_flag_that_was_overwritten_while_its_field_was_lost_comes_back(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    before = acme.crm.shows("d1")
    acme.crm.withheld = {"amount"}
    acme.crm.advance(hours=1)
    acme.crm.overwrite("d1", pipelint_flags=None)
    acme.run()
    assert acme.crm.shows("d1") == before


def test_the_clocks_may_differ_by_seconds(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.deals["d1"] = acme.crm.deals["d1"]._replace(modified_at=acme.crm.now + timedelta(seconds=40))
    acme.crm.advance(hours=1)
    quiet = acme.run().api_calls
    acme.crm.advance(hours=1)
    assert acme.run().api_calls == quiet
