"""Pages into tables: what is stored, replaced, and removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.connectors.base import Page
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    FieldChange,
    LineItem,
    Opportunity,
    Owner,
    Pipeline,
    Stage,
    StageChange,
    Stream,
)
from tests.engine.cache.crm import CRM, START, dump, hour, page, pulled, rows, supply


@pytest.fixture
def cache():
    with Cache.open(":memory:") as opened:
        yield opened


@pytest.fixture
def deal(cache):
    """An opportunity with one of everything that hangs on it."""
    pulled(cache, page(Stream.ACCOUNTS, Account("acc", START)))
    pulled(cache, page(Stream.CONTACTS, Contact("con", START)))
    pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("opp", START, account="acc")))
    pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("role", START, "opp", "con")))
    pulled(cache, page(Stream.STAGE_CHANGES, StageChange("move", "opp", None, "new", START)))
    pulled(cache, page(Stream.LINE_ITEMS, LineItem("line", START, "opp")))
    pulled(
        cache,
        page(Stream.FIELD_CHANGES, FieldChange("change", "opportunity", "opp", "amount", "1", "2", START)),
    )
    pulled(
        cache,
        page(
            Stream.ACTIVITIES,
            Activity("call", START),
            ActivityLink("opportunity", "opp", "call"),
            Activity("mail", START),
            ActivityLink("contact", "con", "mail"),
        ),
    )
    return cache


def held(cache: Cache) -> dict[str, int]:
    return {stream.value: number for stream, number in cache.counts().get(CRM, {}).items()}


def test_a_page_and_its_cursor_are_stored_together(cache):
    broken = page(Stream.OPPORTUNITIES, Opportunity("1", START), Opportunity("2", datetime(2026, 1, 1)))  # noqa: DTZ001
    with pytest.raises(TypeError):
        cache.store(CRM, broken, supply(Stream.OPPORTUNITIES), 1, START)
    assert cache.cursor(CRM, Stream.OPPORTUNITIES) is None
    assert held(cache) == {}
    stored = page(Stream.OPPORTUNITIES, Opportunity("1", START), cursor="after 1")
    assert cache.store(CRM, stored, supply(Stream.OPPORTUNITIES), 1, START) == (1, 0)
    assert cache.cursor(CRM, Stream.OPPORTUNITIES) == "after 1"
    assert held(cache) == {"opportunity": 1}


def test_a_later_version_replaces_an_earlier_one(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("1", START, name="Old", type="New")))
    pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("1", hour(1), name="New")))
    assert rows(cache, "SELECT id, name, type, pull FROM opportunity") == [("1", "New", None, 2)]


def told_of(*parents: str, roles: Sequence[ContactRole] = ()) -> Page:
    return replace(page(Stream.CONTACT_ROLES, *roles), parents=parents)


def test_children_that_a_page_with_all_of_a_parent_does_not_hold_are_gone(deal):
    pulled(deal, page(Stream.CONTACT_ROLES, ContactRole("other", START, "elsewhere", "con")))
    moved = ContactRole("new", START, "opp", "con")
    assert pulled(deal, told_of("opp", roles=[moved])) == 1
    assert rows(deal, "SELECT id FROM contact_role ORDER BY id") == [("new",), ("other",)]
    assert pulled(deal, told_of("opp", roles=[moved])) == 0
    assert pulled(deal, told_of("opp", "nobody")) == 1
    assert rows(deal, "SELECT id FROM contact_role ORDER BY id") == [("other",)]


def test_with_its_last_contact_an_opportunity_loses_what_it_had_through_them(deal):
    through = "SELECT activity, via FROM activity_link WHERE kind = 'opportunity' ORDER BY 1"
    assert rows(deal, through) == [("call", "direct"), ("mail", "contact")]
    pulled(deal, told_of("opp"))
    assert rows(deal, through) == [("call", "direct")]


def test_connections_do_not_share_records(cache):
    for connection in ("north", "south"):
        offered = supply(Stream.OPPORTUNITIES)
        cache.store(connection, page(Stream.OPPORTUNITIES, Opportunity("1", START)), offered, 1, START)
    cache.delete("north", Stream.OPPORTUNITIES, ["1"])
    assert rows(cache, "SELECT connection, id FROM opportunity") == [("south", "1")]


def test_a_deleted_opportunity_takes_everything_that_hangs_on_it_but_its_history(deal):
    pulled(deal, page(Stream.OPPORTUNITIES, deleted=["opp"]))
    left = {
        "account": 1,
        "contact": 1,
        "activity": 2,
        "activity_link": 1,
        "stage_change": 1,
        "field_change": 1,
    }
    assert held(deal) == left
    assert rows(deal, "SELECT kind, record, activity FROM activity_link") == [("contact", "con", "mail")]


def test_a_deleted_contact_takes_its_roles_and_what_they_brought(deal):
    assert ("opp", "mail", "contact") in rows(deal, "SELECT record, activity, via FROM activity_link")
    pulled(deal, page(Stream.CONTACTS, deleted=["con"]))
    assert held(deal)["opportunity"] == 1
    assert "contact_role" not in held(deal)
    assert rows(deal, "SELECT record, activity, via FROM activity_link") == [("opp", "call", "direct")]


def test_deleting_what_is_not_there_is_fine(deal):
    before = dump(deal)
    for stream in Stream:
        stored = deal.store(CRM, page(stream, deleted=["nobody"]), supply(stream), 9, hour(1))
        assert stored == (0, 0)
    assert dump(deal) == before


def test_owners_stages_and_pipelines_retire_instead_since_old_records_name_them(cache):
    pulled(cache, page(Stream.OWNERS, Owner("ann", START, active=True), Owner("bob", START, active=True)))
    pulled(cache, page(Stream.STAGES, Stage("won", "p1"), Stage("won", "p2")))
    pulled(cache, page(Stream.PIPELINES, Pipeline("p1"), Pipeline("p2")))
    pulled(cache, page(Stream.OWNERS, deleted=["ann"]))
    assert pulled(cache, page(Stream.STAGES, Stage("won", "p1")), full=True) == 1
    assert pulled(cache, page(Stream.PIPELINES, Pipeline("p1")), full=True) == 1
    assert rows(cache, "SELECT id, active FROM owner") == [("ann", 0), ("bob", 1)]
    assert rows(cache, "SELECT pipeline, active FROM stage") == [("p1", None), ("p2", 0)]
    assert rows(cache, "SELECT id, active FROM pipeline") == [("p1", None), ("p2", 0)]


def test_a_full_pull_removes_what_it_did_not_see(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("1", START), Opportunity("2", START)))
    pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("r", START, "2", "con")))
    gone = pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("1", START)), full=True)
    assert gone == 1
    assert held(cache) == {"opportunity": 1}


def test_a_pull_of_changes_removes_nothing_that_it_did_not_see(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("1", START), Opportunity("2", START)))
    assert pulled(cache, page(Stream.OPPORTUNITIES, Opportunity("1", START))) == 0
    assert held(cache) == {"opportunity": 2}


def test_a_full_pull_keeps_history_that_the_crm_has_forgotten(cache):
    old, new = (StageChange(id_, "opp", None, "s", START) for id_ in ("old", "new"))
    change = FieldChange("change", "opportunity", "opp", "amount", "1", "2", START)
    pulled(cache, page(Stream.STAGE_CHANGES, old))
    pulled(cache, page(Stream.FIELD_CHANGES, change))
    pulled(cache, page(Stream.STAGE_CHANGES, new), full=True)
    pulled(cache, page(Stream.FIELD_CHANGES), full=True)
    assert held(cache) == {"stage_change": 2, "field_change": 1}


def test_a_role_that_moves_to_another_opportunity_does_not_count_twice(cache):
    pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("r", START, "one", "con")))
    pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("r", hour(1), "two", "con")))
    assert rows(cache, "SELECT opportunity, id FROM contact_role") == [("two", "r")]


def test_a_page_of_an_activity_holds_all_its_links(cache):
    one, two = ActivityLink("opportunity", "1", "call"), ActivityLink("lead", "2", "call")
    pulled(cache, page(Stream.ACTIVITIES, Activity("call", START), one, two))
    pulled(cache, page(Stream.ACTIVITIES, Activity("call", hour(1)), two))
    assert rows(cache, "SELECT kind, record, via FROM activity_link") == [("lead", "2", "direct")]
    pulled(cache, page(Stream.ACTIVITIES, deleted=["call"]))
    assert held(cache) == {}


def test_a_stream_says_how_many_of_its_own_records_it_stored(cache):
    stored = cache.store(
        CRM,
        page(Stream.ACTIVITIES, Activity("call", START), ActivityLink("lead", "1", "call")),
        supply(Stream.ACTIVITIES),
        1,
        START,
    )
    assert stored == (1, 0)


ids = st.sampled_from("abcd")
texts = st.sampled_from([None, "x", "y"])
opportunities = st.tuples(ids, texts, texts).map(
    lambda t: Opportunity(t[0], START, name=t[1], account=t[2], custom={"F": "1"})
)
roles = st.tuples(ids, ids, texts).map(lambda t: ContactRole(t[0], START, t[1], t[2]))
items = st.tuples(ids, ids).map(lambda t: LineItem(t[0], START, t[1]))


@settings(deadline=None)
@given(st.lists(opportunities, max_size=8), st.lists(roles, max_size=8), st.lists(items, max_size=8))
def test_storing_the_same_pages_again_changes_nothing(deals, parts, lines):
    with Cache.open(":memory:") as cache:
        first = [
            page(Stream.OPPORTUNITIES, *deals),
            page(Stream.CONTACT_ROLES, *parts),
            page(Stream.LINE_ITEMS, *lines),
        ]
        for each in first:
            pulled(cache, each)
        before = dump(cache)
        for each in first:
            pulled(cache, each)
        after = dump(cache)
    assert after == before


@settings(deadline=None)
@given(st.lists(opportunities, max_size=10), st.lists(roles, max_size=10), st.data())
def test_any_split_into_pages_gives_the_same_cache(deals, parts, data):
    def split(records: list[Any]) -> list[list[Any]]:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=4)))
        return [records[a:b] for a, b in zip([0, *cuts], [*cuts, len(records)], strict=True)]

    with Cache.open(":memory:") as whole, Cache.open(":memory:") as parted:
        for stream, records in ((Stream.OPPORTUNITIES, deals), (Stream.CONTACT_ROLES, parts)):
            pulled(whole, page(stream, *records))
            pulled(parted, *(page(stream, *some) for some in split(records)))
        assert dump(parted) == dump(whole)
