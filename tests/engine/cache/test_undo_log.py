"""What is noted of a change: the values it replaced, when it happened, and nothing that is not a change."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pipelint.engine.cache.coverage import beginnings, held_at
from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    LineItem,
    Opportunity,
    Owner,
    Stage,
    Stream,
)
from tests.engine.cache.crm import CRM, hour, page, pulled, rows, supply, whole


@pytest.fixture
def cache():
    with Cache.open(":memory:") as opened:
        yield opened


def noted(cache: Cache) -> list[tuple[Any, ...]]:
    """Stream, key, hour, event and former values, without the empty ones."""
    found = rows(cache, "SELECT stream, key, at, event, was FROM undo_log ORDER BY id")
    return [
        (
            stream,
            json.loads(str(key)),
            (int(str(at)) - microseconds(hour(0))) / 3_600_000_000,
            event,
            {name: value for name, value in json.loads(str(was or "{}")).items() if value is not None},
        )
        for stream, key, at, event, was in found
    ]


def deal(at: float, id_: str = "1", **values: object) -> Opportunity:
    return Opportunity(id_, hour(at))._replace(**values)  # type: ignore[arg-type]


def test_a_first_pull_notes_nothing(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0), deal(0, "2")), at=hour(1))
    assert noted(cache) == []


def test_the_moment_is_the_stamp_of_the_crm_where_it_lies_between_the_pulls(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0, name="A")), at=hour(1))
    pulled(cache, page(Stream.OPPORTUNITIES, deal(1.5, name="B")), at=hour(2))
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0.5, name="C")), at=hour(3))
    assert noted(cache) == [
        ("opportunity", ["1"], 1.5, "changed", {"name": "A"}),
        ("opportunity", ["1"], 3.0, "changed", {"name": "B"}),
    ]


def test_a_record_that_was_only_touched_has_not_changed(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0, name="A")), at=hour(1))
    pulled(cache, page(Stream.OPPORTUNITIES, deal(1.5, name="A")), at=hour(2))
    assert noted(cache) == []


def test_a_record_that_comes_goes_and_returns(cache):
    pulled(cache, page(Stream.OPPORTUNITIES), at=hour(1))
    pulled(cache, page(Stream.OPPORTUNITIES, deal(1.7, created_at=hour(1.5), name="A")), at=hour(2))
    pulled(cache, page(Stream.OPPORTUNITIES, deleted=["1"]), at=hour(3))
    pulled(cache, page(Stream.OPPORTUNITIES, deal(1.7, created_at=hour(1.5), name="A")), at=hour(4))
    assert noted(cache) == [
        ("opportunity", ["1"], 1.5, "came", {}),
        (
            "opportunity",
            ["1"],
            3.0,
            "went",
            {"id": "1", "name": "A", "created_at": microseconds(hour(1.5)), "custom": "{}"},
        ),
        ("opportunity", ["1"], 4.0, "came", {}),
    ]


KINDS: dict[Stream, tuple[Any, dict[str, object], dict[str, object]]] = {
    Stream.OWNERS: (Owner("1", hour(0), active=True), {"active": False}, {"active": 1}),
    Stream.STAGES: (Stage("1", "p", label="Open"), {"label": "Lead"}, {"label": "Open"}),
    Stream.ACCOUNTS: (Account("1", hour(0), name="A"), {"name": "B"}, {"name": "A"}),
    Stream.CONTACTS: (Contact("1", hour(0), email="a@a.example"), {"email": None}, {"email": "a@a.example"}),
    Stream.CONTACT_ROLES: (ContactRole("1", hour(0), "o", role="User"), {"role": "Buyer"}, {"role": "User"}),
    Stream.ACTIVITIES: (Activity("1", hour(0), planned_at=hour(1)), {"planned_at": None}, {"planned_at": 1}),
    Stream.LINE_ITEMS: (
        LineItem("1", hour(0), "o", amount=Decimal("5.0")),
        {"amount": None},
        {"amount": "5"},
    ),
}


@pytest.mark.parametrize("stream", KINDS)
def test_every_kind_of_record_is_noted(cache, stream):
    before, change, was = KINDS[stream]
    pulled(cache, page(stream, before), at=hour(1))
    pulled(cache, page(stream, before._replace(**change)), at=hour(2))
    if stream is Stream.ACTIVITIES:
        was = {"planned_at": microseconds(hour(1))}
    assert [(event, values) for *_, event, values in noted(cache)] == [("changed", was)]


def test_of_an_activity_those_links_are_noted_that_came_or_went(cache):
    call = Activity("call", hour(0))
    to = {name: ActivityLink("contact", name, "call") for name in "abc"}
    pulled(cache, page(Stream.ACTIVITIES, call, to["a"], to["b"]), at=hour(1))
    pulled(cache, page(Stream.ACTIVITIES, call._replace(modified_at=hour(1.5)), to["b"], to["c"]), at=hour(2))
    assert [(key[1], at, event) for _, key, at, event, _ in noted(cache)] == [
        ("c", 1.5, "came"),
        ("a", 1.5, "went"),
    ]


def test_links_that_follow_from_others_are_not_noted(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0)), at=hour(1))
    call, link = Activity("call", hour(0)), ActivityLink("account", "acc", "call")
    pulled(cache, page(Stream.ACTIVITIES, call, link), at=hour(1))
    pulled(cache, page(Stream.OPPORTUNITIES, deal(1.5, account="acc")), at=hour(2))
    assert rows(cache, "SELECT via FROM activity_link ORDER BY 1") == [("account",), ("direct",)]
    assert [stream for stream, *_ in noted(cache)] == ["opportunity"]
    # One that was logged on the opportunity, too, is a link of its own from then on.
    direct = ActivityLink("opportunity", "1", "call")
    pulled(cache, page(Stream.ACTIVITIES, call, link, direct), at=hour(3))
    assert noted(cache)[1:] == [("activity_link", ["opportunity", "1", "call"], 3.0, "came", {})]


def test_what_goes_with_a_record_is_kept_too(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0)), at=hour(1))
    pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("role", hour(0), "1", role="User")), at=hour(1))
    pulled(cache, page(Stream.LINE_ITEMS, LineItem("item", hour(0), "1", name="Seat")), at=hour(1))
    pulled(cache, page(Stream.OPPORTUNITIES, deleted=["1"]), at=hour(2))
    assert {(stream, event) for stream, _, _, event, _ in noted(cache)} == {
        ("opportunity", "went"),
        ("contact_role", "went"),
        ("line_item", "went"),
    }


def test_a_field_that_is_new_to_us_did_not_change_but_one_that_we_lose_is_kept(cache):
    plain = supply(Stream.OPPORTUNITIES, "Old__c", without=["amount"])
    more = supply(Stream.OPPORTUNITIES, "Old__c", "New__c")
    first = deal(0, custom={"Old__c": "x"})
    second = deal(0, custom={"Old__c": "x", "New__c": "y"}, amount=Decimal(1))
    pulled(cache, page(Stream.OPPORTUNITIES, first), at=hour(1), supplied=plain)
    pulled(cache, page(Stream.OPPORTUNITIES, second), at=hour(2), supplied=more)
    assert noted(cache) == []
    third = deal(0, custom={"Old__c": "z", "New__c": "y"}, amount=Decimal(1))
    pulled(cache, page(Stream.OPPORTUNITIES, third), at=hour(3), supplied=more)
    pulled(cache, page(Stream.OPPORTUNITIES, deal(0, custom={"Old__c": "z"})), at=hour(4), supplied=plain)
    assert [(at, values) for _, _, at, _, values in noted(cache)] == [
        (3.0, {"custom": '{"New__c":"y","Old__c":"x"}'}),
        (4.0, {"custom": '{"New__c":"y","Old__c":"z"}', "amount": "1"}),
    ]


def test_a_full_pull_that_brings_nothing_new_notes_nothing(cache):
    call, link = Activity("call", hour(0)), ActivityLink("contact", "con", "call")
    for at in (1, 2, 3):
        pulled(cache, page(Stream.ACTIVITIES, call, link), at=hour(at), full=True)
        pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("role", hour(0), "1")), at=hour(at), full=True)
    assert noted(cache) == []


class TestHeld:
    """Which fields were held when."""

    def test_a_field_is_held_from_the_end_of_the_pull_that_first_brought_all_of_it(self, cache):
        plain, more = supply(Stream.LEADS), supply(Stream.LEADS, "New__c")
        pulled(cache, page(Stream.LEADS), at=hour(1), supplied=plain)
        number = cache.begin_pull(CRM)
        cache.begin_stream(CRM, more, number)
        first, last = whole(page(Stream.LEADS), page(Stream.LEADS))
        cache.store(CRM, first, more, number, hour(2))
        assert held_at(cache.db, CRM, hour(2))[Stream.LEADS].custom == frozenset()
        cache.store(CRM, last, more, number, hour(3))
        cache.finish_stream(CRM, more, hour(2))
        assert held_at(cache.db, CRM, hour(0.9)) == {}
        assert held_at(cache.db, CRM, hour(2))[Stream.LEADS].custom == frozenset()
        assert held_at(cache.db, CRM, hour(3))[Stream.LEADS].custom == {"New__c"}
        assert beginnings(cache.db, CRM) == [hour(1), hour(3)]

    def test_one_that_is_withheld_was_held_until_the_last_pull_that_brought_it(self, cache):
        everything, less = supply(Stream.LEADS), supply(Stream.LEADS, without=["status"])
        for at, offered in ((1, everything), (2, everything), (3, less), (4, everything)):
            pulled(cache, page(Stream.LEADS), at=hour(at), supplied=offered)
        held = [
            at
            for at in (1, 2, 2.5, 3, 4)
            if "status" in held_at(cache.db, CRM, hour(at))[Stream.LEADS].fields
        ]
        assert held == [1, 2, 4]

    def test_a_stream_that_is_not_delivered_any_more_ends(self, cache):
        pulled(cache, page(Stream.LEADS), at=hour(1))
        cache.withdraw(CRM, Stream.LEADS)
        assert Stream.LEADS in held_at(cache.db, CRM, hour(1))
        assert held_at(cache.db, CRM, hour(2)) == {}
