"""How stored values are read: the CRM's own words for choices, and dates that a file holds as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.functions import register, register_words
from pipelint.rules.calendar import Calendar
from pipelint.rules.zones import day_number, microseconds


@pytest.fixture
def cache() -> Iterator[Cache]:
    with Cache.open(":memory:") as made:
        register(made.db, Calendar(zone="America/New_York"), ())
        words = {"tier_1": "gold", "gold": "gold", "x;y": "odd"}
        register_words(made.db, "one", words)
        register_words(made.db, "many", words, several=True)
        yield made


def ask(cache: Cache, function: str, value: object) -> object:
    return cache.db.execute(f"SELECT {function}(?)", (value,)).fetchone()[0]


NOON = microseconds(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20T13:00:00+01:00", NOON),
        ("2026-11-20 07:00", NOON),
        (" 2026-11-20T07:00:00.000 ", NOON),
        ("2026-11-20", NOON - 7 * 3_600_000_000),
        (NOON, NOON),
        ("20 Nov 2026", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_with_time_may_be_text(cache, text, instant):
    assert ask(cache, "pl_at", text) == instant


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("2026-11-20 23:59", date(2026, 11, 20)),
        ("2026-11-20T04:59:00Z", date(2026, 11, 19)),
        (microseconds(datetime(2026, 11, 20, 4, 59, tzinfo=UTC)), date(2026, 11, 19)),
    ],
)
def test_its_day_is_the_local_one(cache, text, day):
    assert ask(cache, "pl_day", text) == day_number(day)


def test_the_crms_words_become_ours(cache):
    assert ask(cache, "one", " Tier_1 ") == "gold"
    assert ask(cache, "one", "tier_9") is None
    assert ask(cache, "many", '["tier_1", "x;y", " "]') == '["gold", "odd"]'
    assert ask(cache, "many", "tier_1;gold") == '["gold", "gold"]'
    assert ask(cache, "many", '["tier_1", "tier_9"]') is None


def test_what_only_begins_like_a_list_is_a_word(cache):
    assert ask(cache, "pl_size", "[x;y") == 2
