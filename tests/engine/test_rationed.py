"""Writing within a CRM's daily allowance: the most urgent first, the rest in later runs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

from pipelint.connectors.base import WriteBudget
from pipelint.engine.run import push
from pipelint.errors import ExitCode
from pipelint.render.run import render

from .conftest import Acme

TWO_A_RUN = WriteBudget({"opportunity": 5, "lead": 10}, left=11, daily=20, seconds=0.2)


def rationed(acme: Acme, budget: WriteBudget = TWO_A_RUN) -> Acme:
    acme.crm.batch, acme.crm.budget = 1, budget
    return acme


def written(acme: Acme) -> list[str]:
    return [record for record, _ in acme.crm.writes]


def test_new_errors_come_first_then_what_is_worth_more(acme: Acme) -> None:
    rationed(acme)
    acme.crm.deal("d1", next_step=None, amount=Decimal(100))
    acme.crm.deal("d2", next_step=None, amount=Decimal(900_000))
    acme.crm.deal("d3", amount=None)
    acme.run()
    assert written(acme) == ["d3", "d2"]
    acme.run()
    assert written(acme) == ["d3", "d2", "d1"]


def test_an_error_that_the_crm_shows_already_waits_behind_a_new_one(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    rationed(acme, replace(TWO_A_RUN, left=5))
    acme.crm.deal("d1", amount=None, next_step=None)
    acme.crm.deal("d2", close_date=date(2026, 10, 1))
    acme.run()
    assert written(acme)[1:] == ["d2"]


def test_what_is_carried_over_is_no_failure(acme: Acme) -> None:
    rationed(acme)
    for number in range(5):
        acme.crm.deal(f"d{number}", amount=None)
    result = acme.run()
    assert result.push is not None
    assert result.ration is not None
    assert (result.push.written, result.ration.carried, result.exit_code) == (2, 3, ExitCode.OK)


def test_everything_is_written_in_the_end_and_nothing_twice(acme: Acme) -> None:
    rationed(acme)
    for number in range(7):
        acme.crm.deal(f"d{number}", amount=None)
    for _ in range(5):
        acme.run()
    assert sorted(written(acme)) == [f"d{number}" for number in range(7)]


def test_a_plan_says_what_it_takes_before_it_is_written(acme: Acme) -> None:
    rationed(acme)
    for number in range(5):
        acme.crm.deal(f"d{number}", amount=None)
    acme.pull()
    result = push(acme.project, dry_run=True)
    text = render(result, "text", dry_run=True)
    assert (
        "25 API tokens needed, 11 are left for writing, and 20 a day are sure: 2 records now (1 s), 3 carried over, "
        "new errors first; all are written within about 2 days"
    ) in text
    document = json.loads(render(result, "json", dry_run=True))
    assert document["connections"]["acme"]["allowance"] == {
        "tokens": 25, "left": 11, "daily": 20, "now": 2, "seconds": 1, "carried_over": 3, "days": 2,
    }  # fmt: skip


def test_a_limit_is_about_the_whole_plan(acme: Acme) -> None:
    rationed(acme)
    acme.settings("{mode: on, max_changes: 4}")
    for number in range(5):
        acme.crm.deal(f"d{number}", amount=None)
    assert acme.run().exit_code == ExitCode.INCOMPLETE
    assert written(acme) == []
