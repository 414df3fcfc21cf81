"""A HubSpot sandbox whose clock stands still, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipelint.sandbox.hubspot import HubSpotSandbox
from tests.sandbox.client import NOW, Client


class Api(Client):
    """Calls with one token."""

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
