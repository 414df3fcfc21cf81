"""The HubSpot connector keeps the contract of all connectors, against the sandbox."""

from __future__ import annotations

from itertools import count
from types import MappingProxyType

import pytest

from pipelint.connectors.contract import ConnectorContract
from pipelint.records import Stream
from pipelint.sandbox.hubspot import HubSpotSandbox

from .conftest import OWN

NAMES = {
    Stream.ACCOUNTS: ("companies", "name"),
    Stream.CONTACTS: ("contacts", "lastname"),
    Stream.OPPORTUNITIES: ("deals", "dealname"),
    Stream.ACTIVITIES: ("calls", "hs_call_title"),
    Stream.LEADS: ("leads", "hs_lead_name"),
}


class Colleague:
    """Changes the account as its users do."""

    def __init__(self, sandbox: HubSpotSandbox) -> None:
        self.sandbox = sandbox
        self.number = count(1)

    def create(self, stream: Stream) -> str:
        kind, name = NAMES[stream]
        values = {name: f"New {next(self.number)}"}
        if stream is Stream.ACTIVITIES:
            values["hs_timestamp"] = "2026-11-20T08:00:00Z"
        record = self.sandbox.portal.create(kind, values)
        return f"{kind}:{record}" if stream is Stream.ACTIVITIES else record

    def change(self, stream: Stream, record: str) -> None:
        kind, name = NAMES[stream]
        id_ = record.removeprefix(f"{kind}:")
        self.sandbox.portal.update(kind, id_, {name: f"Changed {next(self.number)}"})

    def delete(self, stream: Stream, record: str) -> None:
        kind, _ = NAMES[stream]
        self.sandbox.portal.archive(kind, record.removeprefix(f"{kind}:"))


class TestHubSpot(ConnectorContract):
    changing = (Stream.ACCOUNTS, Stream.CONTACTS, Stream.OPPORTUNITIES, Stream.ACTIVITIES)
    custom = MappingProxyType({Stream.OPPORTUNITIES: ("hs_priority", "nowhere")})
    own = OWN
    unknown_id = "99999999999"

    @pytest.fixture
    def behind(self, sandbox: HubSpotSandbox) -> Colleague:
        return Colleague(sandbox)
