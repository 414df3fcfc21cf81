"""Whatever goes wrong between Salesforce and us, the end is that of a day without faults, and nothing is written twice.

Each case runs the whole job, as a schedule would, until it ends well: pulled and written in small requests, and
by Bulk jobs. What counts is what the cache and the CRM hold then, and how often each record was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelint.connectors.base import WriteLimits
from pipelint.connectors.http import Session
from pipelint.connectors.salesforce import bulk, client, write
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.engine.project import open_project
from pipelint.engine.provision import setup
from pipelint.engine.stopping import Stopping
from pipelint.sandbox.salesforce import SalesforceSandbox, bulk_query, call
from pipelint.sandbox.salesforce.query import Queries

from .day import Outcome
from .salesforce_day import OURS, SalesforceDay, count_writes, project_in

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAGE = 10
DEALS = 24
WAYS = ("requests", "bulk")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bulk load of deals, all with one stamp: late ones, ones without an amount, and healthy ones."""
    sandbox = SalesforceSandbox(size=0, now=NOW - timedelta(days=2))
    org = sandbox.org
    accounts = [org.create("Account", {"Name": f"Company {n}"}) for n in range(3)]
    for n in range(DEALS):
        deal = org.create(
            "Opportunity",
            {
                "Name": f"Deal {n}",
                "StageName": "Prospecting",
                "CloseDate": "2026-11-01" if n % 3 == 0 else "2027-01-31",
                "AccountId": accounts[n % 3],
                **({} if n % 4 == 1 else {"Amount": 1000 + n}),
            },
        )
        org.create("Task", {"Subject": f"Call {n}", "WhatId": deal, "Status": "Completed"})
    folder = tmp_path_factory.mktemp("matrix")
    with sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stopping, "sleep", lambda self, seconds: None)
        project_in(folder, sandbox, 0)
        list(setup(open_project(folder, clock=sandbox.clock.now), apply=True))
    sandbox.save(folder / "org.db")
    return folder / "org.db"


Begin = Callable[[str], SalesforceDay]


