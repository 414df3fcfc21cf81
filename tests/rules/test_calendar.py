"""What days, lengths, working hours and periods mean (rules.md §4.3b), seen from Friday 20 November 2026."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.rules.calendar import PERIOD_UNITS, PERIODS, UNITS, Calendar, Length
from pipelint.rules.zones import (
    FIRST_DAY,
    FIRST_INSTANT,
    LAST_DAY,
    LAST_INSTANT,
    date_of,
    day_number,
    local_day_function,
    microseconds,
    moment,
    offset_at,
    transitions,
)

PARIS = Calendar(zone="Europe/Paris")
NEW_YORK = Calendar(zone="America/New_York")
FEBRUARY = Calendar(zone="Europe/Paris", fiscal_year_starts=2)
ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


def at(text: str, calendar: Calendar = PARIS) -> datetime:
    return calendar.instant(datetime.fromisoformat(text))


def day(text: str) -> int:
    return day_number(date.fromisoformat(text))


def iso(number: int) -> str:
    return date_of(number).isoformat()


def length(text: str) -> Length:
    parsed = Length.parse(text)
    assert parsed is not None, text
    return parsed


def shifted(as_of: str, text: str, direction: Any, calendar: Calendar = PARIS) -> str:
    """The day, or the local time to the minute, a length before or after a local time."""
    result = calendar.shift(at(as_of, calendar), length(text), direction)
    return f"{calendar.local(moment(result)):%Y-%m-%d %H:%M}" if length(text).is_clock else iso(result)


NOW = "2026-11-20 10:00"
T = PARIS.today(at(NOW))
U = microseconds(at(NOW))


def older_than(x: datetime, text: str) -> bool:
    cut = PARIS.shift(at(NOW), length(text), -1)
    return microseconds(x) < cut if length(text).is_clock else PARIS.day_of(x) < cut


def within_last(x: datetime, text: str) -> bool:
    cut = PARIS.shift(at(NOW), length(text), -1)
    return cut <= (microseconds(x) if length(text).is_clock else PARIS.day_of(x)) and microseconds(x) <= U


def within_next(x: datetime, text: str) -> bool:
    cut = PARIS.shift(at(NOW), length(text), +1)
    return (microseconds(x) if length(text).is_clock else PARIS.day_of(x)) <= cut and microseconds(x) >= U


def further_out_than(x: datetime, text: str) -> bool:
    cut = PARIS.shift(at(NOW), length(text), +1)
    return microseconds(x) > cut if length(text).is_clock else PARIS.day_of(x) > cut


def during(x: datetime, period: str) -> bool:
    first, last = PARIS.period(at(NOW), period)
    return first <= PARIS.day_of(x) <= last


def in_last_days_of_the_quarter(x: datetime, text: str) -> bool:
    return PARIS.day_of(x) > PARIS.period_end(PARIS.day_of(x), "quarter") - length(text).size


@pytest.mark.parametrize(
    ("holds", "operand", "true", "false"),
    [
        (lambda x, _: PARIS.day_of(x) == T, "today", "2026-11-20 23:59", "2026-11-19 10:00"),
        (lambda x, _: PARIS.day_of(x) < T, "today", "2026-11-19 10:00", "2026-11-20 08:00"),
        (lambda x, _: PARIS.day_of(x) > T, "today", "2026-11-21 00:00", "2026-11-20 23:59"),
        (lambda x, _: PARIS.day_of(x) <= T, "today", "2026-11-20 23:59", "2026-11-21 00:00"),
        (lambda x, _: PARIS.day_of(x) >= T, "today", "2026-11-20 00:00", "2026-11-19 23:59"),
        (older_than, "14 days", "2026-11-05 23:59", "2026-11-06 00:00"),
        (older_than, "24 hours", "2026-11-19 09:59", "2026-11-19 10:00"),
        (older_than, "10 business days", "2026-11-05 23:59", "2026-11-06 00:00"),
        (older_than, "24 working hours", "2026-11-17 12:59", "2026-11-17 13:00"),
        (older_than, "1 month", "2026-10-19 23:59", "2026-10-20 00:00"),
        (within_last, "14 days", "2026-11-06 00:00", "2026-11-20 10:01"),
        (within_last, "24 hours", "2026-11-19 10:00", "2026-11-19 09:59"),
        (within_next, "30 days", "2026-12-20 23:59", "2026-11-20 09:59"),
        (within_next, "2 hours", "2026-11-20 12:00", "2026-11-20 12:01"),
        (further_out_than, "14 days", "2026-12-05 00:00", "2026-12-04 23:59"),
        (further_out_than, "2 hours", "2026-11-20 12:01", "2026-11-20 12:00"),
        (during, "this week", "2026-11-16 00:00", "2026-11-15 23:59"),
        (during, "this week", "2026-11-22 23:59", "2026-11-23 00:00"),
        (in_last_days_of_the_quarter, "10 days", "2026-12-22 00:00", "2026-12-21 23:59"),
    ],
)
def test_the_examples_of_the_operators(holds: Any, operand: str, true: str, false: str) -> None:
    assert holds(at(true), operand)
    assert not holds(at(false), operand)


@pytest.mark.parametrize(
    ("later", "earlier", "follows"),
    [("2027-01-02", "2026-12-30", True), ("2026-12-30", "2026-10-02", False)],
)
def test_a_later_quarter(later: str, earlier: str, follows: bool) -> None:
    number = PARIS.period_number
    assert (number(day(later), "quarter") > number(day(earlier), "quarter")) is follows


@pytest.mark.parametrize(
    ("as_of", "text", "before", "after"),
    [
        # Months keep the day of the month and clamp to the month's end.
        ("2026-03-31 10:00", "1 month", "2026-02-28", "2026-04-30"),
        ("2028-03-31 10:00", "1 month", "2028-02-29", "2028-04-30"),
        ("2026-08-31 10:00", "6 months", "2026-02-28", "2027-02-28"),
        ("2026-11-30 10:00", "1 quarter", "2026-08-30", "2027-02-28"),
        ("2028-02-29 10:00", "1 year", "2027-02-28", "2029-02-28"),
        ("2028-02-29 10:00", "4 years", "2024-02-29", "2032-02-29"),
        ("2026-11-20 10:00", "12 months", "2025-11-20", "2027-11-20"),
        # Whole days, across leap days too.
        ("2028-02-29 10:00", "1 day", "2028-02-28", "2028-03-01"),
        ("2027-03-01 10:00", "1 day", "2027-02-28", "2027-03-02"),
        ("2026-11-20 10:00", "0 days", "2026-11-20", "2026-11-20"),
        ("2026-11-20 10:00", "2 weeks", "2026-11-06", "2026-12-04"),
        # Business days step and count working days only.
        ("2026-11-20 10:00", "1 business day", "2026-11-19", "2026-11-23"),
        ("2026-11-21 10:00", "1 business day", "2026-11-20", "2026-11-23"),
        ("2026-11-22 10:00", "1 business day", "2026-11-20", "2026-11-23"),
        ("2026-11-22 10:00", "0 business days", "2026-11-22", "2026-11-22"),
        ("2026-11-20 10:00", "5 business days", "2026-11-13", "2026-11-27"),
        ("2026-11-20 10:00", "10 business days", "2026-11-06", "2026-12-04"),
        # Clock lengths go by instants: the night of 25 October 2026 had 25 hours in Paris.
        ("2026-10-25 10:00", "24 hours", "2026-10-24 11:00", "2026-10-26 10:00"),
        ("2026-03-29 10:00", "24 hours", "2026-03-28 09:00", "2026-03-30 10:00"),
        ("2026-11-20 10:00", "90 minutes", "2026-11-20 08:30", "2026-11-20 11:30"),
        ("2026-11-20 10:00", "60 seconds", "2026-11-20 09:59", "2026-11-20 10:01"),
        # Calendar lengths do not care.
        ("2026-10-25 10:00", "1 day", "2026-10-24", "2026-10-26"),
    ],
)
def test_lengths_before_and_after(as_of: str, text: str, before: str, after: str) -> None:
    assert (shifted(as_of, text, -1), shifted(as_of, text, +1)) == (before, after)


def test_holidays_are_no_business_days() -> None:
    calendar = Calendar(zone="Europe/Paris", holidays=frozenset({date(2026, 11, 23), date(2026, 11, 19)}))
    assert shifted("2026-11-20 10:00", "1 business day", -1, calendar) == "2026-11-18"
    assert shifted("2026-11-20 10:00", "1 business day", +1, calendar) == "2026-11-24"
    assert shifted("2026-11-23 10:00", "1 business day", -1, calendar) == "2026-11-20"
    assert shifted("2026-11-23 10:00", "1 business day", +1, calendar) == "2026-11-24"


def test_a_week_may_work_from_sunday_to_thursday() -> None:
    calendar = Calendar(zone="Asia/Dubai", working_days=frozenset({6, 0, 1, 2, 3}))
    assert shifted("2026-11-19 10:00", "1 business day", +1, calendar) == "2026-11-22"
    assert shifted("2026-11-22 10:00", "1 business day", -1, calendar) == "2026-11-19"


@pytest.mark.parametrize(
    ("as_of", "hours", "before", "after"),
    [
        ("2026-11-20 10:00", 1, "2026-11-20 09:00", "2026-11-20 11:00"),
        ("2026-11-20 10:00", 2, "2026-11-19 17:00", "2026-11-20 12:00"),
        ("2026-11-20 10:00", 8, "2026-11-19 11:00", "2026-11-20 18:00"),
        ("2026-11-20 10:00", 9, "2026-11-19 10:00", "2026-11-24 10:00"),  # the 23rd is a holiday
        ("2026-11-20 10:00", 24, "2026-11-17 13:00", "2026-11-25 16:00"),
        ("2026-11-21 12:00", 1, "2026-11-20 17:00", "2026-11-24 10:00"),  # from a Saturday
        ("2026-11-20 07:00", 1, "2026-11-19 17:00", "2026-11-20 10:00"),  # before work
        ("2026-11-20 22:00", 1, "2026-11-20 17:00", "2026-11-24 10:00"),  # after work
        ("2026-11-21 12:00", 0, "2026-11-21 12:00", "2026-11-21 12:00"),
    ],
)
def test_working_hours_count_inside_working_hours_on_working_days(
    as_of: str, hours: int, before: str, after: str
) -> None:
    calendar = Calendar(zone="Europe/Paris", holidays=frozenset({date(2026, 11, 23)}))
    text = f"{hours} working hours"
    assert (shifted(as_of, text, -1, calendar), shifted(as_of, text, +1, calendar)) == (before, after)


@pytest.mark.parametrize(
    ("calendar", "hours", "end"),
    [
        (
            Calendar("Europe/Paris", working_hours=(time(0), time(6))),
            5,
            "2026-03-29 06:00",
        ),  # one hour is lost
        (Calendar("Europe/Paris", working_hours=(time(0), time(6))), 6, "2026-03-30 01:00"),
        (Calendar("Europe/Paris", working_hours=(time(1), time(3))), 2, "2026-03-30 02:00"),
        (
            Calendar("Europe/Paris", working_hours=(time(22), time(6))),
            4,
            "2026-03-29 05:00",
        ),  # a night's work
        (
            Calendar("Europe/Paris", working_hours=(time(0), time(0))),
            23,
            "2026-03-30 00:00",
        ),  # round the clock
    ],
)
def test_working_hours_in_the_night_when_the_clocks_go_forward(
    calendar: Calendar, hours: int, end: str
) -> None:
    every_day = Calendar(
        calendar.zone, working_days=frozenset(range(7)), working_hours=calendar.working_hours
    )
    assert shifted("2026-03-29 00:00", f"{hours} working hours", +1, every_day) == end


def test_working_hours_in_the_night_when_the_clocks_go_back() -> None:
    calendar = Calendar(
        "America/New_York", working_days=frozenset(range(7)), working_hours=(time(0), time(6))
    )
    assert shifted("2026-11-01 00:00", "7 working hours", +1, calendar) == "2026-11-01 06:00"
    assert shifted("2026-11-01 06:00", "7 working hours", -1, calendar) == "2026-11-01 00:00"


@pytest.mark.parametrize(
    ("calendar", "local", "utc"),
    [
        (PARIS, "2026-11-20 10:00", "2026-11-20 09:00"),
        (PARIS, "2026-03-29 02:30", "2026-03-29 01:30"),  # left out: read as 03:30
        (PARIS, "2026-10-25 02:30", "2026-10-25 00:30"),  # shown twice: the first
        (NEW_YORK, "2026-03-08 02:30", "2026-03-08 07:30"),
        (NEW_YORK, "2026-11-01 01:30", "2026-11-01 05:30"),
    ],
)
def test_the_instant_of_a_local_time(calendar: Calendar, local: str, utc: str) -> None:
    instant = at(local, calendar)
    assert instant == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "utc", "local_day"),
    [
        (PARIS, "2026-03-28 22:59:59.999999", "2026-03-28"),
        (PARIS, "2026-03-28 23:00", "2026-03-29"),
        (PARIS, "2026-03-29 21:59:59.999999", "2026-03-29"),  # a day of 23 hours
        (PARIS, "2026-03-29 22:00", "2026-03-30"),
        (PARIS, "2026-10-24 22:00", "2026-10-25"),
        (PARIS, "2026-10-25 22:59:59.999999", "2026-10-25"),  # a day of 25 hours
        (PARIS, "2026-10-25 23:00", "2026-10-26"),
        (NEW_YORK, "2026-03-08 04:59", "2026-03-07"),
        (NEW_YORK, "2026-03-08 05:00", "2026-03-08"),
        (NEW_YORK, "2026-03-09 03:59", "2026-03-08"),
        (NEW_YORK, "2026-11-01 04:00", "2026-11-01"),
        (NEW_YORK, "2026-11-02 04:59", "2026-11-01"),
        (NEW_YORK, "2026-11-02 05:00", "2026-11-02"),
    ],
)
def test_the_local_day_of_an_instant(calendar: Calendar, utc: str, local_day: str) -> None:
    instant = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert iso(calendar.day_of(instant)) == local_day
    assert local_day_function(calendar.zone)(microseconds(instant)) == day(local_day)
    assert local_day_function(calendar.zone)(None) is None


@pytest.mark.parametrize(
    ("calendar", "name", "first", "last"),
    [
        (PARIS, "this week", "2026-11-16", "2026-11-22"),
        (PARIS, "last week", "2026-11-09", "2026-11-15"),
        (PARIS, "next week", "2026-11-23", "2026-11-29"),
        (Calendar(week_starts=6), "this week", "2026-11-15", "2026-11-21"),
        (Calendar(week_starts=5), "this week", "2026-11-14", "2026-11-20"),
        (PARIS, "this month", "2026-11-01", "2026-11-30"),
        (PARIS, "last month", "2026-10-01", "2026-10-31"),
        (PARIS, "next month", "2026-12-01", "2026-12-31"),
        (PARIS, "this quarter", "2026-10-01", "2026-12-31"),
        (PARIS, "next quarter", "2027-01-01", "2027-03-31"),
        (PARIS, "this year", "2026-01-01", "2026-12-31"),
        (PARIS, "last year", "2025-01-01", "2025-12-31"),
        (FEBRUARY, "this month", "2026-11-01", "2026-11-30"),
        (FEBRUARY, "this quarter", "2026-11-01", "2027-01-31"),
        (FEBRUARY, "last quarter", "2026-08-01", "2026-10-31"),
        (FEBRUARY, "next quarter", "2027-02-01", "2027-04-30"),
        (FEBRUARY, "this year", "2026-02-01", "2027-01-31"),
        (FEBRUARY, "next year", "2027-02-01", "2028-01-31"),
    ],
)
def test_periods_around_today(calendar: Calendar, name: str, first: str, last: str) -> None:
    assert tuple(map(iso, calendar.period(at(NOW), name))) == (first, last)


@pytest.mark.parametrize(
    ("starts", "on", "quarter", "year"),
    [
        (1, "2026-11-20", "2026-Q4", "2026"),
        (1, "2027-01-01", "2027-Q1", "2027"),
        (2, "2026-01-31", "2026-Q4", "2026"),
        (2, "2026-02-01", "2027-Q1", "2027"),
        (2, "2026-11-01", "2027-Q4", "2027"),
        (2, "2027-01-31", "2027-Q4", "2027"),
        (2, "2027-02-01", "2028-Q1", "2028"),
        (4, "2026-03-31", "2026-Q4", "2026"),
        (4, "2026-04-01", "2027-Q1", "2027"),
        (10, "2026-09-30", "2026-Q4", "2026"),
        (10, "2026-10-01", "2027-Q1", "2027"),
        (12, "2026-12-01", "2027-Q1", "2027"),
    ],
)
def test_a_fiscal_year_is_named_by_the_year_it_ends_in(starts: int, on: str, quarter: str, year: str) -> None:
    calendar = Calendar(fiscal_year_starts=starts)
    number, place = divmod(calendar.period_number(day(on), "quarter"), 4)
    assert f"{number}-Q{place + 1}" == quarter
    assert str(calendar.period_number(day(on), "year")) == year


def test_the_periods_that_can_be_named() -> None:
    assert set(PERIODS) == {
        f"{which} {unit}"
        for which in ("this", "last", "next")
        for unit in ("week", "month", "quarter", "year")
    }


@pytest.mark.parametrize(
    ("text", "canonical", "is_clock", "fixed"),
    [
        ("10 business days", "10 business days", False, False),
        ("1 business day", "1 business day", False, False),
        ("1 day", "1 day", False, True),
        (" 14  Days ", "14 days", False, True),
        ("2 weeks", "2 weeks", False, True),
        ("1 month", "1 month", False, False),
        ("2 quarters", "2 quarters", False, False),
        ("1 years", "1 year", False, False),
        ("24 working  hours", "24 working hours", True, False),
        ("36 hours", "36 hours", True, True),
        ("90 minutes", "90 minutes", True, True),
        ("0 seconds", "0 seconds", True, True),
    ],
)
def test_lengths_are_read_and_written(text: str, canonical: str, is_clock: bool, fixed: bool) -> None:
    parsed = length(text)
    assert (str(parsed), parsed.is_clock, parsed.fixed) == (canonical, is_clock, fixed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "14",
        "days",
        "10 buisness days",
        "-1 days",
        "1.5 days",
        "two days",
        "1 d",
        "14days",
        "١ day",
        "9" * 12,
    ],
)
def test_what_is_no_length(text: str) -> None:
    assert Length.parse(text) is None


def test_the_size_of_a_fixed_length() -> None:
    assert length("2 weeks").size == 14
    assert length("2 hours").size == 7_200_000_000


instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)
calendars = st.builds(
    Calendar,
    zones,
    st.integers(1, 12),
    st.integers(0, 6),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.sampled_from([(time(9), time(18)), (time(0), time(0)), (time(22), time(6)), (time(8, 30), time(12))]),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 2, 1)), max_size=10),
)
lengths = st.builds(Length, st.integers(0, 40), st.sampled_from(UNITS))


@given(lengths)
def test_a_length_is_read_back_as_it_is_written(written: Length) -> None:
    assert Length.parse(str(written)) == written


@settings(max_examples=300, deadline=None)
@given(calendars, instants, instants, lengths, st.sampled_from([-1, 1]))
def test_going_a_length_keeps_the_order_of_time(
    calendar: Calendar, one: datetime, other: datetime, by: Length, direction: Any
) -> None:
    earlier, later = sorted([one, other])
    assert calendar.shift(earlier, by, direction) <= calendar.shift(later, by, direction)


@settings(max_examples=300, deadline=None)
@given(calendars, instants, lengths)
def test_back_lies_before_and_on_lies_after(calendar: Calendar, now: datetime, by: Length) -> None:
    here = microseconds(now) if by.is_clock else calendar.today(now)
    assert calendar.shift(now, by, -1) <= here <= calendar.shift(now, by, +1)
    if by.fixed:
        assert calendar.shift(now, by, +1) - here == by.size == here - calendar.shift(now, by, -1)


@settings(deadline=None)
@given(calendars, instants, st.integers(1, 40), st.sampled_from([-1, 1]))
def test_business_days_end_on_the_working_day_that_was_counted_last(
    calendar: Calendar, now: datetime, count: int, direction: Any
) -> None:
    today, end = calendar.today(now), calendar.shift(now, Length(count, "business days"), direction)
    assert calendar.is_working_day(end)
    passed = range(today + direction, end + direction, direction)
    assert sum(map(calendar.is_working_day, passed)) == count


@settings(max_examples=60, deadline=None)
@given(
    calendars,
    st.datetimes(datetime(2025, 12, 20), datetime(2027, 1, 1)),  # noqa: DTZ001
    st.integers(1, 12),
    st.sampled_from([-1, 1]),
)
def test_working_hours_leave_that_much_working_time_between(
    calendar: Calendar, local: datetime, hours: int, direction: Any
) -> None:
    now = microseconds(calendar.instant(local.replace(second=0, microsecond=0)))
    end = calendar.shift(moment(now), Length(hours, "working hours"), direction)
    minute = 60_000_000
    minutes = range(min(now, end), max(now, end), minute)
    assert sum(is_working_time(calendar, moment(start)) for start in minutes) == hours * 60


def is_working_time(calendar: Calendar, instant: datetime) -> bool:
    local = instant.astimezone(ZoneInfo(calendar.zone))
    opens, closes = calendar.working_hours
    today = day_number(local.date())
    if opens < closes:
        return calendar.is_working_day(today) and opens <= local.time() < closes
    began_today = calendar.is_working_day(today) and local.time() >= opens
    return began_today or (calendar.is_working_day(today - 1) and local.time() < closes)


@settings(max_examples=200, deadline=None)
@given(calendars, instants)
def test_periods_touch_and_hold_today(calendar: Calendar, now: datetime) -> None:
    today = calendar.today(now)
    for unit in PERIOD_UNITS:
        (_, before), (first, last), (after, _) = (
            calendar.period(now, f"{w} {unit}") for w in ("last", "this", "next")
        )
        assert before + 1 == first <= today <= last == after - 1
        assert calendar.period_end(today, unit) == last
        number = calendar.period_number(today, unit)
        assert {calendar.period_number(d, unit) for d in (first, last)} == {number}
        assert calendar.period_number(after, unit) == number + 1


@given(zones, st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_a_local_time_is_found_again_unless_clocks_left_it_out(zone: str, local: datetime) -> None:
    calendar = Calendar(zone)
    found = calendar.local(calendar.instant(local))
    assert found.fold == 0
    assert local <= found.replace(tzinfo=None) <= local + timedelta(days=1)
    if found.replace(tzinfo=None) != local:
        assert local.replace(tzinfo=ZoneInfo(zone)).utcoffset() != found.utcoffset()


@pytest.fixture(scope="module")
def known_transitions() -> dict[str, list[tuple[int, int]]]:
    return {zone: transitions(zone, 1900, 2100) for zone in ZONES}


@settings(max_examples=500, deadline=None)
@given(zones, st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_transitions_and_local_days_agree_with_the_zone(
    known_transitions: dict[str, list[tuple[int, int]]], zone: str, instant: datetime
) -> None:
    local = instant.astimezone(ZoneInfo(zone))
    changes = known_transitions[zone]
    found = changes[bisect_right(changes, microseconds(instant), key=lambda change: change[0]) - 1][1]
    assert timedelta(microseconds=found) == local.utcoffset()
    assert local_day_function(zone)(microseconds(instant)) == day_number(local.date())
    assert Calendar(zone).day_of(instant) == day_number(local.date())


def test_transitions_stand_at_the_very_instant_of_the_change(
    known_transitions: dict[str, list[tuple[int, int]]],
) -> None:
    for zone, changes in known_transitions.items():
        for (_, before), (instant, after) in pairwise(changes):
            assert (offset_at(zone, instant - 1), offset_at(zone, instant)) == (before, after)
            days = local_day_function(zone)
            assert days(instant - 1) == (instant - 1 + before) // 86_400_000_000
            assert days(instant) == (instant + after) // 86_400_000_000


def test_transitions_of_a_single_year() -> None:
    hour = 3_600_000_000
    assert transitions("Europe/Paris", 2026, 2026) == [
        (microseconds(datetime(2026, 1, 1, tzinfo=UTC)), hour),
        (microseconds(datetime(2026, 3, 29, 1, tzinfo=UTC)), 2 * hour),
        (microseconds(datetime(2026, 10, 25, 1, tzinfo=UTC)), hour),
    ]


def test_a_change_at_the_turn_of_the_year_belongs_to_the_year_it_falls_in() -> None:
    last_evening = microseconds(datetime(2009, 12, 31, 17, tzinfo=UTC))
    assert transitions("Asia/Dhaka", 2009, 2009)[-1] == (last_evening, 6 * 3_600_000_000)
    assert len(transitions("Europe/Lisbon", 1911, 1911)) == 1  # Lisbon took over GMT as 1912 began
    assert len(transitions("Europe/Lisbon", 1911, 1912)) == 2


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("year", [1, 1900, 9999])
@pytest.mark.parametrize("count", [1, 99_999])
def test_the_edges_of_time_hold(zone: str, year: int, count: int) -> None:
    calendar = Calendar(zone, fiscal_year_starts=2, holidays=frozenset({date.max, date.min}))
    ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    for instant in ends:
        today = calendar.today(instant)
        assert local_day_function(zone)(microseconds(instant)) in (today - 1, today, today + 1)
        assert calendar.local(instant).year in (year - 1, year, year + 1)
        assert calendar.instant(instant.replace(tzinfo=None)).year in (year - 1, year, year + 1)
        for direction in (-1, 1):
            for unit in UNITS:
                by = Length(count, unit)
                edges = (FIRST_INSTANT, LAST_INSTANT) if by.is_clock else (FIRST_DAY, LAST_DAY)
                assert edges[0] <= calendar.shift(instant, by, direction) <= edges[1]
        for name in PERIODS:
            first, last = calendar.period(instant, name)
            assert FIRST_DAY <= first <= last + 1
            assert last <= LAST_DAY
        for period in PERIOD_UNITS:
            assert calendar.period_end(today, period) >= today
