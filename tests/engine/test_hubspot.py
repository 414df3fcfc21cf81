"""The whole job against the HubSpot sandbox, with the real connector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import setup
from pipelint.engine.run import run
from pipelint.engine.run_result import ConnectionResult
from pipelint.errors import ExitCode
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.object_types import DEALS
from pipelint.sandbox.hubspot.rules import ValidationRule

from .hubspot_account import project_in

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
OURS = ("pipelint_flags", "pipelint_severity", "pipelint_summary", "pipelint_hygiene")


@dataclass
class Account:
    folder: Path
    sandbox: HubSpotSandbox
    deals: list[str]

    @property
    def project(self) -> Project:
        return open_project(self.folder, clock=self.sandbox.clock.now)

    def run(self) -> ConnectionResult:
        self.sandbox.clock.advance(timedelta(minutes=15))
        return run(self.project).connections["acme"]

    def update(self, deal: int, **values: object) -> None:
        self.sandbox.clock.advance(timedelta(minutes=1))
        self.sandbox.portal.update("deals", self.deals[deal], values)

    def shows(self, deal: int) -> dict[str, str]:
        """What a person sees in our properties."""
        values = self.sandbox.portal.get("deals", self.deals[deal])
        return {name: value for name in OURS if (value := values[name])}

    def written(self) -> int:
        return sum(request.path.endswith("/deals/batch/update") for request in self.sandbox.requests)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """Six deals: one healthy, one late, four without an amount."""
    with HubSpotSandbox(size=0, now=NOW) as sandbox:
        deals = [
            sandbox.portal.create(
                "deals",
                {
                    "dealname": f"Deal {n}",
                    "dealstage": "appointmentscheduled",
                    "closedate": f"{'2026-11-01' if n == 1 else '2027-01-31'}T11:00:00Z",
                    **({"amount": "1000"} if n < 2 else {}),
                },
            )
            for n in range(6)
        ]
        project_in(tmp_path, sandbox.base_url, sandbox.token())
        made = Account(tmp_path, sandbox, deals)
        list(setup(made.project, apply=True))
        yield made


def test_flags_arrive_and_a_second_run_writes_nothing(account: Account) -> None:
    first = account.run()
    assert first.push is not None
    assert (first.push.written, first.exit_code) == (5, ExitCode.OK)
    assert account.shows(0) == {}
    assert account.shows(1) == {
        "pipelint_flags": "close-date-past",
        "pipelint_severity": "warning",
        "pipelint_summary": "The close date has passed",
        "pipelint_hygiene": "92",
    }
    before = account.written()
    second = account.run()
    assert second.pulled is not None
    assert second.pulled.stored >= 5, "our own echo comes back with the pull"
    assert second.push is not None
    assert (second.push.written, account.written()) == (0, before)


def test_only_what_moved_is_written(account: Account) -> None:
    account.run()
    account.update(2, amount="500")
    result = account.run()
    assert result.plan is not None
    assert {change.id for change in result.plan.changes} == {account.deals[2]}
    assert account.shows(2) == {"pipelint_severity": "clean", "pipelint_hygiene": "100"}


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
        "pipelint_severity": "error",
        "pipelint_summary": "The amount is missing",
        "pipelint_hygiene": "80",
    }
    assert account.shows(1)["pipelint_flags"] == "close-date-past"
    list(setup(account.project, apply=True))
    account.run()
    assert account.shows(2)["pipelint_flags"] == "amount-missing"


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
    assert account.shows(2)["pipelint_flags"] == "amount-missing", "the others are written"


def test_a_refusal_concerns_its_record_alone_and_is_tried_again_when_that_changed(account: Account) -> None:
    account.sandbox.faults.add(
        "VALIDATION_ERROR", record=account.deals[3], message="Deals need a sponsor.", times=0
    )
    first = account.run()
    assert first.push is not None
    assert (first.push.written, first.exit_code) == (4, ExitCode.INCOMPLETE)
    [refused] = [finding for finding in first.findings if finding.rule == "write-refused"]
    assert refused.id == account.deals[3]
    assert "Deals need a sponsor." in refused.message
    before = account.written()
    assert account.run().exit_code is ExitCode.OK
    assert account.written() == before, "nothing changed, so nothing is tried"
    account.sandbox.faults.clear()
    account.update(3, dealname="Deal 3, with a sponsor")
    last = account.run()
    assert last.push is not None
    assert (last.push.written, last.push.refused) == (1, [])


def test_what_hangs_on_merged_deals_hangs_on_the_one_that_came_of_them(account: Account) -> None:
    """Their activities and line items keep their stamps, so no search would tell before the next weekly list."""
    portal, (first, second, *_) = account.sandbox.portal, account.deals
    call = portal.create("calls", {"hs_timestamp": "2026-11-20T09:00:00Z", "hs_call_title": "Hello"})
    portal.associate("calls", call, "deals", first)
    item = portal.create("line_items", {"name": "Licence", "quantity": "1", "price": "10"})
    portal.associate("line_items", item, "deals", second)
    account.run()
    account.sandbox.clock.advance(timedelta(hours=1))
    merged = portal.merge("deals", first, second)
    account.run()
    with closing(Cache.open(account.folder / "cache.db")) as cache:
        query = "SELECT record FROM activity_link WHERE kind = 'opportunity' AND activity = ?"
        assert cache.db.execute(query, (f"calls:{call}",)).fetchall() == [(merged,)]
        assert cache.db.execute("SELECT opportunity FROM line_item").fetchall() == [(merged,)]
        held = {row[0] for row in cache.db.execute("SELECT id FROM opportunity")}
    assert held == {merged, *account.deals[2:]}
