"""A person puts the flags of a record aside in the CRM, for 30 days at most and with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipelint.config.problems import Problems
from pipelint.connectors.base import FieldInfo
from pipelint.engine.check import check
from pipelint.engine.explain import explain_record
from pipelint.engine.rule_tests import run_tests
from pipelint.engine.tally import Tally
from pipelint.render.explain import render
from pipelint.render.waivers import waivers_table
from pipelint.rules.load import load_tests

from .conftest import PACK, RULES, Acme
from .fake_crm import START
from .test_causes import history

FIELDS = """
crm_fields:
  snooze_until: {acme: Snooze_Until__c}
  snooze_reason: {acme: Snooze_Reason__c}
"""
REASON = "They decide after the holidays"


@pytest.fixture
def snoozing(acme: Acme) -> Acme:
    """A project whose CRM has the two fields."""
    acme.pack(RULES + FIELDS)
    acme.crm.custom = {
        "Snooze_Until__c": FieldInfo("Snooze_Until__c", "Snooze until", "date", custom=True),
        "Snooze_Reason__c": FieldInfo("Snooze_Reason__c", "Snooze reason", "text", custom=True),
    }
    return acme


def snooze(acme: Acme, days: int | None, reason: str | None = REASON, **values: object) -> None:
    """Edit d1 in the CRM: snoozed until so many days from now."""
    until = None if days is None else acme.crm.now.date() + timedelta(days=days)
    acme.crm.deal("d1", custom={"Snooze_Until__c": until, "Snooze_Reason__c": reason}, **values)


def waived_until(acme: Acme) -> date | None:
    """Until when what d1 has is waived, as check says."""
    with acme.project.cache() as cache:
        [found] = [each for each in check(cache, acme.project, acme.crm.now).findings if each.id == "d1"]
    assert (found.waiver is None) == (found.status == "flagged")
    return found.waiver.until if found.waiver else None


def day(days: int) -> date:
    return START.date() + timedelta(days=days)


def test_a_snooze_waives_all_flags_of_its_record_until_its_day_has_passed(snoozing: Acme) -> None:
    acme = snoozing
    acme.crm.deal("d1", amount=None, next_step=None)
    acme.run()
    acme.crm.advance(days=1)
    snooze(acme, 5)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_severity"] == "clean"
    acme.crm.advance(days=5)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_severity"] == "clean", "its day is its last"
    acme.crm.advance(days=1)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("amount-missing", "next-step-missing")
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == START.date()
    assert history(acme, "amount-missing")[1:] == [
        ("waived", f"snoozed in the CRM until 26 Nov 2026: {REASON}"),
        ("flagged", "its snooze ended on 26 Nov 2026"),
    ]


def test_the_fields_of_a_snooze_are_never_written(snoozing: Acme) -> None:
    snooze(snoozing, 5, amount=None)
    snoozing.run()
    snoozing.crm.advance(days=9)
    snoozing.run()
    assert snoozing.crm.writes
    assert not [name for _, values in snoozing.crm.writes for name in values if "nooze" in name]


def test_a_far_day_counts_as_30_days_from_when_it_was_set(snoozing: Acme) -> None:
    acme = snoozing
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=10)
    snooze(acme, 400)
    acme.run()
    assert waived_until(acme) == day(40)
    acme.crm.advance(days=20)
    acme.crm.deal("d1", name="Edited, and not snoozed again")
    acme.run()
    assert waived_until(acme) == day(40)
    acme.crm.advance(days=11)
    acme.run()
    assert waived_until(acme) is None


def test_a_day_that_was_there_before_us_counts_from_our_first_look(snoozing: Acme) -> None:
    acme = snoozing
    snooze(acme, 400, amount=None)
    acme.run()
    assert waived_until(acme) == day(30)
    acme.crm.advance(days=31)
    acme.run()
    assert waived_until(acme) is None


def test_a_record_that_comes_with_its_snooze_counts_from_its_creation(snoozing: Acme) -> None:
    acme = snoozing
    acme.run()
    acme.crm.advance(days=7)
    snooze(acme, 400, amount=None, created_at=acme.crm.now)
    acme.run()
    assert waived_until(acme) == day(37)


def test_a_field_that_is_mapped_later_counts_from_its_first_pull(snoozing: Acme) -> None:
    acme = snoozing
    acme.pack(RULES)
    snooze(acme, 400, amount=None)
    acme.run()
    acme.crm.advance(days=50)
    acme.pack(RULES + FIELDS)
    acme.run()
    assert waived_until(acme) == day(80)


def test_who_sets_another_day_snoozes_again(snoozing: Acme) -> None:
    acme = snoozing
    acme.crm.deal("d1", amount=None)
    acme.run()
    for _ in range(2):
        snooze(acme, 400)
        acme.crm.advance(days=20)
        acme.run()
    assert waived_until(acme) is not None
    snooze(acme, None)
    acme.run()
    assert waived_until(acme) is None


@pytest.mark.parametrize("reason", [None, "  ", "n/a"])
def test_a_day_without_a_reason_waives_nothing_and_is_told(snoozing: Acme, reason: str | None) -> None:
    acme = snoozing
    pack = PACK.replace("show_at_most: 2", "show_at_most: 2, blank_words: [n/a]")
    (acme.folder / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    snooze(acme, 5, reason, amount=None)
    acme.run()
    assert waived_until(acme) is None
    with acme.project.cache() as cache:
        [told] = check(cache, acme.project, acme.crm.now).notices
    assert told.what == "a day to snooze until, but no reason, so nothing is waived: Deal d1"
    assert told.place.file == "rules/rules.yaml"


def test_neither_field_is_of_use_without_the_other(acme: Acme) -> None:
    (acme.folder / "rules" / "rules.yaml").write_text(
        RULES + FIELDS.replace("  snooze_reason: {acme: Snooze_Reason__c}\n", ""), encoding="utf-8"
    )
    problems = Problems()
    load_tests(acme.folder / "rules", "rules", problems, ("acme",))
    [problem] = problems.found
    assert problem.what == "'snooze_until' is of no use without 'snooze_reason'"
    assert problem.hint == (
        "name the field for 'snooze_reason', too: a date and a reason together snooze a record"
    )


def test_explain_says_that_a_record_is_snoozed(snoozing: Acme) -> None:
    snooze(snoozing, 5, amount=None)
    snoozing.run()
    with snoozing.project.cache() as cache:
        text = render(explain_record(cache, snoozing.project, "d1", None), "text", color=False)
    assert f"snoozed until 25 Nov 2026 in the CRM: {REASON}" in text
    assert "amount-missing   WAIVED (error, since 20 Nov 2026)" in text


@pytest.mark.parametrize(("who", "told"), [("", "snoozed in the CRM"), ("Kim Doe", "snoozed by Kim Doe")])
def test_check_says_that_it_is_a_snooze_and_whose(snoozing: Acme, who: str, told: str) -> None:
    snooze(snoozing, 5, amount=None)
    snoozing.run()
    with snoozing.project.cache() as cache:
        [found] = [
            each for each in check(cache, snoozing.project, snoozing.crm.now).findings if each.id == "d1"
        ]
    assert found.waiver is not None
    tally = Tally()
    tally.take(replace(found, waiver=replace(found.waiver, approved_by=who)))
    told_once = " ".join(waivers_table(tally.waived, color=False).split())  # it wraps where the terminal ends
    assert f"{REASON} ({told})" in told_once


def test_rule_tests_can_snooze(acme: Acme) -> None:
    tests = """
tests:
  - name: A snoozed opportunity is still flagged in a test, as waived
    as_of: 2026-11-20 10:00
    opportunity: {stage: open, snooze_until: 2026-11-25, snooze_reason: They are away}
    expect: {flags: [amount-missing]}
"""
    (acme.folder / "rules" / "rules.yaml").write_text(RULES + FIELDS + tests, encoding="utf-8")
    problems = Problems()
    pack, cases = load_tests(acme.folder / "rules", "rules", problems, ("acme",))
    assert not problems.found
    assert pack is not None
    assert not run_tests(pack, cases).failures
