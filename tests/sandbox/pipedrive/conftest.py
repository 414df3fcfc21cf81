"""A Pipedrive sandbox whose clock stands still, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelint.sandbox.pipedrive import PipedriveSandbox
from tests.sandbox.client import NOW, Client


class Api(Client):
    """Calls with one API token."""

    def authorisation(self) -> dict[str, str]:
        return {"x-api-token": self.token}


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
