"""A sales organisation that lives: what colleagues do in a month, day by day, in the Salesforce sandbox."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.store import Row
from pipelint.sandbox.salesforce.values import stamp

STAGES = (
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)


class Colleagues:
    """They act by seeded chance, through the organisation's own rules; what it refuses them, they leave."""

    def __init__(self, sandbox: SalesforceSandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.chance = random.Random(seed)  # noqa: S311 - the same month in every run
        self.created = 0

    def work(self, times: int) -> None:
        """Do some of what people do, a minute apart."""
        for _ in range(times):
            self.sandbox.clock.advance(timedelta(minutes=1))
            with suppress(SalesforceError):
                self.chance.choice(self.deeds())()

    def deeds(self) -> list[Callable[[], None]]:
        often = [self.edit, self.move, self.promise, self.meet]
        return [
            *often,
            *often,
            *often,
            self.create,
            self.delete,
            self.hand_over,
            self.merge,
            self.rename,
            self.meddle,
        ]

    def edit(self) -> None:
        values = {
            "Amount": self.chance.choice([None, 1000, 25_000, 99_999]),
            "NextStep": self.chance.choice([None, "tbd", "Send the offer to the buyer"]),
            "CloseDate": self.day(self.chance.randint(-20, 90)),
            "Description": self.chance.choice(["", "called them"]),
        }
        name = self.chance.choice(sorted(values))
        self.change(self.deal(), **{name: values[name]})

    def move(self) -> None:
        self.change(self.deal(), StageName=self.chance.choice(STAGES))

    def promise(self) -> None:
        self.change(self.deal(), CloseDate=self.day(self.chance.randint(5, 60)), NextStep="Call on the offer")

    def meet(self) -> None:
        deal = self.deal()
        self.sandbox.org.create(
            "Task",
            {
                "Subject": "Call",
                "WhatId": deal["Id"],
                "Status": "Completed",
                "ActivityDate": self.day(0),
                "TaskSubtype": "Call",
            },
        )

    def create(self) -> None:
        self.created += 1
        fields = {"Name": f"New deal {self.created}", "StageName": "Qualification", "CloseDate": self.day(40)}
        account = self.sandbox.org.create("Account", {"Name": f"New company {self.created}"})
        self.sandbox.org.create("Opportunity", {**fields, "AccountId": account})

    def delete(self) -> None:
        self.sandbox.org.delete("Opportunity", str(self.deal()["Id"]))

    def hand_over(self) -> None:
        users = [row for row in self.rows("User") if row["IsActive"]]
        self.change(self.deal(), OwnerId=self.chance.choice(users)["Id"])

    def rename(self) -> None:
        account = self.some("Account")
        self.sandbox.org.update("Account", str(account["Id"]), {"Name": f"{account['Name']} Group"[:80]})

    def meddle(self) -> None:
        """Whoever may edit our fields does it, too."""
        values = {
            "Pipelint_Flags__c": None,
            "Pipelint_Severity__c": self.chance.choice([None, "clean", "info"]),
            "Pipelint_Hygiene__c": 100,
        }
        name = self.chance.choice(sorted(values))
        self.change(self.deal(), **{name: values[name]})

    def merge(self) -> None:
        """As Salesforce merges two accounts: what belongs to one goes to the other, and it names its master."""
        accounts = self.rows("Account")
        if len(accounts) < 10:
            return
        kept, lost = self.chance.sample(accounts, 2)
        for child in ("Opportunity", "Contact"):
            for row in self.rows(child):
                if row["AccountId"] == lost["Id"]:
                    self.sandbox.org.update(child, str(row["Id"]), {"AccountId": kept["Id"]})
        self.sandbox.org.delete("Account", str(lost["Id"]))
        store = self.sandbox.org.store
        now = stamp(self.sandbox.clock.now())
        store.update(
            store.schema["Account"],
            str(lost["Id"]),
            {"MasterRecordId": kept["Id"], "SystemModstamp": now},
        )

    def change(self, row: Row, **values: object) -> None:
        self.sandbox.org.update("Opportunity", str(row["Id"]), values)

    def deal(self) -> Row:
        """Mostly an open one."""
        deals = self.rows("Opportunity")
        still_open = [row for row in deals if not row["IsClosed"]]
        return self.chance.choice(still_open if self.chance.random() < 0.9 else deals)

    def some(self, sobject: str) -> Row:
        return self.chance.choice(self.rows(sobject))

    def rows(self, sobject: str) -> list[Row]:
        store = self.sandbox.org.store
        return [row for row in store.find_all(store.schema[sobject]) if not row.get("IsDeleted")]

    def day(self, ahead: int) -> str:
        return str((self.sandbox.clock.now() + timedelta(days=ahead)).date())
