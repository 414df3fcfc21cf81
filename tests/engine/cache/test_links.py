"""Activities count for an opportunity directly, by its contacts and its account; for a lead by its contact."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipelint.engine.cache.sqlite import Cache
from pipelint.records import Account, Activity, ActivityLink, Contact, ContactRole, Lead, Opportunity, Stream
from tests.engine.cache.crm import START, hour, page, pulled, rows


def counted(cache: Cache, kind: str = "opportunity") -> list[tuple[object, ...]]:
    query = f"SELECT record, activity, via FROM activity_link WHERE kind = '{kind}' ORDER BY 1, 2"
    return rows(cache, query)


def test_direct_wins_over_contact_and_contact_over_account():
    with Cache.open(":memory:") as cache:
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START, account="acc")))
        pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("role", START, "opp", "con")))
        to_account = ActivityLink("account", "acc", "call")
        to_contact = ActivityLink("contact", "con", "call")
        direct = ActivityLink("opportunity", "opp", "call")
        for links, via in (
            ((to_account,), "account"),
            ((to_account, to_contact), "contact"),
            ((to_account, to_contact, direct), "direct"),
            ((direct,), "direct"),
            ((to_contact,), "contact"),
        ):
            pulled(cache, page(Stream.ACTIVITIES, Activity("call", START), *links))
            assert counted(cache) == [("opp", "call", via)]
        pulled(cache, page(Stream.ACTIVITIES, Activity("call", START)))
        assert counted(cache) == []


def test_an_opportunity_that_changes_its_account_changes_its_activities():
    with Cache.open(":memory:") as cache:
        calls = [ActivityLink("account", account, f"call {account}") for account in ("one", "two")]
        pulled(cache, page(Stream.ACTIVITIES, *(Activity(call.activity, START) for call in calls), *calls))
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START, account="one")))
        assert counted(cache) == [("opp", "call one", "account")]
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", hour(1), account="two")))
        assert counted(cache) == [("opp", "call two", "account")]
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", hour(2))))
        assert counted(cache) == []


def test_a_lead_that_changes_its_contact_changes_its_activities():
    with Cache.open(":memory:") as cache:
        calls = [ActivityLink("contact", contact, f"call {contact}") for contact in ("one", "two")]
        pulled(cache, page(Stream.LEADS, Lead("lead", START, contact="one")))
        pulled(cache, page(Stream.ACTIVITIES, *(Activity(call.activity, START) for call in calls), *calls))
        assert counted(cache, "lead") == [("lead", "call one", "contact")]
        pulled(cache, page(Stream.LEADS, Lead("lead", hour(1), contact="two")))
        assert counted(cache, "lead") == [("lead", "call two", "contact")]
        pulled(cache, page(Stream.LEADS, Lead("lead", hour(2))))
        assert counted(cache, "lead") == []


def test_an_unchanged_opportunity_is_not_derived_again():
    with Cache.open(":memory:") as cache:
        link = ActivityLink("account", "acc", "call")
        pulled(cache, page(Stream.ACTIVITIES, Activity("call", START), link))
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START, account="acc")))
        before = rows(cache, "SELECT pull FROM activity_link WHERE via = 'account'")
        pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", hour(1), name="New", account="acc")))
        assert rows(cache, "SELECT pull FROM activity_link WHERE via = 'account'") == before


def of_leads_from_scratch(cache: Cache) -> list[tuple[object, ...]]:
    """The same for leads."""
    direct = rows(cache, "SELECT kind, record, activity FROM activity_link WHERE via = 'direct'")
    found = {
        (lead, activity): "contact"
        for lead, contact in rows(cache, "SELECT id, contact FROM lead")
        for kind, record, activity in direct
        if kind == "contact" and record == contact
    }
    found |= {(record, activity): "direct" for kind, record, activity in direct if kind == "lead"}
    return sorted((lead, activity, via) for (lead, activity), via in found.items())


def from_scratch(cache: Cache) -> list[tuple[object, ...]]:
    """The same, derived at once from what is held."""
    direct = rows(cache, "SELECT kind, record, activity FROM activity_link WHERE via = 'direct'")
    found: dict[tuple[object, object], str] = {}
    for opportunity, account in rows(cache, "SELECT id, account FROM opportunity"):
        for kind, record, activity in direct:
            if kind == "account" and record == account:
                found[opportunity, activity] = "account"
    for opportunity, contact in rows(cache, "SELECT opportunity, contact FROM contact_role"):
        for kind, record, activity in direct:
            if kind == "contact" and record == contact:
                found[opportunity, activity] = "contact"
    for kind, record, activity in direct:
        if kind == "opportunity":
            found[record, activity] = "direct"
    return sorted((opportunity, activity, via) for (opportunity, activity), via in found.items())


few = st.sampled_from("abc")
maybe = st.none() | few
opportunities = st.tuples(few, maybe).map(lambda t: Opportunity(t[0], START, account=t[1]))
leads = st.tuples(few, maybe).map(lambda t: Lead(t[0], START, contact=t[1]))
roles = st.tuples(few, few, maybe).map(lambda t: ContactRole(t[0], START, t[1], t[2]))
links = st.tuples(st.sampled_from(["opportunity", "account", "contact", "lead"]), few)


class AnySequenceOfPages(RuleBasedStateMachine):
    """Whatever comes in whatever order, in changes or in full."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = Cache.open(":memory:")

    def teardown(self) -> None:
        self.cache.close()

    @rule(records=st.lists(opportunities, max_size=4), deleted=st.lists(few, max_size=1), full=st.booleans())
    def pull_opportunities(self, records, deleted, full):
        pulled(self.cache, page(Stream.OPPORTUNITIES, *records, deleted=deleted), full=full)

    @rule(records=st.lists(leads, max_size=4), deleted=st.lists(few, max_size=1), full=st.booleans())
    def pull_leads(self, records, deleted, full):
        pulled(self.cache, page(Stream.LEADS, *records, deleted=deleted), full=full)

    @rule(records=st.lists(roles, max_size=4), deleted=st.lists(few, max_size=1), full=st.booleans())
    def pull_roles(self, records, deleted, full):
        pulled(self.cache, page(Stream.CONTACT_ROLES, *records, deleted=deleted), full=full)

    @rule(
        of=st.dictionaries(few, st.lists(links, max_size=4), max_size=3),
        deleted=st.lists(few, max_size=1),
        full=st.booleans(),
    )
    def pull_activities(self, of, deleted, full):
        records = [Activity(activity, START) for activity in of]
        told = [ActivityLink(kind, id_, activity) for activity, some in of.items() for kind, id_ in some]
        pulled(self.cache, page(Stream.ACTIVITIES, *records, *told, deleted=deleted), full=full)

    @rule(records=st.lists(few, max_size=2), deleted=st.lists(few, max_size=1), full=st.booleans())
    def pull_accounts(self, records, deleted, full):
        accounts = [Account(id_, START) for id_ in records]
        pulled(self.cache, page(Stream.ACCOUNTS, *accounts, deleted=deleted), full=full)

    @rule(records=st.lists(few, max_size=2), deleted=st.lists(few, max_size=1), full=st.booleans())
    def pull_contacts(self, records, deleted, full):
        contacts = [Contact(id_, START) for id_ in records]
        pulled(self.cache, page(Stream.CONTACTS, *contacts, deleted=deleted), full=full)

    @rule(stream=st.sampled_from([Stream.ACCOUNTS, Stream.CONTACTS, Stream.ACTIVITIES]), id_=few)
    @precondition(lambda self: self.cache.counts())
    def erase(self, stream, id_):
        self.cache.delete("acme", stream, [id_])

    @invariant()
    def derived_rows_are_those_of_a_derivation_from_scratch(self):
        assert counted(self.cache) == from_scratch(self.cache)
        assert counted(self.cache, "lead") == of_leads_from_scratch(self.cache)


TestAnySequenceOfPages = AnySequenceOfPages.TestCase
TestAnySequenceOfPages.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
