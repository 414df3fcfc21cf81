"""A Salesforce sandbox whose clock stands still, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.client import NOW, Client

VERSION = "/services/data/v68.0"


class Api(Client):
    """Calls as one user; paths that are not whole are those of the newest API version."""

    def call(self, method: str, path: str, **options: Any) -> Any:
        return super().call(method, path if path.startswith("/services") else VERSION + path, **options)

    def query(self, soql: str, *, kind: str = "query", **options: Any) -> Any:
        return self.call("GET", f"/{kind}", params={"q": soql}, **options)

    def update(self, *records: dict[str, object], all_or_none: bool = False) -> Any:
        """An sObject Collections update of opportunities."""
        rows = [{"attributes": {"type": "Opportunity"}, **record} for record in records]
        return self.patch("/composite/sobjects", {"allOrNone": all_or_none, "records": rows})


@pytest.fixture
def sandbox() -> Iterator[SalesforceSandbox]:
    """An organisation with setup and users, but no data."""
    with SalesforceSandbox(size=0, now=NOW) as running:
        yield running


@pytest.fixture(scope="session")
def generated() -> Iterator[SalesforceSandbox]:
    """The organisation of the demo, shared: tests leave its deals alone."""
    with SalesforceSandbox(now=NOW) as running:
        yield running


@pytest.fixture
def api(sandbox: SalesforceSandbox) -> Api:
    """A client as the integration user."""
    return Api(sandbox.base_url, sandbox.token())


@pytest.fixture
def deal(sandbox: SalesforceSandbox) -> Callable[..., str]:
    """Creates an opportunity as a colleague would, and answers its id."""

    def create(name: str = "Deal", **fields: object) -> str:
        values = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-12-31", **fields}
        return sandbox.org.create("Opportunity", values)

    return create
