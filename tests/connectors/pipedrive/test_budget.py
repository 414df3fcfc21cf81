"""Our share of the company's daily tokens: never exceeded over any 24 hours, whichever process spent them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelint.connectors.pipedrive.budget import FOR_DETAILS, FOR_WRITING, Budget
from pipelint.errors import CacheUnusable, QuotaExhausted

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HALF = Decimal("0.5")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_share_is_refused_beyond_its_end(clock: Clock) -> None:
    budget = Budget(None, clock, 100, HALF)
    budget.spend(50)
    with pytest.raises(QuotaExhausted, match=r"50 API tokens were used .* 50 are pipelint's share"):
        budget.spend(1)


def test_tokens_come_free_after_a_day(clock: Clock) -> None:
    budget = Budget(None, clock, 100, HALF)
    budget.spend(50)
    clock.now += timedelta(hours=24)
    with pytest.raises(QuotaExhausted):
        budget.spend(1)  # the hour in which they were spent is not over
    clock.now += timedelta(hours=1)
    budget.spend(50)


def test_the_next_process_knows_what_this_one_spent(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "tokens.db"
    Budget(file, clock, 100, HALF).spend(30)
    assert Budget(file, clock, 100, HALF).used() == 30


def test_writing_stops_before_reading_does(clock: Clock) -> None:
    budget = Budget(None, clock, 1000, HALF)
    budget.spend(400)
    assert budget.left(FOR_WRITING) == 0
    assert budget.left() == 100


def test_what_lists_take_leaves_the_part_for_single_deals_alone(clock: Clock) -> None:
    budget = Budget(None, clock, 1000, HALF)
    budget.spend(300)
    assert budget.left_for_details() == 500 * FOR_DETAILS
    budget.spend(60, detail=True)
    assert budget.left_for_details() == 500 * FOR_DETAILS - 60
    clock.now += timedelta(hours=25)
    assert budget.left_for_details() == 500 * FOR_DETAILS


def test_calls_for_single_deals_leave_to_lists_what_writing_does(clock: Clock) -> None:
    budget = Budget(None, clock, 1000, HALF)
    budget.spend(int(500 * FOR_WRITING) - 20)
    assert budget.left_for_details() == 20
    budget.spend(100)
    assert budget.left_for_details() == 0


def test_the_next_process_knows_what_single_deals_took(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "tokens.db"
    Budget(file, clock, 1000, HALF).spend(60, detail=True)
    assert Budget(file, clock, 1000, HALF).left_for_details() == 500 * FOR_DETAILS - 60


def test_the_company_may_have_less_left_than_our_share(clock: Clock) -> None:
    budget = Budget(None, clock, 1000, HALF)
    budget.report(1000, 7)
    assert budget.left() == 7
    with pytest.raises(QuotaExhausted, match="by all integrations together"):
        budget.spend(10)


def test_two_processes_at_the_same_time_share_one_count(tmp_path: Path, clock: Clock) -> None:
    run, doctor = (Budget(tmp_path / "tokens.db", clock, 1000, HALF) for _ in range(2))
    run.spend(400)
    doctor.spend(20)
    assert run.used() == doctor.used() == 420
    with pytest.raises(QuotaExhausted):
        doctor.spend(81)


def test_a_company_with_more_tokens_than_it_said_gives_us_no_more_than_was_agreed(clock: Clock) -> None:
    budget = Budget(None, clock, 1000, HALF)
    budget.report(7000, 7000)
    assert budget.ours == 500
    budget.report(600, 600)
    assert budget.ours == 300


def test_what_a_clock_that_was_ahead_counted_is_not_ours_to_spend_for_a_day_and_then_is(
    tmp_path: Path, clock: Clock
) -> None:
    clock.now += timedelta(days=365)
    Budget(tmp_path / "tokens.db", clock, 1000, HALF).spend(500)
    clock.now -= timedelta(days=365)
    budget = Budget(tmp_path / "tokens.db", clock, 1000, HALF)
    assert budget.left() == 0
    clock.now += timedelta(hours=25)
    assert budget.left() == 500


def test_a_damaged_count_is_not_taken_for_nothing(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "tokens.db"
    file.write_bytes(b"not a database " * 100)
    with pytest.raises(CacheUnusable, match=r"tokens\.db.*cannot be read"):
        Budget(file, clock, 100, HALF)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=60))
def test_no_24_hours_ever_see_more_than_the_share(steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    budget = Budget(None, clock, 200, HALF)
    spent: list[tuple[datetime, int]] = []
    for minutes, tokens in steps:
        clock.now += timedelta(minutes=minutes)
        try:
            budget.spend(tokens)
        except QuotaExhausted:
            continue
        spent.append((clock.now, tokens))
        day = [count for at, count in spent if clock.now - at < timedelta(hours=24)]
        assert sum(day) <= 100
