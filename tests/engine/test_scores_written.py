"""What is written of scores: totals and grades, and of a total that drifts by time alone only the grade's change."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pipelint.records import Activity

from .conftest import RULES, Acme
from .fake_crm import START

SCORE = """
scores:
  deal-quality:
    applies_to: still-open
    categories: {all: {max: 100}}
    points:
      - {name: worth, category: all, points: 20, when: {amount: {at_least: 100}}}
      - {name: calls, category: all, points: 50, for_each: activities, fades_over: 10 days}
    grades: {A: 40, B: 0}
"""


def test_a_fading_total_is_written_again_only_when_its_grade_changes(acme: Acme) -> None:
    acme.pack(RULES + SCORE)
    acme.setup()
    acme.crm.deal("d1", amount=Decimal(100), close_date=START.date() + timedelta(days=90))
    acme.crm.activities["x"] = (Activity("x", START, "call", happened_at=START), "d1")
    shown = {}
    for day in range(9):
        acme.run()
        held = acme.crm.shows("d1")
        shown[day] = (held.get("pipelint_deal_quality"), held.get("pipelint_deal_quality_grade"))
        acme.crm.advance(days=1)
    # 70 on the first day and 5 less each day: below 40 on the seventh day after it.
    assert shown[0] == shown[6] == (Decimal(70), "A")
    assert shown[7] == shown[8] == (Decimal(35), "B")


def test_what_moves_in_the_crm_is_written_and_what_leaves_the_scope_is_cleared(acme: Acme) -> None:
    acme.pack(RULES + SCORE)
    acme.setup()
    acme.crm.deal("d1", amount=Decimal(5), close_date=START.date() + timedelta(days=90))
    acme.run()
    assert acme.crm.shows("d1")["pipelint_deal_quality_grade"] == "B"
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=Decimal(100), close_date=START.date() + timedelta(days=90))
    acme.run()
    assert acme.crm.shows("d1")["pipelint_deal_quality"] == Decimal(20)
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=Decimal(100), stage="won", close_date=START.date() + timedelta(days=90))
    acme.run()
    assert "pipelint_deal_quality" not in acme.crm.shows("d1")
