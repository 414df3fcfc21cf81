"""`explain` says since when, and whether the record, the rules or the day made the difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from pipelint.engine.explain import explain_record
from pipelint.records import Activity
from pipelint.render.explain import render

from .conftest import RULES, Acme
from .fake_crm import START
from .test_recording import GRACE, HIDES, waived


def history(acme: Acme, rule: str, record: str = "d1") -> list[tuple[str, str]]:
    """Each event of a rule and its causes."""
    with acme.project.cache() as cache:
        [explained] = explain_record(cache, acme.project, record, rule).rules
    return [(each.event, "; ".join(cause.text for cause in each.causes)) for each in explained.history]


def whys(acme: Acme, rule: str) -> list[tuple[str, ...]]:
    with acme.project.cache() as cache:
        [explained] = explain_record(cache, acme.project, "d1", rule).rules
    return [tuple(cause.why for cause in each.causes) for each in explained.history]


def test_the_record_changed(acme: Acme) -> None:
    acme.crm.deal("d1")
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", close_date=date(2026, 11, 20))
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", close_date=date(2026, 12, 24))
    acme.run()
    assert history(acme, "close-date-past") == [
        ("flagged", "the record changed: close_date 1 Jun 2027 → 20 Nov 2026"),
        ("resolved", "the record changed: close_date 20 Nov 2026 → 24 Dec 2026"),
    ]


def test_each_cause_is_that_of_its_own_run(acme: Acme) -> None:
    """Changes of other days, and of fields that the rule does not read, are not told."""
    acme.crm.deal("d1")
    acme.run()
    for amount in (None, Decimal(5), None):
        acme.crm.advance(days=1)
        acme.crm.deal("d1", amount=amount, next_step=f"call about {amount}")
        acme.run()
    assert history(acme, "amount-missing") == [
        ("flagged", "the record changed: amount 1,000 → (blank)"),
        ("resolved", "the record changed: amount (blank) → 5"),
        ("flagged", "the record changed: amount 5 → (blank)"),
    ]


def test_changes_that_cancel_out_between_two_runs_are_no_cause(acme: Acme) -> None:
    acme.crm.deal("d1", close_date=START.date())
    acme.run()
    for day in (date(2027, 1, 1), START.date()):
        acme.crm.advance(hours=1)
        acme.crm.deal("d1", close_date=day)
        acme.pull()
    acme.crm.advance(days=1)
    acme.run()
    assert whys(acme, "close-date-past") == [("time",)]


def test_the_day_moved_on(acme: Acme) -> None:
    acme.crm.deal("d1", close_date=START.date() + timedelta(days=1))
    for _ in range(2):
        acme.run()
        acme.crm.advance(days=2)
    acme.crm.advance(days=7)
    acme.run()
    assert history(acme, "close-date-past") == [
        ("flagged", "time passed: close_date 21 Nov 2026 is before today"),
        ("severity", "time passed: close_date 21 Nov 2026 is before today"),
    ]


def test_the_rules_changed(acme: Acme) -> None:
    acme.crm.deal("d1", amount=Decimal(5))
    acme.run()
    before = acme.project.pack.hash[:8]
    acme.pack(RULES.replace("{amount: blank}", "{amount: {less_than: 10}}"))
    acme.run()
    after = acme.project.pack.hash[:8]
    assert history(acme, "amount-missing") == [("flagged", f"the rules changed (pack {before} → {after})")]


def test_both_changed(acme: Acme) -> None:
    acme.crm.deal("d1")
    acme.run()
    acme.crm.deal("d1", amount=Decimal(5))
    acme.pack(RULES.replace("{amount: blank}", "{amount: {less_than: 10}}"))
    acme.run()
    assert whys(acme, "amount-missing") == [("record", "rules")]


def test_the_rules_changed_or_time_passed(acme: Acme) -> None:
    """Nobody can tell which of the two without the old rules, and nothing else is claimed."""
    acme.crm.deal("d1", close_date=START.date())
    acme.run()
    acme.crm.advance(days=1)
    acme.pack(RULES.replace("title: The amount is missing", "title: No amount"))
    acme.run()
    assert whys(acme, "close-date-past") == [("rules", "time")]


def test_the_first_run_finds_what_was_there(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    assert history(acme, "amount-missing") == [("flagged", "it was so when pipelint first looked")]


def test_a_new_record(acme: Acme) -> None:
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=None, created_at=acme.crm.now)
    acme.crm.advance(minutes=1)
    acme.run()
    assert history(acme, "amount-missing") == [("flagged", "the record is new")]


def test_what_belongs_to_the_record_changed(acme: Acme) -> None:
    acme.pack(
        RULES.replace("flag_when: {next_step: blank}", "flag_when: {recent_activities: {less_than: 1}}")
    )
    acme.crm.deal("d1")
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.activities["x"] = (
        Activity("x", acme.crm.now, "call", happened_at=acme.crm.now),
        "d1",
    )
    acme.crm.advance(minutes=1)
    acme.run()
    acme.crm.advance(days=40)
    acme.run()
    assert history(acme, "next-step-missing")[1:] == [
        ("resolved", "what belongs to the record changed: activities"),
        ("flagged", "time passed: recent_activities 0 is less than 1"),
    ]


def test_the_owner_and_the_stage_have_their_names(acme: Acme) -> None:
    acme.pack(RULES.replace("{next_step: blank}", "{owner.name: Ann Roe}"))
    acme.crm.deal("d1")
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", owner="u2")
    acme.run()
    assert history(acme, "next-step-missing") == [("flagged", "the record changed: owner Kim Doe → Ann Roe")]


def test_a_waiver_and_its_end(acme: Acme) -> None:
    acme.pack(waived())
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=4)
    acme.run()
    assert history(acme, "amount-missing") == [
        ("waived", "until 23 Nov 2026: Priced next week"),
        ("flagged", "its waiver ended on 23 Nov 2026"),
    ]


def test_hiding_and_its_end(acme: Acme) -> None:
    acme.pack(RULES.replace("    severity: error\n", HIDES))
    acme.crm.deal("d1", amount=None, next_step=None)
    acme.run()
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    assert history(acme, "next-step-missing") == [
        ("hidden", "by amount-missing"),
        ("flagged", "amount-missing hides it no more"),
    ]


def test_grace_and_its_end(acme: Acme) -> None:
    acme.pack(GRACE)
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=3)
    acme.run()
    assert history(acme, "amount-missing")[1] == (
        "flagged",
        "its time of grace is over; it was first seen on 20 Nov 2026",
    )


def test_a_push_without_a_pull_is_no_change_of_the_record(acme: Acme) -> None:
    acme.crm.deal("d1")
    acme.run()
    acme.crm.advance(minutes=1)
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.pack(RULES.replace("{amount: blank}", "{amount: 77}"))
    acme.push()
    assert whys(acme, "amount-missing") == [("record",), ("rules",)]


def test_the_text_of_explain(acme: Acme, snapshot: Callable[..., None]) -> None:
    acme.pack(GRACE)
    acme.crm.deal("d1")
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=None, close_date=date(2026, 11, 20))
    acme.run()
    with acme.project.cache() as cache:
        snapshot(render(explain_record(cache, acme.project, "d1", None), "text", color=False), "grace")
    acme.crm.advance(days=10)
    acme.run()
    acme.crm.deal("d1", amount=Decimal(7))
    acme.run()
    with acme.project.cache() as cache:
        snapshot(render(explain_record(cache, acme.project, "d1", None), "text", color=False), "record")
        snapshot(
            render(explain_record(cache, acme.project, "d1", "amount-missing"), "text", color=False), "rule"
        )
