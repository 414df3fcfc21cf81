"""A small org in the sandbox, and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipelint.connectors.base import ConnectContext, OwnField, OwnFieldType
from pipelint.connectors.salesforce import client
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.connectors.salesforce.settings import Settings
from pipelint.sandbox.salesforce import SalesforceSandbox

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)
OPPORTUNITIES = 230
PAGE = 200


@pytest.fixture(scope="session")
def small_org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved org with a little of everything, and more opportunities than a page holds."""
    sandbox = SalesforceSandbox(size=0, now=BEFORE)
    org = sandbox.org
    accounts = [org.create("Account", {"Name": f"Company {n}", "NumberOfEmployees": n}) for n in range(5)]
    contacts = [
        org.create("Contact", {"LastName": f"Müller {n}", "AccountId": accounts[n % 5]}) for n in range(10)
    ]
    [book] = org.query("SELECT Id FROM Pricebook2 WHERE IsStandard = true")
    product = org.create("Product2", {"Name": "Turbine"})
    priced = {"Pricebook2Id": book["Id"], "Product2Id": product, "UnitPrice": 100}
    price = org.create("PricebookEntry", priced)
    lead = org.create("Lead", {"LastName": "Dupont", "Company": "L'Oréal"})
    for n in range(OPPORTUNITIES):
        if n % 40 == 0:  # the others share their stamp, as after a bulk load
            sandbox.clock.advance(timedelta(seconds=1))
        fields = {
            "Name": f"Deal {n}",
            "StageName": "Prospecting",
            "CloseDate": "2026-12-31",
            "AccountId": accounts[n % 5],
            "Amount": 1000.5 + n,
        }
        deal = org.create("Opportunity", fields)
        if n < 10:
            org.create("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contacts[n]})
            sold = {"OpportunityId": deal, "PricebookEntryId": price, "Quantity": n + 1, "UnitPrice": 90}
            org.create("OpportunityLineItem", sold)
            org.create("Task", {"Subject": f"Call {n}", "WhatId": deal, "Status": "Completed"})
            org.create("Task", {"Subject": f"Write {n}", "WhoId": lead, "ActivityDate": "2026-12-24"})
            begins, ends = "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"
            event = {"Subject": "Demo", "WhatId": deal, "StartDateTime": begins, "EndDateTime": ends}
            org.create("Event", event)
    deals = [row["Id"] for row in org.query("SELECT Id FROM Opportunity ORDER BY Name LIMIT 20")]
    for stage in ("Qualification", "Qualification", "Closed Won"):
        sandbox.clock.advance(timedelta(days=1))
        for each in deals:
            org.update("Opportunity", str(each), {"StageName": stage, "Amount": 5000 + len(stage)})
    path = tmp_path_factory.mktemp("org") / "org.db"
    sandbox.save(path)
    return path


@pytest.fixture
def sandbox(small_org: Path) -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox(state=small_org, now=NOW) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def ready_org(small_org: Path) -> Path:
    """The same org, with our fields set up."""
    path = small_org.with_name("ready.db")
    with SalesforceSandbox(state=small_org, now=NOW) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SF_TOKEN", sandbox.token())
        auth = {"flow": "access_token", "token": "${env:SF_TOKEN}"}
        settings = {"crm": "salesforce", "base_url": sandbox.base_url, "auth": auth}
        context = ConnectContext(sandbox.clock.now, Path(), ZoneInfo("Europe/Paris"))
        connector = SalesforceConnector("acme", Settings.model_validate(settings), context)
        for step in connector.plan_setup(OWN):
            connector.apply_setup(step)
        connector.close()
        sandbox.save(path)
    return path


@pytest.fixture
def connect(
    monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> Iterator[Callable[..., SalesforceConnector]]:
    """Makes connections to a sandbox; `settings` are the keys of pipelint.yaml that differ."""
    monkeypatch.setattr(client, "PAGE_ROWS", PAGE)
    monkeypatch.setenv("SF_CLIENT_ID", "sandbox-client")
    monkeypatch.setenv("SF_CLIENT_SECRET", "sandbox-secret")
    made: list[SalesforceConnector] = []

    def connect(sandbox: SalesforceSandbox, **settings: Any) -> SalesforceConnector:
        auth = {"flow": "client_credentials", "client_id": "${env:SF_CLIENT_ID}"}
        auth["client_secret"] = "${env:SF_CLIENT_SECRET}"
        given = {"crm": "salesforce", "base_url": sandbox.base_url, "auth": auth} | settings
        context = ConnectContext(sandbox.clock.now, Path(), ZoneInfo("Europe/Paris"), sleep=naps.append)
        made.append(SalesforceConnector("acme", Settings.model_validate(given), context))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def connector(sandbox: SalesforceSandbox, connect: Callable[..., SalesforceConnector]) -> SalesforceConnector:
    return connect(sandbox)


@pytest.fixture
def own() -> tuple[OwnField, ...]:
    return OWN


def field(key: str, type_: OwnFieldType, *choices: str) -> OwnField:
    name = f"Pipelint_{key.title()}__c"
    return OwnField(key, "opportunity", name, f"Pipelint {key}", type_, "What pipelint found.", choices)


OWN = (
    field("flags", OwnFieldType.FLAGS, "close-date-past", "no-activity", "single-threaded"),
    field("severity", OwnFieldType.CHOICE, "error", "warning", "clean"),
    field("summary", OwnFieldType.TEXT),
    field("details", OwnFieldType.LONG_TEXT),
    field("hygiene", OwnFieldType.NUMBER),
    field("since", OwnFieldType.DATE),
)
