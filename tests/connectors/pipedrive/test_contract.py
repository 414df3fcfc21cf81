"""The Pipedrive connector keeps the contract of all connectors, against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from pipelint.connectors.base import OwnField, OwnFieldType
from pipelint.connectors.contract import ConnectorContract
from pipelint.records import Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox

TABLES = {
    Stream.ACCOUNTS: "organizations",
    Stream.CONTACTS: "persons",
    Stream.OPPORTUNITIES: "deals",
    Stream.ACTIVITIES: "activities",
    Stream.LEADS: "leads",
}
NAMES = {Stream.OPPORTUNITIES: "title", Stream.ACTIVITIES: "subject", Stream.LEADS: "title"}


class Colleague:
    """Changes the company as its users do, a moment after each pull."""

    def __init__(self, sandbox: PipedriveSandbox) -> None:
        self.sandbox = sandbox
        self.company = sandbox.company
        self.number = count(1)

    def create(self, stream: Stream) -> str:
        self.sandbox.clock.advance(timedelta(hours=1))
        fields: dict[str, object] = {NAMES.get(stream, "name"): f"New {next(self.number)}"}
        if stream is Stream.ACTIVITIES:
            fields |= {"deal_id": 1, "type": "call"}
        return str(self.company.create(TABLES[stream], fields)["id"])

    def change(self, stream: Stream, record: str) -> None:
        self.sandbox.clock.advance(timedelta(hours=1))
        value = f"Changed {next(self.number)}"
        self.company.update(TABLES[stream], record, {NAMES.get(stream, "name"): value})

    def delete(self, stream: Stream, record: str) -> None:
        self.sandbox.clock.advance(timedelta(hours=1))
        self.company.delete(TABLES[stream], record)


class TestPipedrive(ConnectorContract):
    changing = tuple(TABLES)
    deleting = (Stream.OPPORTUNITIES,)
    own = (
        OwnField("flags", "opportunity", "Pipelint flags", "Flags", OwnFieldType.FLAGS, "", ("a-b", "c-d")),
        OwnField(
            "severity", "opportunity", "Pipelint severity", "Severity", OwnFieldType.CHOICE, "", ("error",)
        ),
        OwnField("summary", "opportunity", "Pipelint summary", "Summary", OwnFieldType.TEXT, ""),
        OwnField("details", "opportunity", "Pipelint details", "Details", OwnFieldType.LONG_TEXT, ""),
        OwnField("hygiene", "opportunity", "Pipelint hygiene", "Hygiene", OwnFieldType.NUMBER, ""),
        OwnField("since", "opportunity", "Pipelint since", "Since", OwnFieldType.DATE, ""),
    )
    unknown_id = "999999"

    @pytest.fixture
    def behind(self, sandbox: PipedriveSandbox) -> Colleague:
        return Colleague(sandbox)
