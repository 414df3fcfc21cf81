"""What pointed at a record that was merged away points at the one that stayed."""

from __future__ import annotations

from pipelint.connectors.base import Page
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    Lead,
    Opportunity,
    Record,
    Stream,
)
from tests.engine.cache.crm import START, hour, page, pulled, rows


def merge(cache: Cache, stream: Stream, loser: str, winner: Record) -> None:
    changed = Page(stream, (winner,), "next", (loser,), merged={loser: winner.id})  # type: ignore[union-attr]
    pulled(cache, changed, at=hour(1))


def test_opportunities_and_contacts_of_an_account_follow_it():
    with Cache.open(":memory:") as cache:
        pulled(cache, page(Stream.ACCOUNTS, Account("one", START), Account("two", START)))
        pulled(cache, page(Stream.CONTACTS, Contact("con", START, account="two")))
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START, account="two")))
        merge(cache, Stream.ACCOUNTS, "two", Account("one", hour(1)))
        assert rows(cache, "SELECT id FROM account") == [("one",)]
        assert rows(cache, "SELECT account FROM opportunity") == [("one",)]
        assert rows(cache, "SELECT account FROM contact") == [("one",)]


def test_activities_of_an_account_follow_it_and_count_for_its_opportunities():
    with Cache.open(":memory:") as cache:
        link = ActivityLink("account", "two", "call")
        pulled(cache, page(Stream.ACCOUNTS, Account("one", START), Account("two", START)))
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START, account="one")))
        pulled(cache, page(Stream.ACTIVITIES, Activity("call", START), link))
        merge(cache, Stream.ACCOUNTS, "two", Account("one", hour(1)))
        query = "SELECT kind, record, via FROM activity_link ORDER BY 1"
        assert rows(cache, query) == [("account", "one", "direct"), ("opportunity", "opp", "account")]


def test_roles_of_a_contact_follow_it_instead_of_going_with_it():
    with Cache.open(":memory:") as cache:
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START)))
        pulled(cache, page(Stream.CONTACTS, Contact("con", START), Contact("twin", START)))
        pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("role", START, "opp", "twin")))
        link = ActivityLink("contact", "twin", "call")
        pulled(cache, page(Stream.ACTIVITIES, Activity("call", START), link))
        merge(cache, Stream.CONTACTS, "twin", Contact("con", hour(1)))
        assert rows(cache, "SELECT contact FROM contact_role") == [("con",)]
        query = "SELECT kind, record, via FROM activity_link ORDER BY 1"
        assert rows(cache, query) == [("contact", "con", "direct"), ("opportunity", "opp", "contact")]


def test_a_lead_follows_its_contact_with_the_activities_of_both():
    with Cache.open(":memory:") as cache:
        pulled(cache, page(Stream.CONTACTS, Contact("con", START), Contact("twin", START)))
        pulled(cache, page(Stream.LEADS, Lead("lead", START, contact="twin")))
        calls = [ActivityLink("contact", contact, f"call {contact}") for contact in ("con", "twin")]
        pulled(cache, page(Stream.ACTIVITIES, *(Activity(call.activity, START) for call in calls), *calls))
        merge(cache, Stream.CONTACTS, "twin", Contact("con", hour(1)))
        assert rows(cache, "SELECT contact FROM lead") == [("con",)]
        query = "SELECT record, activity FROM activity_link WHERE kind = 'lead' ORDER BY 2"
        assert rows(cache, query) == [("lead", "call con"), ("lead", "call twin")]
