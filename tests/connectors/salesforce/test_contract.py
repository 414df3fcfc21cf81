"""The Salesforce connector keeps the contract of all connectors, against the sandbox."""

from __future__ import annotations

from itertools import count
from types import MappingProxyType

import pytest

from pipelint.connectors.base import OwnField, OwnFieldType
from pipelint.connectors.contract import ConnectorContract
from pipelint.records import Stream
from pipelint.sandbox.salesforce import SalesforceSandbox

OBJECTS = {
    Stream.OWNERS: "User",
    Stream.ACCOUNTS: "Account",
    Stream.CONTACTS: "Contact",
    Stream.OPPORTUNITIES: "Opportunity",
    Stream.CONTACT_ROLES: "OpportunityContactRole",
    Stream.ACTIVITIES: "Task",
    Stream.LEADS: "Lead",
    Stream.LINE_ITEMS: "OpportunityLineItem",
}


class Colleague:
    """Changes the org as its users do."""

    def __init__(self, sandbox: SalesforceSandbox) -> None:
        self.org = sandbox.org
        self.number = count(1)

    def first(self, sobject: str) -> object:
        return self.org.query(f"SELECT Id FROM {sobject} ORDER BY Id LIMIT 1")[0]["Id"]

    def create(self, stream: Stream) -> str:
        number = next(self.number)
        fields: dict[Stream, dict[str, object]] = {
            Stream.ACCOUNTS: {"Name": f"New company {number}"},
            Stream.CONTACTS: {"LastName": f"Newman {number}"},
            Stream.OPPORTUNITIES: {
                "Name": f"New {number}", "StageName": "Prospecting", "CloseDate": "2026-12-31",
            },
            Stream.CONTACT_ROLES: {
                "OpportunityId": self.first("Opportunity"), "ContactId": self.first("Contact"),
            },
            Stream.ACTIVITIES: {"Subject": f"Call {number}", "WhatId": self.first("Opportunity")},
            Stream.LEADS: {"LastName": f"Newlead {number}", "Company": "Acme"},
            Stream.LINE_ITEMS: {
                "OpportunityId": self.first("Opportunity"), "PricebookEntryId": self.first("PricebookEntry"),
                "Quantity": number, "UnitPrice": 10,
            },
        }  # fmt: skip
        return self.org.create(OBJECTS[stream], fields[stream])

    def change(self, stream: Stream, record: str) -> None:
        number = next(self.number)
        value = number if stream is Stream.LINE_ITEMS else f"Changed {number}"
        field = {
            Stream.CONTACTS: "LastName",
            Stream.CONTACT_ROLES: "Role",
            Stream.ACTIVITIES: "Subject",
            Stream.LEADS: "LastName",
            Stream.LINE_ITEMS: "Quantity",
        }
        sobject = "Event" if record.startswith("00U") else OBJECTS[stream]
        self.org.update(sobject, record, {field.get(stream, "Name"): value})

    def delete(self, stream: Stream, record: str) -> None:
        sobject = "Event" if record.startswith("00U") else OBJECTS[stream]
        self.org.delete(sobject, record)


class TestSalesforce(ConnectorContract):
    changing = tuple(stream for stream in OBJECTS if stream is not Stream.OWNERS)
    deleting = changing
    custom = MappingProxyType({Stream.OPPORTUNITIES: ("Pipelint_Hygiene__c", "Nowhere__c")})
    own = (
        OwnField(
            "flags",
            "opportunity",
            "Pipelint_Flags__c",
            "Flags",
            OwnFieldType.FLAGS,
            "",
            ("a-b", "c-d", "e-f"),
        ),
        OwnField(
            "severity", "opportunity", "Pipelint_Severity__c", "Severity", OwnFieldType.CHOICE, "", ("error",)
        ),
        OwnField("summary", "opportunity", "Pipelint_Summary__c", "Summary", OwnFieldType.TEXT, ""),
        OwnField("details", "opportunity", "Pipelint_Details__c", "Details", OwnFieldType.LONG_TEXT, ""),
        OwnField("hygiene", "opportunity", "Pipelint_Hygiene__c", "Hygiene", OwnFieldType.NUMBER, ""),
        OwnField("since", "opportunity", "Pipelint_Since__c", "Since", OwnFieldType.DATE, ""),
    )
    unknown_id = "006000000000999AAA"

    @pytest.fixture
    def behind(self, sandbox: SalesforceSandbox) -> Colleague:
        return Colleague(sandbox)
