"""Whatever goes wrong between HubSpot and us, the end is that of a day without faults, and nothing is written twice.

Each case runs the whole job, as a schedule would, until it ends well. What counts is what the cache and the CRM
hold then, and how often each record was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from pipelint.connectors.base import WriteLimits
from pipelint.connectors.hubspot import pull, wire, write
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.engine.project import open_project
from pipelint.engine.provision import setup
from pipelint.engine.stopping import Stopping
from pipelint.errors import ExitCode
from pipelint.sandbox.hubspot import HubSpotSandbox

from .day import Outcome
from .hubspot_account import app_project_in, project_in
from .hubspot_day import OURS, HubSpotDay, count_writes

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAGE = 10
DEALS = 24


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deals with a company each: late ones, ones without an amount, and healthy ones."""
    folder = tmp_path_factory.mktemp("matrix")
    with HubSpotSandbox(size=0, now=NOW - timedelta(days=2)) as sandbox:
        portal = sandbox.portal
        companies = [portal.create("companies", {"name": f"Company {n}"}) for n in range(3)]
        for n in range(DEALS):
            late = "2026-11-01" if n % 3 == 0 else "2027-01-31"
            deal = portal.create(
                "deals",
                {
                    "dealname": f"Deal {n}",
                    "dealstage": "appointmentscheduled",
                    "closedate": f"{late}T11:00:00Z",
                    **({} if n % 4 == 1 else {"amount": str(1000 + n)}),
                },
            )
            portal.associate("deals", deal, "companies", companies[n % 3], "Primary")
            call = portal.create("calls", {"hs_timestamp": "2026-11-18T09:00:00Z", "hs_call_title": "Hello"})
            portal.associate("calls", call, "deals", deal)
        project_in(folder, sandbox.base_url, sandbox.token())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Stopping, "sleep", lambda self, seconds: None)
            list(setup(open_project(folder, clock=sandbox.clock.now), apply=True))
        sandbox.save(folder / "account.db")
    return folder / "account.db"


Begin = Callable[..., HubSpotDay]


