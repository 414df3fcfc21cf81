"""A HubSpot sandbox whose clock stands still, and a client that shows status and body as they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from pipelint.sandbox.hubspot import HubSpotSandbox

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday


@dataclass
class Api:
    """Calls with one token; `status` and `headers` are those of the last answer."""

    base_url: str
    token: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        answer = requests.request(method, self.base_url + path, headers=headers, timeout=5, **options)
        self.status, self.headers = answer.status_code, dict(answer.headers)
        if "json" in answer.headers.get("Content-Type", "") and answer.content:
            return answer.json()
        return answer.text

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", path, params=parameters)

    def post(self, path: str, json: object) -> Any:
        return self.call("POST", path, json=json)

    def patch(self, path: str, json: object) -> Any:
        return self.call("PATCH", path, json=json)

    def search(self, *filters: dict[str, Any], kind: str = "deals", **body: Any) -> Any:
        return self.post(f"/crm/v3/objects/{kind}/search", {"filterGroups": [{"filters": filters}], **body})

    def update(self, *inputs: tuple[str, dict[str, object]], path: str = "/crm/v3/objects/deals") -> Any:
        """A batch update of deals."""
        rows = [{"id": identity, "properties": properties} for identity, properties in inputs]
        return self.post(f"{path}/batch/update", {"inputs": rows})


@pytest.fixture
def sandbox() -> Iterator[HubSpotSandbox]:
    """An account with its settings, but no data."""
    with HubSpotSandbox(size=0, now=NOW) as running:
        yield running


@pytest.fixture(scope="session")
def generated() -> Iterator[HubSpotSandbox]:
    """A generated account, shared: tests leave its records alone."""
    with HubSpotSandbox(now=NOW) as running:
        yield running


@pytest.fixture
def api(sandbox: HubSpotSandbox) -> Api:
    """A client with the service key."""
    return Api(sandbox.base_url, sandbox.token())


@pytest.fixture
def reader(generated: HubSpotSandbox) -> Api:
    """A client that reads the generated account."""
    return Api(generated.base_url, generated.token())


@pytest.fixture
def deal(sandbox: HubSpotSandbox) -> Callable[..., str]:
    """Creates a deal as a colleague would, and answers its id."""

    def create(name: str = "Deal", **properties: object) -> str:
        return sandbox.portal.create("deals", {"dealname": name, **properties})

    return create
