"""What is in force between pulls: nobody takes for blank what has only not come yet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelint.connectors.base import Supply
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import Opportunity, Stream
from tests.engine.cache.crm import CRM, START, hour, page, pulled, rows, supply, whole

DEALS = Stream.OPPORTUNITIES


@pytest.fixture
def cache():
    with Cache.open(":memory:") as opened:
        yield opened


def store(
    cache: Cache, supplied: Supply, id_: str, pull: int, *, begins: bool = False, ends: bool = False
) -> int:
    part = page(DEALS, Opportunity(id_, START), cursor=f"after {id_}")
    part = replace(part, begins_full=begins, ends_full=ends)
    return cache.store(CRM, part, supplied, pull, START).deleted


def test_a_stream_counts_as_synced_when_its_first_pull_is_complete(cache):
    offered = replace(supply(DEALS, "Need"), complete_since=hour(-9))
    assert cache.begin_stream(CRM, offered, 1) is None
    store(cache, offered, "1", 1, begins=True)
    assert cache.supply(CRM) == {}
    store(cache, offered, "2", 1, ends=True)
    assert cache.supply(CRM) == {DEALS: offered}


def test_times_of_pulls_are_kept(cache):
    for number, full in ((1, False), (2, False), (3, True), (4, False)):
        pulled(cache, page(DEALS), at=hour(number), full=full)
    state = cache.streams(CRM)[DEALS]
    assert state.first_pull_at == hour(1)
    assert state.last_full_at == hour(3)
    assert state.last_pull_at == hour(4)
    assert state.pull == 4


def test_what_a_history_covers_is_kept_up_to_date(cache):
    for since in (hour(1), hour(2)):
        offered = replace(supply(DEALS), complete_since=since)
        pulled(cache, page(DEALS), supplied=offered)
        assert cache.supply(CRM) == {DEALS: offered}


def test_a_history_from_the_first_pull_on_may_miss_later_moves_for_a_while(cache):
    begun = replace(supply(DEALS), from_full=True)
    for missing, since in ((None, hour(1)), (hour(3), hour(3)), (None, hour(1))):
        offered = replace(begun, complete_since=missing)
        pulled(cache, page(DEALS), supplied=offered, at=hour(1))
        assert cache.supply(CRM)[DEALS].complete_since == since


def test_a_pull_continues_where_the_last_one_ended(cache):
    pulled(cache, page(DEALS, cursor="there"))
    assert cache.begin_stream(CRM, supply(DEALS), cache.begin_pull(CRM)) == "there"


@pytest.mark.parametrize(
    "more", [supply(DEALS, "Need", "Risk"), supply(DEALS, "Need")], ids=["custom", "canonical"]
)
def test_a_field_that_the_rows_do_not_hold_asks_for_a_full_pull(cache, more):
    before = supply(DEALS, "Need", without=["lost_reason"])
    if "Risk" in more.custom:
        before = supply(DEALS, "Need")
    pulled(cache, page(DEALS), supplied=before)
    assert cache.begin_stream(CRM, more, 2) is None
    assert cache.supply(CRM) == {DEALS: before}, "not before every row has it"
    cache.store(CRM, *whole(page(DEALS)), more, 2, hour(2))
    assert cache.supply(CRM) == {DEALS: more}


def test_a_field_that_is_no_longer_delivered_is_not_synced_at_once(cache):
    pulled(cache, page(DEALS), supplied=supply(DEALS, "Need", "Risk"))
    less = supply(DEALS, "Need", without=["amount"])
    assert cache.begin_stream(CRM, less, 2) == "next"
    assert cache.supply(CRM) == {DEALS: less}


def test_an_interrupted_full_pull_continues_and_keeps_what_its_first_part_saw(cache):
    offered = supply(DEALS)
    pulled(cache, page(DEALS, *(Opportunity(id_, START) for id_ in "123")))
    cache.begin_stream(CRM, offered, 2, full=True)
    store(cache, offered, "1", 2, begins=True)
    cache.finish_stream(CRM, offered, START)
    assert cache.begin_pull(CRM) == 3
    assert cache.begin_stream(CRM, offered, 3) == "after 1"
    assert store(cache, offered, "2", 3, ends=True) == 1
    assert rows(cache, "SELECT id FROM opportunity") == [("1",), ("2",)]


def test_a_connector_may_begin_anew_when_it_must(cache):
    offered = supply(DEALS)
    pulled(cache, page(DEALS, *(Opportunity(id_, START) for id_ in "123")))
    assert cache.begin_stream(CRM, offered, 2) == "next"
    assert store(cache, offered, "1", 2, begins=True) == 0
    assert cache.supply(CRM) == {DEALS: offered}, "the rows hold what they held"
    assert store(cache, offered, "2", 2, ends=True) == 1


def test_a_field_mapped_while_a_full_pull_was_interrupted_begins_it_again(cache):
    store(cache, supply(DEALS), "1", 1, begins=True)
    assert cache.begin_stream(CRM, supply(DEALS, "Need"), 2) is None


def test_a_stream_that_is_withdrawn_is_not_synced(cache):
    pulled(cache, page(DEALS, Opportunity("1", START)))
    cache.withdraw(CRM, DEALS)
    assert cache.supply(CRM) == {}
    assert cache.cursor(CRM, DEALS) is None


def test_connections_have_their_own_numbers(cache):
    pulled(cache, page(DEALS))
    assert cache.begin_pull(CRM) == 2
    assert cache.begin_pull("other") == 1