@pytest.fixture
def begin(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Opens the org in the morning, with small pages, and for `bulk` with jobs for few records already."""
    monkeypatch.setattr(Stopping, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(client, "PAGE_ROWS", PAGE)
    monkeypatch.setattr(call, "MIN_BATCH", PAGE)
    monkeypatch.setattr(bulk, "SET_ROWS", PAGE)
    opened: list[SalesforceSandbox] = []

    def begin(way: str) -> SalesforceDay:
        limits = WriteLimits(batch=5, job=50, job_above=2) if way == "bulk" else WriteLimits(batch=5)
        monkeypatch.setattr(write, "LIMITS", limits)
        monkeypatch.setattr(SalesforceConnector, "write_limits", limits)
        sandbox = SalesforceSandbox(state=saved, now=NOW)
        opened.append(sandbox)
        sandbox.start()
        folder = tmp_path / f"day{len(opened)}"
        folder.mkdir()
        project_in(folder, sandbox, 0 if way == "bulk" else 20_000)
        day = SalesforceDay(sandbox, folder)
        count_writes(day, monkeypatch)
        return day

    yield begin
    for sandbox in opened:
        sandbox.stop()


@pytest.fixture
def faultless(begin: Begin) -> Callable[[str], Outcome]:
    """The end of a day without faults."""

    def faultless(way: str) -> Outcome:
        day = begin(way)
        day.run_until_well()
        assert len(day.results) == 1
        assert set(day.writes.values()) == {1}
        assert sum(bool(row["Pipelint_Flags__c"]) for row in day.outcome().crm.values()) > DEALS // 3
        return day.outcome()

    return faultless


Fault = Mapping[str, Any]
FAULTS: Mapping[str, Fault] = {
    "dropped before": {"effect": "drop"},
    "dropped after": {"effect": "drop_after"},
    "truncated body": {"effect": "truncate"},
    "malformed answer": {"effect": "malformed"},
    "HTML error page": {"effect": "html"},
    "session ended": {"effect": "error", "code": "INVALID_SESSION_ID", "status": 401},
    "session never accepted": {"effect": "error", "code": "INVALID_SESSION_ID", "status": 401, "times": 0},
    "limit of the day": {"effect": "error", "code": "REQUEST_LIMIT_EXCEEDED", "status": 403, "times": 0},
    "server error": {"effect": "error", "code": "UNKNOWN_EXCEPTION", "status": 500},
    "server away": {"effect": "error", "code": "SERVER_UNAVAILABLE", "status": 503, "times": 2},
    "server away for long": {"effect": "error", "code": "SERVER_UNAVAILABLE", "status": 503, "times": 0},
}
STEPS: Mapping[str, Sequence[tuple[str, str]]] = {
    "requests": (("GET", r"/query/\w+-\d+"), ("PATCH", "/composite/sobjects")),
    "bulk": (
        ("POST", "/jobs/query$"),
        ("GET", "/jobs/query/.*/results"),
        ("POST", "/jobs/ingest$"),
        ("PUT", "/batches$"),
        ("PATCH", r"/jobs/ingest/\w+$"),
        ("GET", "/(successful|failed)Results"),
    ),
}
ALL_STEPS = [(way, step) for way, steps in STEPS.items() for step in steps]
SHARE = 5
"""One in so many cases is quick to run: every fault and every step is among them."""
CASES = [
    pytest.param(
        way,
        step,
        fault,
        id=f"{name} at {step[0]} {step[1]}",
        marks=() if (place + number) % SHARE == 0 else pytest.mark.slow,
    )
    for number, (name, fault) in enumerate(FAULTS.items())
    for place, (way, step) in enumerate(ALL_STEPS)
]


@pytest.fixture(scope="module")
def ends() -> dict[str, Outcome]:
    """The ends without faults, by way: found once."""
    return {}


def end_of(way: str, ends: dict[str, Outcome], faultless: Callable[[str], Outcome]) -> Outcome:
    if way not in ends:
        ends[way] = faultless(way)
    return ends[way]


@pytest.mark.parametrize(("way", "step", "fault"), CASES)
def test_a_fault_leaves_no_trace(
    begin: Begin,
    ends: dict[str, Outcome],
    faultless: Callable[[str], Outcome],
    way: str,
    step: tuple[str, str],
    fault: Fault,
) -> None:
    expected = end_of(way, ends, faultless)
    day = begin(way)
    scripted = day.sandbox.faults.add(**{**fault, "method": step[0], "path": step[1]})
    day.ends_well(expected)
    assert scripted.seen, "the fault was met"


@pytest.mark.parametrize(
    ("way", "step"),
    [
        pytest.param(*case, marks=() if number in {1, 5} else pytest.mark.slow)
        for number, case in enumerate(ALL_STEPS)
    ],
)
def test_an_answer_that_comes_too_late_leaves_no_trace(
    begin: Begin,
    ends: dict[str, Outcome],
    faultless: Callable[[str], Outcome],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    step: tuple[str, str],
) -> None:
    expected = end_of(way, ends, faultless)
    day = begin(way)
    late: list[str] = []
    ask = Session.request

    def request(self: Session, method: str, url: str, **options: Any) -> requests.Response:
        answer = ask(self, method, url, **options)
        if method == step[0] and re.search(step[1], url.partition("?")[0]) and not late:
            late.append(url)
            raise requests.exceptions.ReadTimeout
        return answer

    monkeypatch.setattr(Session, "request", request)
    day.ends_well(expected)
    assert late


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_is_locked_for_a_while_is_written_once(
    begin: Begin, ends: dict[str, Outcome], faultless: Callable[[str], Outcome], way: str
) -> None:
    expected = end_of(way, ends, faultless)
    day = begin(way)
    scripted = day.sandbox.faults.add("UNABLE_TO_LOCK_ROW", record=day.deals[0], times=2)
    day.ends_well(expected)
    assert scripted.seen > 2


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_concerns_its_record_alone(
    begin: Begin, ends: dict[str, Outcome], faultless: Callable[[str], Outcome], way: str
) -> None:
    expected = end_of(way, ends, faultless)
    day = begin(way)
    refused = day.deals[0]
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    day.sandbox.faults.add(code, record=refused, message="Not like this.", times=0)
    result = day.run()
    assert result.push is not None
    assert [(it.id, it.code) for it in result.push.refused] == [(refused, code)]
    crm = {**expected.crm, refused: dict.fromkeys(OURS)}
    assert day.outcome() == Outcome(crm, expected.cache)
    assert refused not in day.writes
    assert set(day.writes.values()) == {1}
    day.run()
    assert set(day.writes.values()) == {1}


@pytest.mark.parametrize("way", WAYS)
def test_a_field_that_vanishes_before_the_write_stops_no_other(
    begin: Begin, ends: dict[str, Outcome], faultless: Callable[[str], Outcome], way: str
) -> None:
    """One bad field fails a whole request, or a whole job."""
    expected = end_of(way, ends, faultless)
    day = begin(way)
    org = day.sandbox.org
    summary = "Field = 'Opportunity.Pipelint_Summary__c' AND Parent.Name = 'Pipelint'"
    [grant] = org.query(f"SELECT Id FROM FieldPermissions WHERE {summary}")
    step = STEPS[way][-3 if way == "bulk" else 1]
    day.meet(step, lambda: org.delete("FieldPermissions", str(grant["Id"])))
    day.run()
    rights = {"PermissionsRead": True, "PermissionsEdit": True, "SobjectType": "Opportunity"}
    parent = org.query("SELECT Id FROM PermissionSet WHERE Name = 'Pipelint'")[0]["Id"]
    org.create("FieldPermissions", {"ParentId": parent, "Field": "Opportunity.Pipelint_Summary__c", **rights})
    for deal in day.deals:  # a refusal is tried again when the record has changed
        org.update("Opportunity", deal, {"Description": "touched"})
    day.run_until_well()
    assert day.outcome().crm == expected.crm


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_come_twice_count_once(
    begin: Begin,
    ends: dict[str, Outcome],
    faultless: Callable[[str], Outcome],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    """A page may repeat rows of the page before; all rows here share their stamp."""
    expected = end_of(way, ends, faultless)
    page, place = Queries._page, bulk_query._place
    repeated: list[int] = []

    def earlier(start: int) -> int:
        repeated.append(start)
        return max(0, start - 3)

    monkeypatch.setattr(Queries, "_page", lambda self, at, start, base: page(self, at, earlier(start), base))
    monkeypatch.setattr(bulk_query, "_place", lambda locator: earlier(place(locator)))
    begin(way).ends_well(expected)
    assert max(repeated) > 0


@pytest.mark.parametrize("way", WAYS)
def test_records_that_change_and_go_during_a_pull_are_as_if_they_had_before(begin: Begin, way: str) -> None:
    def meddle(day: SalesforceDay) -> None:
        org, deals = day.sandbox.org, day.deals
        org.update("Opportunity", deals[2], {"Amount": None})
        org.update("Opportunity", deals[DEALS - 2], {"Amount": 5, "CloseDate": "2027-03-01"})
        org.delete("Opportunity", deals[3])
        org.delete("Opportunity", deals[DEALS - 1])

    before = begin(way)
    meddle(before)
    before.sandbox.clock.advance(timedelta(minutes=15))
    before.run_until_well()
    before.run()
    during = begin(way)
    step = ("GET", "/jobs/query/.*/results") if way == "bulk" else STEPS[way][0]
    during.meet(step, lambda: meddle(during))
    for _ in range(3):
        during.run()
    end = during.outcome()
    assert end.crm == before.outcome().crm
    assert end.cache["opportunity"] == before.outcome().cache["opportunity"]
    assert max(during.writes.values()) <= 2, "once before the change was seen, once after"
