"""When the next run starts: on the grid, never two at once, told when one is left out, and ended on request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest

from pipelint.engine import schedule
from pipelint.engine.schedule import period_of
from pipelint.engine.stopping import Stopping
from pipelint.errors import StopRequested, UsageError

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


class Day:
    """A clock that moves only by waiting and working."""

    def __init__(self, *minutes: float, until: float = 120, chance: float = 0.0) -> None:
        self.now = NINE
        self.end = NINE + timedelta(minutes=until)
        self.chance = chance
        self.stopping = Stopping(self.wait)
        self.durations = chain(minutes, repeat(1.0))
        self.starts: list[float] = []

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now >= self.end:
            self.stopping.ask()

    def work(self) -> None:
        self.starts.append((self.now - NINE) / timedelta(minutes=1))
        self.now += timedelta(minutes=next(self.durations))

    def repeat(self, period: timedelta = QUARTER) -> list[float]:
        """The starts of a day, in minutes."""
        schedule.repeat(
            self.work, period, clock=lambda: self.now, stopping=self.stopping, chance=lambda: self.chance
        )
        return self.starts


def test_the_first_run_comes_at_once_and_the_others_do_not_drift() -> None:
    assert Day(7, 3, 14, until=61).repeat() == [0, 15, 30, 45, 60]


def told(caplog: pytest.LogCaptureFixture, event: str) -> Sequence[Any]:
    return [
        record for record in caplog.records if event in (record.getMessage(), getattr(record, "event", ""))
    ]


def test_a_run_that_takes_too_long_leaves_out_starts_and_says_how_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="pipelint")
    assert Day(37, until=61).repeat() == [0, 45, 60]
    [left_out] = told(caplog, "starts left out")
    assert (left_out.missed, left_out.levelno) == (2, logging.WARNING)


def test_a_run_that_ends_on_the_next_start_gives_it_up() -> None:
    assert Day(15, until=46).repeat() == [0, 30, 45]


@pytest.mark.parametrize(
    ("period", "late"),
    [(timedelta(minutes=5), 0.5), (timedelta(minutes=15), 1), (timedelta(days=1), 1)],
)
def test_chance_moves_a_start_by_a_tenth_of_the_period_and_a_minute_at_most(
    period: timedelta, late: float
) -> None:
    day = Day(until=2 * period / timedelta(minutes=1) + 2, chance=1.0)
    length = period / timedelta(minutes=1)
    assert day.repeat(period) == [0, length + late, 2 * length + late]


def test_a_machine_that_slept_goes_on_with_the_next_start(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="pipelint")
    day = Day(until=361)
    asleep = iter([timedelta(hours=5)])

    def wait(seconds: float) -> None:
        day.now += next(asleep, timedelta())
        day.wait(seconds)

    day.stopping = Stopping(wait)
    assert day.repeat() == pytest.approx([0, 315, 330, 345, 360], abs=0.1)
    assert [record.missed for record in told(caplog, "starts left out")] == [20]


def test_a_clock_that_is_set_back_delays_nothing() -> None:
    day = Day(until=30)
    work = day.work

    def set_back() -> None:
        work()
        if len(day.starts) == 2:
            day.now -= timedelta(hours=3)
            day.end = day.now + timedelta(minutes=20)

    day.work = set_back  # type: ignore[method-assign]
    assert day.repeat()[2] == pytest.approx(-150)


def test_the_next_start_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="pipelint")
    Day(until=16).repeat()
    assert [record.until for record in told(caplog, "waiting")] == [
        "2026-11-20T09:15:00+00:00",
        "2026-11-20T09:30:00+00:00",
    ]


def test_a_wait_ends_soon_after_it_was_asked_to() -> None:
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            stopping.ask()

    stopping = Stopping(sleep)
    with pytest.raises(StopRequested):
        stopping.sleep(900)
    assert waited == [1, 1, 1]


def test_a_wait_takes_as_long_as_it_should() -> None:
    waited: list[float] = []
    Stopping(waited.append).sleep(2.5)
    assert waited == [1, 1, 0.5]


def test_a_run_that_was_asked_to_end_is_the_last() -> None:
    day = Day()
    work = day.work

    def asked() -> None:
        work()
        day.stopping.ask()

    day.work = asked  # type: ignore[method-assign]
    assert day.repeat() == [0]


@pytest.mark.parametrize(
    ("text", "length"), [("15m", QUARTER), ("1m", timedelta(minutes=1)), ("1d", timedelta(days=1))]
)
def test_a_period_is_written_as_in_the_settings(text: str, length: timedelta) -> None:
    assert period_of(text) == length


@pytest.mark.parametrize(
    ("text", "words"), [("30s", "at least 1m"), ("quarterly", "a length of time such as"), ("0m", "length")]
)
def test_what_is_no_period_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        period_of(text)
    assert caught.value.message.startswith(f"--every {text}: ")
