"""What only HubSpot does to the whole job, with the real connector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.provision import setup
from pipelint.errors import ExitCode
from pipelint.sandbox.hubspot.object_types import DEALS
from pipelint.sandbox.hubspot.rules import ValidationRule

from .hubspot_account import Account, an_account


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with an_account(tmp_path) as made:
        yield made


def test_a_flag_without_an_option_is_reported_and_the_rest_of_the_record_is_written(account: Account) -> None:
    properties = account.sandbox.portal.properties[DEALS]
    flags = properties.every["pipelint_flags"]
    kept = tuple(option for option in flags.options if option.value != "amount-missing")
    properties.put(flags, options=kept)
    result = account.run()
    assert result.push is not None
    assert (result.push.written, result.push.refused) == (5, [])
    assert result.plan is not None
    assert result.plan.trouble == [
        "opportunity: amount-missing: not an option of pipelint_flags (run: pipelint setup --apply)"
    ]
    assert account.shows(2) == {
        "severity": "error",
        "summary": "The amount is missing",
        "hygiene": Decimal(80),
    }
    assert account.shows(1)["flags"] == ("close-date-past",)
    list(setup(account.project, apply=True))
    account.run()
    assert account.shows(2)["flags"] == ("amount-missing",)


def test_a_validation_rule_that_refuses_our_value_is_a_finding_with_what_to_do(account: Account) -> None:
    rule = ValidationRule("pipelint_summary", "MAX_LENGTH", ("22",))
    account.sandbox.portal.validation_rules[DEALS].append(rule)
    result = account.run()
    assert result.exit_code is ExitCode.INCOMPLETE
    [refused] = [finding for finding in result.findings if finding.rule == "write-refused"]
    assert refused.id == account.deals[1]
    assert refused.message.endswith(
        "does not meet the validation rule MAX_LENGTH (22) of pipelint_summary: "
        "remove the rule, in Settings > Properties"
    )
    assert account.shows(2)["flags"] == ("amount-missing",), "the others are written"


@pytest.mark.parametrize("hours", [1, 24], ids=["told by the search", "told by the daily list"])
def test_what_hangs_on_merged_deals_hangs_on_the_one_that_came_of_them(account: Account, hours: int) -> None:
    """Their activities and line items keep their stamps, so no search would tell before the next weekly list."""
    portal, (first, second, *_) = account.sandbox.portal, account.deals
    call = portal.create("calls", {"hs_timestamp": "2026-11-20T09:00:00Z", "hs_call_title": "Hello"})
    portal.associate("calls", call, "deals", first)
    item = portal.create("line_items", {"name": "Licence", "quantity": "1", "price": "10"})
    portal.associate("line_items", item, "deals", second)
    account.run()
    account.sandbox.clock.advance(timedelta(hours=hours))
    merged = portal.merge("deals", first, second)
    account.run()
    with closing(Cache.open(account.folder / "cache.db")) as cache:
        query = "SELECT record FROM activity_link WHERE kind = 'opportunity' AND activity = ?"
        assert cache.db.execute(query, (f"calls:{call}",)).fetchall() == [(merged,)]
        assert cache.db.execute("SELECT opportunity FROM line_item").fetchall() == [(merged,)]
        held = {row[0] for row in cache.db.execute("SELECT id FROM opportunity")}
    assert held == {merged, *account.deals[2:]}


@pytest.mark.parametrize("leads_object", [True, False], ids=["the leads object", "contacts"])
def test_what_concerned_the_person_of_a_lead_counts_for_the_lead(
    account: Account, leads_object: bool
) -> None:
    portal = account.sandbox.portal
    portal.leads = leads_object
    lead = person = portal.create("contacts", {"lastname": "Petit", "lifecyclestage": "lead"})
    if leads_object:
        lead = portal.create("leads", {"hs_lead_name": "Petit"})
        portal.associate("leads", lead, "contacts", person)
    call = portal.create("calls", {"hs_timestamp": "2026-11-20T09:00:00Z", "hs_call_title": "Hello"})
    portal.associate("calls", call, "contacts", person)
    account.run()
    with closing(Cache.open(account.folder / "cache.db")) as cache:
        query = "SELECT record, activity FROM activity_link WHERE kind = 'lead'"
        assert cache.db.execute(query).fetchall() == [(lead, f"calls:{call}")]
