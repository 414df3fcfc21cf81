"""A sandbox whose clock stands still, and a client that shows status and body as they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from pipelint.sandbox.salesforce import SalesforceSandbox

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
VERSION = "/services/data/v68.0"


@dataclass
class Api:
    """Calls as one user; `status` is that of the last answer."""

    base_url: str
    token: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        url = self.base_url + (path if path.startswith("/services") else VERSION + path)
        answer = requests.request(method, url, headers=headers, timeout=5, **options)
        self.status = answer.status_code
        self.headers = dict(answer.headers)
        if "json" in answer.headers.get("Content-Type", "") and answer.content:
            return answer.json()
        return answer.text

    def get(self, path: str, **options: Any) -> Any:
        return self.call("GET", path, **options)

    def post(self, path: str, json: object, **options: Any) -> Any:
        return self.call("POST", path, json=json, **options)

    def patch(self, path: str, json: object, **options: Any) -> Any:
        return self.call("PATCH", path, json=json, **options)

    def query(self, soql: str, *, kind: str = "query", **options: Any) -> Any:
        return self.get(f"/{kind}", params={"q": soql}, **options)

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
