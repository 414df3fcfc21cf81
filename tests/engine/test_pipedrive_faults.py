"""Whatever goes wrong between Pipedrive and us, the end is that of a day without faults, and nothing is written twice.

Each case runs the whole job, as a schedule would, until it ends well. What counts is what the cache and the CRM
hold then, and how often each deal was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelint.connectors.pipedrive import client
from pipelint.engine.project import open_project
from pipelint.engine.provision import setup
from pipelint.engine.stopping import Stopping
from pipelint.sandbox.pipedrive import PipedriveSandbox

from .day import Outcome
from .pipedrive_day import PipedriveDay, count_writes, project_in

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAGE = 10
DEALS = 24


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deals with a company and two people each: late ones, ones without an amount, and healthy ones."""
    folder = tmp_path_factory.mktemp("matrix")
    with (
        PipedriveSandbox(size=0, now=NOW - timedelta(days=2)) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(Stopping, "sleep", lambda self, seconds: None)
        make = sandbox.company.create
        companies = [make("organizations", {"name": f"Company {n}"})["id"] for n in range(3)]
        people = [make("persons", {"name": f"Ute {n}", "org_id": companies[n % 3]})["id"] for n in range(4)]
        for n in range(DEALS):
            late = n % 3 == 0
            deal = make(
                "deals",
                {
                    "title": f"Deal {n}",
                    "expected_close_date": "2026-11-01" if late else "2027-01-31",
                    "org_id": companies[n % 3],
                    "person_id": people[0],
                    **({} if n % 4 == 1 else {"value": 1000 + n}),
                },
            )["id"]
            if n < 4:
                for person in people[:2]:
                    sandbox.company.add_participant(deal, person)
            make("activities", {"subject": "Hello", "deal_id": deal, "due_date": "2026-12-01"})
        project_in(folder, sandbox)
        list(setup(open_project(folder, clock=sandbox.clock.now), apply=True))
        sandbox.save(folder / "company.db")
    return folder / "company.db"


Begin = Callable[..., PipedriveDay]


@pytest.fixture
def begin(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Opens the company in the morning, with small pages."""
    monkeypatch.setattr(Stopping, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(client, "PAGE_ROWS", PAGE)
    opened: list[PipedriveSandbox] = []

    def begin(**options: Any) -> PipedriveDay:
        sandbox = PipedriveSandbox(state=saved, now=NOW, plan="growth", **options)
        opened.append(sandbox)
        sandbox.start()
        folder = tmp_path / f"day{len(opened)}"
        folder.mkdir()
        project_in(folder, sandbox)
        day = PipedriveDay(sandbox, folder)
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
        assert sum(bool(row["Pipelint flags"]) for row in ends[0].crm.values()) > DEALS // 3
        assert len(ends[0].cache["contact_role"]) == DEALS + 4
    return ends[0]


Fault = Mapping[str, Any]
FAULTS: Mapping[str, Fault] = {
    "dropped before": {"effect": "drop"},
    "dropped after": {"effect": "drop_after"},
    "truncated body": {"effect": "truncate"},
    "malformed answer": {"effect": "malformed"},
    "HTML error page": {"effect": "html"},
    "null": {"effect": "NULL"},
    "success: false": {"effect": "NOT_SUCCESS"},
    "token revoked": {"effect": "UNAUTHORIZED", "times": 0},
    "not paid": {"effect": "PAYMENT_REQUIRED", "times": 0},
    "no right": {"effect": "FORBIDDEN", "times": 0},
    "limit of two seconds": {"effect": "OVER_BURST", "times": 3},
    "limit of the day": {"effect": "OVER_BUDGET", "times": 0},
    "blocked": {"effect": "BLOCKED", "times": 0},
    "server error": {"effect": "INTERNAL"},
    "bad gateway": {"effect": "BAD_GATEWAY"},
    "server away": {"effect": "UNAVAILABLE", "times": 2},
    "server away for long": {"effect": "UNAVAILABLE", "times": 0},
}
STEPS = {
    "the list of deals": ("GET", r"/deals\?.*cursor="),
    "the archive": ("GET", "/deals/archived"),
    "participants": ("GET", "/participants"),
    "activities": ("GET", r"/activities\?.*cursor="),
    "reading back": ("GET", r"/deals\?.*ids="),
    "write": ("PATCH", "/deals/"),
}
SHARE = 6
"""One in so many cases is quick to run: every fault and every step is among them."""
CASES = [
    pytest.param(
        step,
        fault,
        id=f"{name} at {called}",
        marks=() if (place + number) % SHARE == 0 else pytest.mark.slow,
    )
    for number, (name, fault) in enumerate(FAULTS.items())
    for place, (called, step) in enumerate(STEPS.items())
]


@pytest.mark.parametrize(("step", "fault"), CASES)
def test_a_fault_leaves_no_trace(
    begin: Begin, expected: Outcome, step: tuple[str, str], fault: Fault
) -> None:
    day = begin()
    scripted = day.sandbox.faults.add(**{**fault, "method": step[0], "path": step[1]})
    day.ends_well(expected)
    assert scripted.seen, "the fault was met"
