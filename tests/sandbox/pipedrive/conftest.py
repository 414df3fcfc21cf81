"""A Pipedrive sandbox whose clock stands still, and a client that shows status and body as they came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from pipelint.sandbox.pipedrive import PipedriveSandbox

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday


@dataclass
class Api:
    """Calls with one API token; `status` and `headers` are those of the last answer."""

    base_url: str
    token: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"x-api-token": self.token} | options.pop("headers", {})
        answer = requests.request(method, self.base_url + path, headers=headers, timeout=5, **options)
        self.status, self.headers = answer.status_code, dict(answer.headers)
        if "json" in answer.headers.get("Content-Type", ""):
            return answer.json()
        return answer.text

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", path, params=parameters)

    def patch(self, path: str, body: object) -> Any:
        return self.call("PATCH", path, json=body)

    def post(self, path: str, body: object) -> Any:
        return self.call("POST", path, json=body)


@pytest.fixture
def sandbox() -> Iterator[PipedriveSandbox]:
    """A company with setup and users, but no data."""
    with PipedriveSandbox(size=0, now=NOW) as running:
        yield running


@pytest.fixture(scope="session")
def generated() -> Iterator[PipedriveSandbox]:
    """A generated company, shared: tests leave it alone."""
    with PipedriveSandbox(size=60, now=NOW, plan="ultimate", seats=5) as running:
        yield running


@pytest.fixture
def api(sandbox: PipedriveSandbox) -> Api:
    return Api(sandbox.base_url, sandbox.token())


@pytest.fixture
def reading(generated: PipedriveSandbox) -> Api:
    return Api(generated.base_url, generated.token())


@pytest.fixture
def deal(sandbox: PipedriveSandbox) -> int:
    """An open deal in the first stage."""
    return int(sandbox.company.create("deals", {"title": "Deal", "value": 1000})["id"])
