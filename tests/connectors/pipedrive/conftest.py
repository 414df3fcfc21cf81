"""A small company in the sandbox, and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipelint.connectors.base import ConnectContext
from pipelint.connectors.pipedrive import client
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.connectors.pipedrive.settings import Settings
from pipelint.sandbox.pipedrive import PipedriveSandbox

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)
DEALS = 60
PAGE = 25


@pytest.fixture(scope="session")
def small_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved company with a little of everything, and more deals than two pages hold."""
    sandbox = PipedriveSandbox(size=0, now=BEFORE)
    make = sandbox.company.create
    organizations = [make("organizations", {"name": f"Company {n}"})["id"] for n in range(5)]
    people = [
        make("persons", {"name": f"Ute Müller {n}", "org_id": organizations[n % 5]})["id"] for n in range(8)
    ]
    for n in range(DEALS):
        if n % 20 == 0:  # the others share their stamp, as after a bulk edit
            sandbox.clock.advance(timedelta(seconds=1))
        fields = {"title": f"Deal {n}", "value": 1000.5 + n, "org_id": organizations[n % 5]}
        deal = make("deals", {**fields, "expected_close_date": "2026-12-31"})["id"]
        if n < 8:
            sandbox.company.add_participant(deal, people[n])
            make("activities", {"subject": f"Call {n}", "type": "call", "deal_id": deal, "done": True})
            make(
                "activities",
                {"subject": "Demo", "type": "meeting", "deal_id": deal, "due_date": "2026-12-24"},
            )
    for n in range(3):
        make("leads", {"title": f"Lead {n}", "person_id": people[n]})
    for stage in (2, 3):
        sandbox.clock.advance(timedelta(days=1))
        for deal in range(1, 11):
            sandbox.company.update("deals", deal, {"stage_id": stage, "value": 5000 + stage})
    path = tmp_path_factory.mktemp("company") / "company.db"
    sandbox.save(path)
    return path


@pytest.fixture
def sandbox(small_company: Path) -> Iterator[PipedriveSandbox]:
    with PipedriveSandbox(state=small_company, now=NOW, plan="ultimate", seats=10) as sandbox:
        yield sandbox


@pytest.fixture
def connect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, naps: list[float]
) -> Iterator[Callable[..., PipedriveConnector]]:
    """Makes connections to a sandbox; `settings` are the keys of pipelint.yaml that differ.

    `state` is where they keep something from one run to the next; `ahead`, how much our clock is ahead.
    """
    monkeypatch.setattr(client, "PAGE_ROWS", PAGE)
    made: list[PipedriveConnector] = []

    def connect(
        sandbox: PipedriveSandbox,
        *,
        state: Path | None = None,
        ahead: timedelta = timedelta(),
        **settings: Any,
    ) -> PipedriveConnector:
        monkeypatch.setenv("PIPEDRIVE_TOKEN", sandbox.token())
        given = {
            "crm": "pipedrive",
            "base_url": sandbox.base_url,
            "auth": {"token": "${env:PIPEDRIVE_TOKEN}"},
            "daily_tokens": sandbox.limits.budget,
        } | settings
        context = ConnectContext(
            clock=lambda: sandbox.clock.now() + ahead,
            folder=tmp_path,
            zone=ZoneInfo("Europe/Paris"),
            state=state,
            sleep=naps.append,
        )
        made.append(PipedriveConnector("acme", Settings.model_validate(given), context))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def connector(sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]) -> PipedriveConnector:
    return connect(sandbox)
