"""The generated organisation as Salesforce records, written in bulk past the rules that bind the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice
from random import Random

from pipelint.sandbox import names
from pipelint.sandbox.deals import deals
from pipelint.sandbox.diagnoses import Diagnoses
from pipelint.sandbox.organisation import (
    LOST,
    WON,
    Activity,
    Chance,
    Company,
    Deal,
    Lead,
    leads,
    sellers,
)
from pipelint.sandbox.salesforce.currencies import CORPORATE, OF_LANGUAGE
from pipelint.sandbox.salesforce.fill_products import Catalogue
from pipelint.sandbox.salesforce.fill_rows import (
    audit,
    email_row,
    event_row,
    history_rows,
    lead_row,
    pushes,
    task_row,
)
from pipelint.sandbox.salesforce.fill_users import make_users
from pipelint.sandbox.salesforce.opportunity import API_CATEGORY, expected_revenue
from pipelint.sandbox.salesforce.setup import LEAD_QUEUE, Setup
from pipelint.sandbox.salesforce.stages import STAGE
from pipelint.sandbox.salesforce.store import Row, Value
from pipelint.sandbox.salesforce.values import stamp

BATCH = 1_000
ARCHIVE_AFTER = timedelta(days=365)
EMAILS_SINCE = timedelta(days=90)
"""So long ago e-mails began to be stored as EmailMessage; older ones are tasks alone."""
MASS_UPDATE_DAYS = 20
"""So many days ago a colleague changed all older closed deals at once: they share one stamp."""

_RECORD_TYPES = {"new-business": "New_Business", "renewal": "Renewal"}


def fill(setup: Setup, size: int, seed: int) -> dict[str, list[str]]:
    """Generate `size` opportunities with all around them; answers which deals have which illness."""
    chance = Chance(Random(seed), setup.clock.now())  # noqa: S311 - repeatable, not secret
    team = sellers(size)
    filler = _Filler(setup, chance, make_users(setup, team))
    diagnoses = Diagnoses()
    made = deals(chance, size, team)
    while batch := list(islice(made, BATCH)):
        for opportunity, deal in zip(filler.write(batch), batch, strict=True):
            diagnoses.add(opportunity, deal)
    filler.write_leads(leads(chance, size // 4))
    return diagnoses.by_illness()


class _Filler:
    """Turns deals into rows, a batch at a time, each table in one statement."""

    def __init__(self, setup: Setup, chance: Chance, users: list[str]) -> None:
        self.store = setup.store
        self.now = chance.now
        self.users = users
        self.colleague = setup.colleague
        types = setup.store.find_all(setup.store.schema["RecordType"])
        self.catalogue = Catalogue(setup)
        self.emails = {
            str(it["Id"]): str(it["Email"]) for it in setup.store.find_all(setup.store.schema["User"])
        }
        self.currency = CORPORATE
        self.record_types = {str(it["DeveloperName"]): it["Id"] for it in types}
        self.accounts: dict[int, str] = {}
        self.rows: defaultdict[str, list[Row]] = defaultdict(list)

    def write(self, batch: list[Deal]) -> list[str]:
        """Insert a batch of deals, and answer their ids."""
        ids = self.store.reserve(self.store.schema["Opportunity"], len(batch))
        for opportunity, deal in zip(ids, batch, strict=True):
            self.currency = _currency(deal)
            account = None if deal.company is None else self._account(deal.company, deal)
            contacts = self._contacts(deal, opportunity, account)
            self._activities(deal, opportunity, account, contacts)
            for sobject, row in history_rows(deal, opportunity, self.users[deal.owner]):
                self._add(sobject, row)
            self._items(deal, opportunity)
            self._opportunity(deal, opportunity, account)
        self._flush()
        return ids

    def write_leads(self, made: Iterable[Lead]) -> None:
        """Insert leads, spread over all sellers."""
        queue = self.store.find(self.store.schema["Group"], Name=LEAD_QUEUE) or {}
        for number, (lead, owner) in enumerate(zip(made, cycle(self.users), strict=False)):
            self.currency = OF_LANGUAGE[lead.language]
            waits = lead.status == "new" and number % 3 == 0
            self._add("Lead", lead_row(lead, str(queue["Id"]) if waits else owner))
        self._flush()

    def _add(self, sobject: str, row: Mapping[str, Value]) -> None:
        if "CurrencyIsoCode" in self.store.schema[sobject].fields:
            row = {**row, "CurrencyIsoCode": self.currency}
        self.rows[sobject].append(dict(row))

    def _flush(self) -> None:
        """Insert what has gathered; rows without an id get the next ones."""
        for name, rows in self.rows.items():
            sobject = self.store.schema[name]
            without = [row for row in rows if "Id" not in row]
            for row, record_id in zip(without, self.store.reserve(sobject, len(without)), strict=True):
                row["Id"] = record_id
            columns = list(rows[0])
            self.store.insert_many(sobject, columns, ([row[it] for it in columns] for row in rows))
        self.rows.clear()

    def _account(self, company: Company, deal: Deal) -> str:
        if company.number not in self.accounts:
            [record_id] = self.store.reserve(self.store.schema["Account"])
            self.accounts[company.number] = record_id
            created = deal.created_at - timedelta(days=30)
            industries = self.store.schema["Account"].fields["Industry"].choices
            self._add(
                "Account",
                audit(created, created, self.users[deal.owner])
                | {
                    "Id": record_id,
                    "Name": company.name,
                    "Type": "Customer - Direct" if deal.pipeline == "renewal" else "Prospect",
                    "Industry": industries[company.number % len(industries)].value,
                    "NumberOfEmployees": company.employees,
                    "AnnualRevenue": float(company.employees * 180_000),
                    "Website": f"https://www.{company.domain}",
                    "BillingCity": company.city,
                    "BillingCountry": names.COUNTRIES[company.language],
                    "OwnerId": self.users[deal.owner],
                },
            )
        return self.accounts[company.number]

    def _contacts(self, deal: Deal, opportunity: str, account: str | None) -> list[str]:
        ids = self.store.reserve(self.store.schema["Contact"], len(deal.contacts))
        stamps = audit(deal.created_at, deal.created_at, self.users[deal.owner])
        for number, (record_id, contact) in enumerate(zip(ids, deal.contacts, strict=True)):
            self._add(
                "Contact",
                stamps
                | {
                    "Id": record_id,
                    "AccountId": account,
                    "FirstName": contact.first,
                    "LastName": contact.last,
                    "Name": contact.name,
                    "Title": contact.title,
                    "Email": contact.email,
                    "OwnerId": self.users[deal.owner],
                },
            )
            self._add(
                "OpportunityContactRole",
                stamps
                | {
                    "OpportunityId": opportunity,
                    "ContactId": record_id,
                    "Role": contact.role,
                    "IsPrimary": int(number == 0),
                },
            )
        return ids

    def _activities(self, deal: Deal, opportunity: str, account: str | None, contacts: list[str]) -> None:
        for activity in deal.activities:
            created = min(activity.at, self.now - timedelta(days=1))
            links = {
                "WhatId": opportunity,
                "WhoId": None if activity.contact is None else contacts[activity.contact],
                "AccountId": account,
                "OwnerId": self.users[deal.owner],
                "IsArchived": int(activity.done and activity.at < self.now - ARCHIVE_AFTER),
            }
            row = audit(created, created, self.users[deal.owner]) | links
            if activity.kind == "meeting":
                self._meeting(row | event_row(activity), contacts)
            else:
                self._task(row | task_row(activity), activity, deal)

    def _meeting(self, row: Row, contacts: list[str]) -> None:
        """A meeting, to which one more person of the customer's is invited where there is one."""
        [row["Id"]] = self.store.reserve(self.store.schema["Event"])
        self._add("Event", row)
        others = [it for it in contacts if it != row["WhoId"]]
        if others:
            invitee = {"EventId": row["Id"], "RelationId": others[0], "AccountId": row["AccountId"]}
            self._add("EventRelation", _stamps(row) | invitee | {"IsInvitee": 1, "Status": "Accepted"})

    def _task(self, row: Row, activity: Activity, deal: Deal) -> None:
        """A task; e-mails are stored as such, too, since that was switched on."""
        [row["Id"]] = self.store.reserve(self.store.schema["Task"])
        self._add("Task", row)
        stored = activity.kind == "email" and activity.at > self.now - EMAILS_SINCE
        if stored and activity.contact is not None:
            message = email_row(
                activity, deal.contacts[activity.contact].email, self.emails[str(row["OwnerId"])]
            )
            links = {"ActivityId": row["Id"], "RelatedToId": row["WhatId"]}
            self._add("EmailMessage", _stamps(row) | links | message)

    def _items(self, deal: Deal, opportunity: str) -> None:
        stamps = audit(deal.created_at, deal.created_at, self.users[deal.owner])
        for product, quantity, price in deal.items:
            line = self.catalogue.line(deal, product, quantity, price)
            self._add("OpportunityLineItem", stamps | {"OpportunityId": opportunity} | line)

    def _opportunity(self, deal: Deal, opportunity: str, account: str | None) -> None:
        stage = STAGE[deal.stage]
        probability = float(stage.probability if deal.probability is None else deal.probability)
        category = deal.category or stage.category
        closes = deal.close_date
        self._add(
            "Opportunity",
            audit(deal.created_at, self._modified(deal), self.users[deal.owner])
            | self._activity_summary(deal)
            | {
                "Id": opportunity,
                "AccountId": account,
                "RecordTypeId": self.record_types[_RECORD_TYPES[deal.pipeline]],
                "Name": deal.name[:120],
                "StageName": deal.stage,
                "Amount": deal.amount,
                "Probability": probability,
                "ExpectedRevenue": expected_revenue(deal.amount, probability),
                "CloseDate": closes.isoformat(),
                "Type": "Existing Customer - Upgrade" if deal.pipeline == "renewal" else "New Customer",
                "NextStep": deal.next_step,
                "LeadSource": deal.source,
                "IsClosed": int(stage.closed),
                "IsWon": int(stage.won),
                "ForecastCategory": API_CATEGORY[category],
                "ForecastCategoryName": category,
                "HasOpportunityLineItem": int(bool(deal.items)),
                "OwnerId": self.users[deal.owner],
                "LastStageChangeDate": stamp(deal.stages[-1][1]) if len(deal.stages) > 1 else None,
                "PushCount": pushes(deal),
                "FiscalYear": closes.year,
                "FiscalQuarter": (closes.month + 2) // 3,
                "Fiscal": f"{closes.year} {(closes.month + 2) // 3}",
                "Need__c": deal.need,
                "Decision_Makers__c": deal.decision_makers,
                "Budget__c": deal.budget,
                "Deadline__c": _iso(deal.deadline),
                "Risk__c": deal.risk,
                "Loss_Reason__c": deal.loss_reason,
                "Next_Step_Date__c": _iso(deal.next_step_date),
            },
        )
        if deal.stage in {WON, LOST} and deal.stages[-1][1] < self._mass_update:
            self.rows["Opportunity"][-1] |= {"LastModifiedById": self.colleague}

    @property
    def _mass_update(self) -> datetime:
        day = (self.now - timedelta(days=MASS_UPDATE_DAYS)).date()
        return datetime.combine(day, time(6, 30), UTC)

    def _modified(self, deal: Deal) -> datetime:
        last = max([deal.stages[-1][1], *(it.at for it in deal.changes)])
        return last if deal.is_open else max(last, self._mass_update)

    def _activity_summary(self, deal: Deal) -> Row:
        done = [it.at for it in deal.activities if it.done]
        planned = [it for it in deal.activities if not it.done]
        return {
            "LastActivityDate": max(done).date().isoformat() if done else None,
            "HasOpenActivity": int(bool(planned)),
            "HasOverdueTask": int(any(it.kind == "task" and it.at < self.now for it in planned)),
        }


def _currency(deal: Deal) -> str:
    """Most customers pay in the currency of their country, some in dollars."""
    dollars = deal.language == "en" and deal.company is not None and deal.company.number % 4 == 0
    return "USD" if dollars else OF_LANGUAGE[deal.language]


def _stamps(row: Row) -> Row:
    """Who made a row, and when, for rows that come with it."""
    names = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
    return {name: row[name] for name in names}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
