"""A pull brings the streams of a CRM into the cache, and survives being interrupted anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import pytest

from pipelint.connectors.base import Connector, FieldInfo, Kind, Page, Supply
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.clock import Clock, system_clock
from pipelint.engine.pull import PullResult, pull
from pipelint.engine.stopping import Stopping
from pipelint.errors import CacheUnusable, CursorUnreadable, PermissionMissing, PipelintError, QuotaExhausted
from pipelint.records import RECORD_TYPES, Account, Activity, ActivityLink, Opportunity, Stream

START = datetime(2026, 1, 1, tzinfo=UTC)
DEALS, ACCOUNTS = Stream.OPPORTUNITIES, Stream.ACCOUNTS


class Killed(BaseException):
    """The process ends here."""


class FakeCrm:
    """Records in the order of their changes, two on a page; the cursor is the place in that order.

    While everything is being delivered, the cursor ends in dots.
    """

    name = "acme"
    crm = "fake"

    def __init__(self, **held: Sequence[Any]) -> None:
        self.held = {Stream(name): list(records) for name, records in held.items()}
        self.custom_fields = {"Need", "Risk"}
        self.api_calls = 0
        self.asked: list[tuple[Stream, str | None]] = []
        self.failures: dict[int, BaseException] = {}
        """What happens instead of the n-th call."""

    def streams(self) -> Sequence[Stream]:
        return list(self.held)

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        found = frozenset(custom) & self.custom_fields
        return Supply(stream, frozenset(RECORD_TYPES[stream]._fields), found)

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        return ()

    def field_ids(self, kind: Kind) -> Mapping[str, str]:
        return {}

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        self.asked.append((stream, cursor))
        begins = cursor is None
        at, full = int((cursor or "0").removesuffix("…")), cursor is None or cursor.endswith("…")
        while True:
            self.api_calls += 1
            if self.api_calls in self.failures:
                raise self.failures[self.api_calls]
            records = self.held[stream][at : at + 2]
            at += len(records)
            ends = len(records) < 2
            text = f"{at}…" if full and not ends else str(at)
            yield Page(stream, records, text, begins_full=begins, ends_full=full and ends)
            begins = False
            if ends:
                return


@pytest.fixture
def cache():
    with Cache.open(":memory:") as opened:
        yield opened


@pytest.fixture
def crm():
    deals = [Opportunity(str(i), START, name=f"Deal {i}") for i in range(5)]
    return FakeCrm(account=[Account("a", START)], opportunity=deals)


def ticking() -> Clock:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


def pulled(cache: Cache, crm: FakeCrm, *custom: str, full: bool = False, **options: Any) -> PullResult:
    connector = cast(Connector, crm)
    options = {"stopping": Stopping(), **options}
    return pull(cache, connector, {DEALS: custom}, clock=ticking(), full=full, **options)


def names(cache: Cache) -> list[str]:
    return [name for (name,) in cache.db.execute("SELECT name FROM opportunity ORDER BY id")]


def test_everything_at_first_then_changes(cache, crm):
    first = pulled(cache, crm)
    assert [(each.stream, each.full, each.stored, each.api_calls) for each in first.streams] == [
        (ACCOUNTS, True, 1, 1),
        (DEALS, True, 5, 3),
    ]
    assert (first.stored, first.deleted, first.api_calls, first.error) == (6, 0, 4, None)
    crm.held[DEALS].append(Opportunity("0", START, name="Renamed"))
    second = pulled(cache, crm)
    assert [(each.stream, each.full, each.stored) for each in second.streams] == [
        (ACCOUNTS, False, 0),
        (DEALS, False, 1),
    ]
    assert names(cache)[0] == "Renamed"


def test_streams_come_in_the_connectors_order(cache, crm):
    pulled(cache, crm)
    assert crm.asked == [(ACCOUNTS, None), (DEALS, None)]


def test_a_full_pull_removes_what_is_gone(cache, crm):
    pulled(cache, crm)
    del crm.held[DEALS][1]
    result = pulled(cache, crm, full=True)
    assert result.deleted == 1
    assert names(cache) == ["Deal 0", "Deal 2", "Deal 3", "Deal 4"]


@pytest.mark.parametrize("call", range(1, 5))
def test_a_killed_pull_is_continued_and_ends_in_the_same_cache(cache, crm, call):
    crm.failures = {call: Killed()}
    with pytest.raises(Killed):
        pulled(cache, crm)
    asked_before = len(crm.asked)
    result = pulled(cache, crm)
    assert result.error is None
    assert names(cache) == [f"Deal {i}" for i in range(5)]
    assert set(cache.supply("acme")) == {ACCOUNTS, DEALS}
    if call > 2:
        stored = 2 * (call - 2)
        assert crm.asked[asked_before:][-1] == (DEALS, f"{stored}…")


def test_a_killed_full_pull_is_continued_by_the_next_pull(cache, crm):
    pulled(cache, crm)
    del crm.held[DEALS][4]
    crm.failures = {crm.api_calls + 3: Killed()}
    with pytest.raises(Killed):
        pulled(cache, crm, full=True)
    result = pulled(cache, crm)
    assert result.deleted == 1
    assert names(cache) == [f"Deal {i}" for i in range(4)]


@pytest.mark.parametrize("error", [QuotaExhausted("used up"), PermissionMissing("not allowed")])
def test_an_error_of_the_crm_ends_the_pull_and_keeps_what_is_stored(cache, crm, error: PipelintError):
    crm.failures = {3: error}
    result = pulled(cache, crm)
    assert result.error is error
    assert [(each.stream, each.stored) for each in result.streams] == [(ACCOUNTS, 1), (DEALS, 2)]
    assert names(cache) == ["Deal 0", "Deal 1"]
    assert set(cache.supply("acme")) == {ACCOUNTS}
    assert pulled(cache, crm).error is None
    assert crm.asked[-1] == (DEALS, "2…")


def test_an_error_of_the_cache_is_raised(cache, crm):
    cache.db.execute("PRAGMA query_only = ON")
    with pytest.raises(CacheUnusable):
        pulled(cache, crm)


def test_a_newly_mapped_field_is_filled_for_every_record_of_its_stream(cache, crm):
    pulled(cache, crm, "Need")
    pulled(cache, crm, "Need", "Risk")
    assert crm.asked[2:] == [(ACCOUNTS, "1"), (DEALS, None)]
    assert cache.supply("acme")[DEALS].custom == {"Need", "Risk"}
    pulled(cache, crm, "Risk")
    assert crm.asked[-1] == (DEALS, "5")
    assert cache.supply("acme")[DEALS].custom == {"Risk"}


def test_a_mapped_field_that_the_crm_does_not_have_causes_no_full_pulls(cache, crm):
    pulled(cache, crm, "Nowhere")
    pulled(cache, crm, "Nowhere")
    assert crm.asked[-1] == (DEALS, "5")


def test_a_stream_that_the_crm_no_longer_offers_is_not_synced(cache, crm):
    pulled(cache, crm)
    del crm.held[ACCOUNTS]
    pulled(cache, crm)
    assert set(cache.supply("acme")) == {DEALS}


def test_what_a_history_misses_is_asked_when_its_pull_is_done(cache, monkeypatch):
    crm = FakeCrm(stage_change=[])

    def supply(stream: Stream, custom: Sequence[str]) -> Supply:
        waits_since = START if len(crm.asked) > 1 else None
        return Supply(stream, frozenset({"to_stage"}), complete_since=waits_since)

    monkeypatch.setattr(crm, "supply", supply)
    for since in (None, START):
        pulled(cache, crm)
        assert cache.supply("acme")[Stream.STAGE_CHANGES].complete_since == since


def test_links_count_as_synced_with_their_activities(cache):
    crm = FakeCrm(activity=[Activity("call", START), ActivityLink("lead", "1", "call")])
    pulled(cache, crm)
    links = cache.supply("acme")[Stream.ACTIVITY_LINKS]
    pulled(cache, crm)
    assert cache.supply("acme")[Stream.ACTIVITY_LINKS] == links == crm.supply(Stream.ACTIVITY_LINKS, ())
    assert cache.counts()["acme"] == {Stream.ACTIVITIES: 1, Stream.ACTIVITY_LINKS: 1}
    crm.failures = {crm.api_calls + 1: QuotaExhausted("used up")}
    pulled(cache, crm)
    assert Stream.ACTIVITY_LINKS in cache.supply("acme")


def test_progress_is_told_after_every_page(cache, crm):
    told: list[tuple[str, Stream, int]] = []
    pulled(cache, crm, progress=lambda *what: told.append(what))
    assert [records for _, stream, records in told if stream is DEALS] == [2, 4, 5]
    assert {connection for connection, *_ in told} == {"acme"}


def test_what_another_version_kept_is_pulled_from_the_beginning(cache, crm, monkeypatch):
    pulled(cache, crm)
    crm.held[DEALS].append(Opportunity("new", START, name="New"))
    read = FakeCrm.pull

    def of_now(self, stream, cursor, custom):
        if cursor is not None:
            raise CursorUnreadable
        return read(self, stream, cursor, custom)

    monkeypatch.setattr(FakeCrm, "pull", of_now)
    result = pulled(cache, crm)
    assert result.error is None
    assert [each.full for each in result.streams] == [True, True]
    assert "New" in names(cache)


def test_time_is_taken_from_the_clock(cache, crm):
    result = pulled(cache, crm)
    assert result.seconds > sum(each.seconds for each in result.streams) > 0
    assert system_clock().tzinfo is UTC
