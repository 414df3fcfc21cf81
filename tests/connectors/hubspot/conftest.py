"""A small HubSpot account in the sandbox, and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipelint.connectors.base import ConnectContext, OwnField, OwnFieldType
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.connectors.hubspot.settings import Settings
from pipelint.sandbox.hubspot import HubSpotSandbox

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DEALS = 12


@pytest.fixture(scope="session")
def small_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved account with a little of everything."""
    path = tmp_path_factory.mktemp("account") / "account.db"
    with HubSpotSandbox(size=0, now=NOW) as running:
        portal = running.portal
        for number in range(DEALS):
            company = portal.create("companies", {"name": f"Company {number}"})
            contact = portal.create("contacts", {"lastname": f"Müller {number}"})
            deal = {
                "dealname": f"Deal {number}",
                "dealstage": "qualifiedtobuy",
                "amount": f"{1000.5 + number}",
            }
            deal_id = portal.create("deals", {**deal, "closedate": "2026-12-31T11:00:00Z"})
            portal.associate("deals", deal_id, "companies", company, "Primary")
            portal.associate("deals", deal_id, "contacts", contact)
            call = portal.create("calls", {"hs_timestamp": "2026-11-19T09:00:00Z", "hs_call_title": "Hello"})
            portal.associate("calls", call, "deals", deal_id)
        running.save(path)
    return path


@pytest.fixture
def sandbox(small_account: Path) -> Iterator[HubSpotSandbox]:
    with HubSpotSandbox(state=small_account, now=NOW) as running:
        yield running


def connection(
    sandbox: HubSpotSandbox, sleep: Callable[[float], None] = lambda seconds: None, **settings: Any
) -> HubSpotConnector:
    """A connection that signs in with the token in the environment."""
    given = {"crm": "hubspot", "base_url": sandbox.base_url, "auth": {"token": "${env:HUBSPOT_TOKEN}"}}
    context = ConnectContext(sandbox.clock.now, Path(), ZoneInfo("Europe/Paris"), sleep=sleep)
    return HubSpotConnector("acme", Settings.model_validate(given | settings), context)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> Iterator[Callable[..., HubSpotConnector]]:
    """Makes connections to a sandbox; `settings` are the keys of pipelint.yaml that differ."""
    made: list[HubSpotConnector] = []

    def connect(sandbox: HubSpotSandbox, **settings: Any) -> HubSpotConnector:
        monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token())
        made.append(connection(sandbox, naps.append, **settings))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def connector(sandbox: HubSpotSandbox, connect: Callable[..., HubSpotConnector]) -> HubSpotConnector:
    return connect(sandbox)


def field(key: str, type_: OwnFieldType, *choices: str) -> OwnField:
    return OwnField(
        key, "opportunity", f"pipelint_{key}", f"Pipelint {key}", type_, "What pipelint found.", choices
    )


OWN = (
    field("flags", OwnFieldType.FLAGS, "close-date-past", "no-activity", "single-threaded"),
    field("severity", OwnFieldType.CHOICE, "error", "warning", "clean"),
    field("summary", OwnFieldType.TEXT),
    field("details", OwnFieldType.LONG_TEXT),
    field("hygiene", OwnFieldType.NUMBER),
    field("since", OwnFieldType.DATE),
)
