"""Grace, waivers, hiding and new packs, run after run: what is recorded, since when, and what is new."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipelint.engine.check import check
from pipelint.engine.explain import explain_record
from pipelint.engine.finding import Finding
from pipelint.engine.selection import Choice, Selection
from pipelint.engine.try_rule import try_rule

from .conftest import RULES, Acme

GRACE = RULES.replace("    severity: error\n", "    severity: error\n    grace: 3 days\n")
HIDES = "    severity: error\n    hides: [next-step-missing]\n"


def waived(until: str = "2026-11-23", reason: str = "Priced next week") -> str:
    return f"""{RULES}
waivers:
  - rules: [amount-missing]
    opportunities: [d1]
    reason: {reason}
    approved_by: Ann Roe
    until: {until}
"""


def findings(acme: Acme, *, new: bool = False) -> dict[str, Finding]:
    """What `check` says of d1, by rule."""
    with acme.project.cache() as cache:
        result = check(cache, acme.project, acme.crm.now)
        choice = Choice(Selection(acme.project, new=new), cache)
    return {each.rule: each for each in result.findings if choice.wants(each) and each.id == "d1"}


def statuses(acme: Acme, *, new: bool = False) -> dict[str, str]:
    return {rule: each.status for rule, each in findings(acme, new=new).items()}


def test_a_rule_in_its_time_of_grace_hides_nothing(acme: Acme) -> None:
    acme.pack(GRACE.replace("    severity: error\n", HIDES))
    acme.crm.deal("d1", amount=None, next_step=None)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("next-step-missing",)
    assert statuses(acme) == {"next-step-missing": "flagged"}
    acme.crm.advance(days=3)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("amount-missing",)
    assert statuses(acme) == {"amount-missing": "flagged", "next-step-missing": "hidden"}
    assert acme.events("rule", "event", "day") == [
        ("amount-missing", "pending", "2026-11-20"),
        ("next-step-missing", "flagged", "2026-11-20"),
        ("amount-missing", "flagged", "2026-11-23"),
        ("next-step-missing", "hidden", "2026-11-23"),
    ]


def test_every_command_says_the_same_of_a_rule_in_its_time_of_grace(acme: Acme) -> None:
    acme.pack(GRACE)
    acme.crm.deal("d1", amount=None)
    assert acme.run().flagged == 0
    acme.crm.advance(days=1)
    with acme.project.cache() as cache:
        checked = check(cache, acme.project, acme.crm.now)
        assert (checked.findings, checked.in_grace) == ([], 1)
        [explained] = explain_record(cache, acme.project, "d1", None).rules
        assert (explained.status, explained.due) == ("pending", date(2026, 11, 23))
        tried = try_rule(cache, acme.project, "amount-missing", acme.crm.now)
        assert (len(tried.having("flagged")), len(tried.having("pending"))) == (0, 1)


def test_a_waiver_pauses_a_flag_and_does_not_end_it(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=1)
    acme.pack(waived())
    acme.run()
    assert acme.crm.shows("d1")["pipelint_severity"] == "clean"
    acme.crm.advance(days=3)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 20)
    assert acme.events("event", "day") == [
        ("flagged", "2026-11-20"),
        ("waived", "2026-11-21"),
        ("flagged", "2026-11-24"),
    ]
    assert '"waiver":{"reason":"Priced next week","approved_by":"Ann Roe","until":"2026-11-23"}' in str(
        acme.events("evidence")[1]
    )


def test_a_flag_that_was_waived_from_the_start_counts_from_then(acme: Acme) -> None:
    acme.pack(waived())
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=4)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 20)


def test_one_waiver_in_the_place_of_another_is_recorded(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    for pack in (waived(), waived("2026-12-01"), waived("2026-12-01", "They want a discount")):
        acme.pack(pack)
        acme.run()
        acme.run()
    assert acme.events("event") == [("waived",)] * 3


def test_a_hidden_flag_returns_since_its_first_day(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None)
    acme.pack(RULES.replace("    severity: error\n", HIDES))
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=Decimal(5))
    acme.run()
    told = [(event, day) for rule, event, day in acme.events("rule", "event", "day") if "next" in str(rule)]
    assert told == [("flagged", "2026-11-20"), ("hidden", "2026-11-21"), ("flagged", "2026-11-22")]
    assert '"hidden_by":"amount-missing"' in str(acme.events("evidence"))
    assert findings(acme)["next-step-missing"].since == date(2026, 11, 20)


@pytest.mark.parametrize("what", ["hidden", "waived"])
def test_what_is_cured_while_it_is_set_aside_has_ended(acme: Acme, what: str) -> None:
    acme.pack(waived() if what == "waived" else RULES.replace("    severity: error\n", HIDES))
    acme.crm.deal("d1", amount=None, next_step=None)
    acme.run()
    acme.crm.deal("d1", amount=Decimal(1), next_step="call")
    acme.run()
    acme.crm.advance(days=9)
    acme.crm.deal("d1", amount=None, next_step=None)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 29)


def test_new_is_what_is_not_as_it_was_recorded(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None)
    acme.run(dry_run=True)
    assert statuses(acme, new=True) == {"next-step-missing": "flagged"}, "nothing is recorded yet"
    acme.run()
    assert statuses(acme, new=True) == {}
    acme.crm.deal("d1", amount=None, close_date=None)
    acme.run(dry_run=True)
    assert statuses(acme, new=True) == {"amount-missing": "flagged", "close-date-past": "could_not_check"}
    acme.run()
    assert statuses(acme, new=True) == {}
    acme.pack(waived())
    assert statuses(acme, new=True) == {"amount-missing": "waived"}
    acme.run()
    assert statuses(acme, new=True) == {}
    acme.crm.advance(days=4)
    assert statuses(acme, new=True) == {"amount-missing": "flagged"}, "the waiver has ended"


def test_a_flag_that_was_not_synced_for_a_while_is_not_new(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None)
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.withheld = {"next_step"}
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.withheld = set()
    acme.run(dry_run=True)
    assert statuses(acme, new=True) == {}


def renamed(rules: str) -> str:
    return rules.replace("  amount-missing:\n", "  no-amount:\n    formerly: amount-missing\n").replace(
        "[amount-missing]", "[no-amount]"
    )


def test_check_knows_a_renamed_rule_before_a_run_has_recorded_it(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=2)
    acme.pack(renamed(RULES))
    assert findings(acme)["no-amount"].since == date(2026, 11, 20)
    assert statuses(acme, new=True) == {}


def test_a_renamed_rule_goes_on_with_its_time_of_grace(acme: Acme) -> None:
    acme.pack(GRACE)
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=2)
    acme.pack(renamed(GRACE))
    acme.setup()
    acme.run()
    acme.crm.advance(days=1)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("no-amount",)
    assert acme.events("rule", "event", "day") == [
        ("amount-missing", "pending", "2026-11-20"),
        ("amount-missing", "renamed", "2026-11-22"),
        ("no-amount", "pending", "2026-11-20"),
        ("no-amount", "flagged", "2026-11-23"),
    ]


def test_a_renamed_rule_goes_on_where_it_was_waived(acme: Acme) -> None:
    acme.pack(waived())
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=2)
    acme.pack(renamed(waived()))
    acme.run()
    acme.crm.advance(days=2)
    acme.setup()
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 20)


def test_a_flag_cured_together_with_the_new_name_is_resolved(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.deal("d1", amount=Decimal(1))
    acme.pack(renamed(RULES))
    acme.run()
    assert acme.events("rule", "event")[1:] == [
        ("amount-missing", "renamed"),
        ("no-amount", "flagged"),
        ("no-amount", "resolved"),
    ]


def test_two_rules_that_become_one_keep_the_earlier_day(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=2)
    acme.crm.deal("d1", next_step=None)
    acme.run()
    [removed] = [part for part in RULES.split("  close-date-past")[:1] if "amount-missing" in part]
    one = RULES.replace(removed, "pipelint: 1\nrules:\n").replace(
        "  next-step-missing:\n", "  next-step-missing:\n    formerly: amount-missing\n"
    )
    acme.pack(one)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 20)


@pytest.mark.parametrize("change", ["removed", "status: off", "status: retired"])
def test_a_rule_that_is_gone_resolves_what_it_flagged_also_where_it_was_waived(
    acme: Acme, change: str
) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.deal("d2", amount=None)
    acme.pack(waived())
    acme.run()
    rule = RULES[RULES.index("  amount-missing") : RULES.index("  close-date-past")]
    new = (
        ""
        if change == "removed"
        else rule.replace("    severity: error\n", f"    severity: error\n    {change}\n")
    )
    acme.pack(RULES.replace(rule, new))
    acme.run()
    assert acme.events("record", "event") == [
        ("d1", "waived"),
        ("d2", "flagged"),
        ("d1", "resolved"),
        ("d2", "resolved"),
    ]
    assert acme.crm.shows("d2")["pipelint_severity"] == "clean"


def notices(acme: Acme) -> list[str]:
    with acme.project.cache() as cache:
        return [notice.what for notice in check(cache, acme.project, acme.crm.now).notices]


IDLE = "for 30 days there was nothing that this waiver waived"


def test_a_waiver_that_waives_nothing_for_30_days_is_told(acme: Acme) -> None:
    acme.crm.deal("d1")
    acme.pack(waived("2027-06-01"))
    told = {}
    for day in range(0, 50, 10):
        acme.run()
        told[day] = notices(acme)
        acme.crm.advance(days=10)
    assert told == {0: [], 10: [], 20: [], 30: [IDLE], 40: [IDLE]}


def test_the_30_days_begin_when_the_waiver_last_waived_something(acme: Acme) -> None:
    acme.pack(waived("2027-06-01"))
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=40)
    acme.run()
    assert notices(acme) == [], "it waives a flag all the time"
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    acme.crm.advance(days=29)
    acme.run()
    assert notices(acme) == []
    acme.crm.advance(days=2)
    assert notices(acme) == [], "no run has looked since"
    acme.run()
    assert notices(acme) == [IDLE]


def test_a_waiver_is_not_taken_for_one_of_another_record_or_an_older_one(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.deal("d2")
    other = waived("2027-06-01").partition("waivers:\n")[2].replace("[d1]", "[d2]")
    acme.pack(waived("2027-06-01"))
    acme.run()
    acme.crm.advance(days=20)
    acme.pack(waived("2027-06-01") + other)
    acme.run()
    acme.crm.advance(days=20)
    acme.pack(waived("2027-07-01") + other)
    acme.run()
    assert notices(acme) == [], "the second is 20 days old"
    acme.crm.advance(days=10)
    acme.run()
    assert notices(acme) == [IDLE], "and now 30; the first waives d1"


REQUIRED = "{open: {from: {acme: open}, required: [amount, need]}"


def test_a_flag_ends_though_data_is_lacking_that_was_lacking_when_it_came(acme: Acme) -> None:
    pack = acme.folder / "rules" / "pack.yaml"
    text = pack.read_text(encoding="utf-8").replace("{open: {from: {acme: open}}", REQUIRED)
    pack.write_text(text, encoding="utf-8")  # nobody maps 'need' on this connection
    acme.pack("pipelint: 1\n")
    acme.setup()
    for amount in (None, Decimal(5), None):
        acme.crm.deal("d1", amount=amount)
        acme.run()
        acme.crm.advance(days=1)
    assert acme.events("rule", "event", "day") == [
        ("stage-required", "flagged", "2026-11-20"),
        ("stage-required", "resolved", "2026-11-21"),
        ("stage-required", "flagged", "2026-11-22"),
    ]
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 22)


def test_a_flag_stays_where_its_own_data_is_lost(acme: Acme) -> None:
    pack = acme.folder / "rules" / "pack.yaml"
    text = pack.read_text(encoding="utf-8").replace("{open: {from: {acme: open}}", REQUIRED)
    pack.write_text(text, encoding="utf-8")
    acme.pack("pipelint: 1\n")
    acme.setup()
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.withheld = {"amount"}
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.withheld = set()
    acme.run()
    assert acme.events("rule", "event", "day") == [("stage-required", "flagged", "2026-11-20")]