@pytest.fixture
def begin(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Opens the account in the morning, with small pages and batches; `app`: as an app with short-lived tokens."""
    monkeypatch.setattr(Stopping, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(pull, "LIST_ROWS", PAGE)
    monkeypatch.setattr(pull, "LISTS_A_PAGE", 1)
    monkeypatch.setattr(write, "LIMITS", WriteLimits(batch=5))
    monkeypatch.setattr(HubSpotConnector, "write_limits", WriteLimits(batch=5))
    opened: list[HubSpotSandbox] = []

    def begin(*, app: bool = False) -> HubSpotDay:
        sandbox = HubSpotSandbox(state=saved, now=NOW)
        opened.append(sandbox)
        sandbox.start()
        folder = tmp_path / f"day{len(opened)}"
        folder.mkdir()
        if app:
            app_project_in(folder, sandbox.base_url)
        else:
            project_in(folder, sandbox.base_url, sandbox.token())
        day = HubSpotDay(sandbox, folder)
        count_writes(day, monkeypatch)
        return day

    yield begin
    for sandbox in opened:
        sandbox.stop()


@pytest.fixture(scope="module")
def ends() -> list[Outcome]:
    """The end without faults: found once."""
    return []


@pytest.fixture
def expected(begin: Begin, ends: list[Outcome]) -> Outcome:
    """The end of a day without faults."""
    if not ends:
        day = begin()
        day.run_until_well()
        assert len(day.results) == 1
        assert set(day.writes.values()) == {1}
        ends.append(day.outcome())
        assert sum(bool(row["pipelint_flags"]) for row in ends[0].crm.values()) > DEALS // 3
    return ends[0]


Fault = Mapping[str, Any]
FAULTS: Mapping[str, Fault] = {
    "dropped before": {"effect": "drop"},
    "dropped after": {"effect": "drop_after"},
    "truncated body": {"effect": "truncate"},
    "malformed answer": {"effect": "malformed"},
    "HTML error page": {"effect": "html"},
    "token refused once": {"effect": "INVALID_AUTHENTICATION"},
    "token never accepted": {"effect": "INVALID_AUTHENTICATION", "times": 0},
    "locked": {"effect": "LOCKED"},
    "moving": {"effect": "MIGRATION", "retry_after": 30},
    "limit of ten seconds": {"effect": "TEN_SECONDLY_ROLLING", "times": 2},
    "limit of a second": {"effect": "SECONDLY", "times": 2},
    "limit of the day": {"effect": "DAILY", "times": 0},
    "server error": {"effect": "INTERNAL_ERROR"},
    "bad gateway": {"effect": "UNAVAILABLE", "status": 502},
    "server away": {"effect": "UNAVAILABLE", "times": 2},
    "server away for long": {"effect": "UNAVAILABLE", "times": 0},
    "behind a proxy that finds nobody": {"effect": "html", "status": 521},
}
STEPS = {
    "the list of deals": ("GET", r"/(deals|0-3)\?.*after="),
    "links": ("POST", "/associations/.*/batch/read"),
    "search": ("POST", "/(deals|0-3)/search"),
    "write": ("POST", "/(deals|0-3)/batch/update"),
}
LATE = 0.8
"""Seconds that a late answer takes, twice as long as we then wait."""
SHARE = 4
"""One in so many cases is quick to run: every fault and every step is among them."""


def at_every_step(named: Mapping[str, Any]) -> list[Any]:
    """Each of these with each step; most of the cases are slow ones."""
    return [
        pytest.param(
            step,
            each,
            id=f"{name} at {called}",
            marks=() if (place + number) % SHARE == 0 else pytest.mark.slow,
        )
        for number, (name, each) in enumerate(named.items())
        for place, (called, step) in enumerate(STEPS.items())
    ]


@pytest.mark.parametrize(("step", "fault"), at_every_step(FAULTS))
def test_a_fault_leaves_no_trace(
    begin: Begin, expected: Outcome, step: tuple[str, str], fault: Fault
) -> None:
    day = begin()
    scripted = day.sandbox.faults.add(**{**fault, "method": step[0], "path": step[1]})
    day.ends_well(expected)
    assert scripted.seen, "the fault was met"


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_an_answer_that_comes_too_late_leaves_no_trace(
    begin: Begin, expected: Outcome, monkeypatch: pytest.MonkeyPatch, step: tuple[str, str]
) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", LATE / 2)
    day = begin()
    scripted = day.sandbox.faults.add("late", method=step[0], path=step[1], seconds=LATE)
    day.ends_well(expected)
    assert scripted.seen


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_connection_that_does_not_come_about_leaves_no_trace(
    begin: Begin, expected: Outcome, monkeypatch: pytest.MonkeyPatch, step: tuple[str, str]
) -> None:
    day = begin()
    failed: list[str] = []
    ask = HTTPConnectionPool._make_request

    def fail_once(self: HTTPConnectionPool, conn: Any, method: str, url: str, **options: Any) -> Any:
        if not failed and method == step[0] and re.search(step[1], url):
            failed.append(url)
            raise ConnectTimeoutError(self, "timed out")
        return ask(self, conn, method, url, **options)

    monkeypatch.setattr(HTTPConnectionPool, "_make_request", fail_once)
    day.ends_well(expected)
    assert failed
    assert len(day.results) == 2, "within the first run, and nothing more in the next one"


TOKEN = "/oauth/.*/token"
BAD_REFRESH_TOKEN = '{"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}'
SIGN_INS: Mapping[str, Fault] = {
    "renewed": {"effect": "delay"},
    "renewed after an answer was lost": {"effect": "drop_after"},
    "renewed by an answer that is cut": {"effect": "malformed"},
    "not renewed for long": {"effect": "UNAVAILABLE", "times": 0},
    "refused": {"effect": "respond", "status": 400, "body": BAD_REFRESH_TOKEN, "times": 0},
}


@pytest.mark.parametrize(("step", "fault"), at_every_step(SIGN_INS))
def test_an_access_token_that_ends_on_the_way_leaves_no_trace(
    begin: Begin, expected: Outcome, step: tuple[str, str], fault: Fault
) -> None:
    day = begin(app=True)

    def end() -> None:
        day.sandbox.faults.add(**{**fault, "path": TOKEN})
        day.sandbox.expire_tokens()

    day.meet(step, end)
    day.ends_well(expected)
    assert 401 in {request.status for request in day.sandbox.requests}


def test_a_refresh_token_that_is_refused_is_told_once_and_nothing_is_lost(
    begin: Begin, expected: Outcome
) -> None:
    day = begin(app=True)
    refused = day.sandbox.faults.add("respond", path=TOKEN, status=400, body=BAD_REFRESH_TOKEN, times=0)
    first = day.run()
    assert first.exit_code is ExitCode.UNREACHABLE
    assert first.error is not None
    assert "BAD_REFRESH_TOKEN: missing or invalid refresh token" in str(first.error)
    assert refused.seen == 1, "credentials that are refused are not tried again"
    day.sandbox.faults.clear()
    day.ends_well(expected)


def test_an_account_that_is_moving_for_hours_ends_the_run_and_says_so(
    begin: Begin, expected: Outcome
) -> None:
    day = begin()
    moving = day.sandbox.faults.add("MIGRATION", path="/associations/", status=477, retry_after=7200, times=0)
    first = day.run()
    assert first.exit_code is ExitCode.UNREACHABLE
    assert "asks to come back in 120 min" in str(first.error)
    assert moving.seen == 1
    day.sandbox.faults.clear()
    day.ends_well(expected)


def test_a_refusal_in_a_partial_answer_concerns_its_record_alone(begin: Begin, expected: Outcome) -> None:
    day = begin()
    refused = day.deals[0]
    day.sandbox.faults.add("VALIDATION_ERROR", record=refused, message="Not like this.", times=0)
    result = day.run()
    assert result.push is not None
    assert [it.id for it in result.push.refused] == [refused]
    crm = {**expected.crm, refused: dict.fromkeys(OURS)}
    assert day.outcome() == Outcome(crm, expected.cache)
    assert refused not in day.writes
    assert set(day.writes.values()) == {1}
    day.run()
    assert set(day.writes.values()) == {1}


def test_a_locked_record_waits_for_the_next_run_and_holds_up_nobody(begin: Begin, expected: Outcome) -> None:
    day = begin()
    locked = day.deals[0]
    day.sandbox.faults.add("LOCKED", record=locked, status=423, times=0)
    result = day.run()
    assert result.push is not None
    assert (result.push.locked, result.push.refused, result.exit_code) == (1, [], ExitCode.INCOMPLETE)
    assert set(day.writes) == {deal for deal, shown in expected.crm.items() if any(shown.values())} - {locked}
    day.sandbox.faults.clear()
    day.ends_well(expected)


def test_a_search_that_lags_loses_nothing(begin: Begin, expected: Outcome) -> None:
    day = begin()
    day.sandbox.portal.index_lag = timedelta(minutes=5)
    day.ends_well(expected)
    deal = day.deals[1]
    day.sandbox.portal.update("deals", deal, {"amount": "700"})
    day.run()  # the search does not know of it yet
    day.run()
    assert day.crm()[deal]["pipelint_severity"] == "clean"


def test_deals_that_are_archived_and_merged_during_the_pull_are_as_if_they_had_been_before(
    begin: Begin,
) -> None:
    def meddle(day: HubSpotDay) -> None:
        portal, deals = day.sandbox.portal, day.deals
        portal.update("deals", deals[2], {"amount": ""})
        portal.update("deals", deals[-2], {"amount": "5", "closedate": "2027-03-01T11:00:00Z"})
        portal.archive("deals", deals[3])
        portal.merge("deals", deals[5], deals[-1])

    before = begin()
    meddle(before)
    before.run_until_well()
    during = begin()
    during.meet(STEPS["links"], lambda: meddle(during))
    during.run()
    during.sandbox.clock.advance(timedelta(days=1))
    during.run()
    during.run_until_well()
    assert during.crm() == before.crm()
    held = during.outcome().cache["opportunity"]
    assert len(held) == len(before.outcome().cache["opportunity"]) == DEALS - 2


@pytest.mark.slow
def test_twelve_thousand_deals_of_one_millisecond_all_arrive(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "LIST_ROWS", 100)
    day = begin()
    day.run_until_well()
    made = day.sandbox.portal.create_many("deals", 12_000)
    result = day.run()
    assert result.pulled is not None
    assert {str(row[1]) for row in day.outcome().cache["opportunity"]} >= set(made)
