"""What a length of time, a day, a working hour, a week and a fiscal quarter are (rules.md §4.3b)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Self, TypeAlias, cast, get_args
from zoneinfo import ZoneInfo

from pipelint.rules.zones import (
    DAY,
    EPOCH,
    FIRST_DAY,
    FIRST_INSTANT,
    HOUR,
    LAST_DAY,
    LAST_INSTANT,
    MINUTE,
    SECOND,
    clamp_day,
    clamp_instant,
    date_of,
    day_number,
    microseconds,
    moment,
    offset_at,
)

Unit: TypeAlias = Literal[
    "seconds",
    "minutes",
    "hours",
    "working hours",
    "days",
    "business days",
    "weeks",
    "months",
    "quarters",
    "years",
]
PeriodUnit: TypeAlias = Literal["week", "month", "quarter", "year"]
Direction: TypeAlias = Literal[-1, 1]

UNITS: tuple[Unit, ...] = get_args(Unit)
PERIOD_UNITS: tuple[PeriodUnit, ...] = get_args(PeriodUnit)
_STEPS = {"last": -1, "this": 0, "next": 1}
PERIODS = tuple(f"{word} {unit}" for word in ("this", "last", "next") for unit in PERIOD_UNITS)

_CLOCK = {"seconds": SECOND, "minutes": MINUTE, "hours": HOUR}
_DAYS = {"days": 1, "weeks": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_WRITTEN = re.compile(r"(\d{1,9})\s+([a-z]+(?:\s+[a-z]+)?)", re.ASCII | re.IGNORECASE)
_THURSDAY = 3  # day number 0, 1 January 1970, was one


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time as an admin writes it, such as `10 business days`."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `14 days`, `1 day` or `24 working hours`; None where the text is no length of time."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            return None
        written = " ".join(match[2].lower().split()).removesuffix("s") + "s"
        return next((cls(int(match[1]), unit) for unit in UNITS if unit == written), None)

    @property
    def is_clock(self) -> bool:
        """Whether instants are compared (clock lengths) rather than whole local days (calendar lengths)."""
        return self.unit in _CLOCK or self.unit == "working hours"

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every record, so that it may stand in `plus` (rules.md §4.3)."""
        return self.unit in _CLOCK or self.unit in _DAYS

    @property
    def size(self) -> int:
        """A fixed length as a number: of microseconds for a clock length, else of days."""
        return self.count * (_CLOCK | _DAYS)[self.unit]

    def __str__(self) -> str:
        return f"{self.count} {self.unit[:-1] if self.count == 1 else self.unit}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The pack's settings that decide what a day, a working hour, a week, a quarter is.

    Days are day numbers since 1970-01-01 and weekdays count from Monday = 0. Answers that would lie outside
    the years 1 to 9999 are held at their edge.
    """

    zone: str = "UTC"
    fiscal_year_starts: int = 1
    week_starts: int = 0
    working_days: frozenset[int] = frozenset(range(5))
    working_hours: tuple[time, time] = (time(9), time(18))  # an end not after the start lies on the next day
    holidays: frozenset[date] = frozenset()

    def local(self, instant: datetime) -> datetime:
        """The instant on this calendar's clocks, as an aware datetime."""
        zone = ZoneInfo(self.zone)
        try:
            return instant.astimezone(zone)
        except OverflowError:
            edge = LAST_INSTANT if instant > EPOCH else FIRST_INSTANT
            return moment(edge).replace(tzinfo=zone)

    def instant(self, local: datetime) -> datetime:
        """The instant, in UTC, of a naive local time.

        A time that clocks show twice is the first of the two; a time that they leave out is read with the
        offset that held before, so 02:30 on the day when 02:00 becomes 03:00 is 03:30.
        """
        return moment(self._instant(local))

    def day_of(self, instant: datetime) -> int:
        """The local day of an instant."""
        at = microseconds(instant)
        return clamp_day((at + offset_at(self.zone, at)) // DAY)

    def today(self, as_of: datetime) -> int:
        """The day that is today at this instant."""
        return self.day_of(as_of)

    def end_of_day(self, as_of: datetime) -> datetime:
        """The last instant of the local day, or the instant itself where clocks have gone back over midnight."""
        midnight = self.instant(datetime.combine(_date(self.day_of(as_of) + 1), time()))
        return max(midnight - timedelta(microseconds=1), as_of)

    def is_working_day(self, day: int) -> bool:
        return (day + _THURSDAY) % 7 in self.working_days and _date(day) not in self.holidays

    def shift(self, as_of: datetime, length: Length, direction: Direction) -> int:
        """Go a length back (-1) or on (+1).

        A calendar length goes from today to a day number, a clock length from now to microseconds since 1970.
        Months, quarters and years keep the day of the month, or take the last day of a month that lacks it.
        """
        today = self.day_of(as_of)
        match length.unit:
            case "working hours":
                return self._shift_working_hours(microseconds(as_of), length.count * HOUR, direction)
            case "business days":
                return self._shift_business_days(today, length.count, direction)
            case "months" | "quarters" | "years":
                return _shift_months(today, direction * length.count * _MONTHS[length.unit[:-1]])
            case "days" | "weeks":
                return clamp_day(today + direction * length.size)
            case _:
                return clamp_instant(microseconds(as_of) + direction * length.size)

    def period(self, as_of: datetime, name: str) -> tuple[int, int]:
        """The first and the last day of one of PERIODS, such as `this quarter`."""
        word, unit = cast("tuple[str, PeriodUnit]", name.split())
        number = self.period_number(self.day_of(as_of), unit) + _STEPS[word]
        return self._period_start(number, unit), self._period_start(number + 1, unit) - 1

    def period_number(self, day: int, unit: PeriodUnit) -> int:
        """A whole number that grows by one from each week, month, fiscal quarter or year to the next."""
        if unit == "week":
            return (day + _THURSDAY - self.week_starts) // 7
        on = _date(day)
        return (on.year * 12 + on.month - 1 + self._fiscal_shift(unit)) // _MONTHS[unit]

    def period_end(self, day: int, unit: PeriodUnit) -> int:
        """The last day of the period that this day lies in."""
        return self._period_start(self.period_number(day, unit) + 1, unit) - 1

    def _instant(self, local: datetime) -> int:
        offset = local.replace(tzinfo=ZoneInfo(self.zone), fold=0).utcoffset() or timedelta()
        return microseconds(local.replace(tzinfo=UTC)) - offset // timedelta(microseconds=1)

    def _fiscal_shift(self, unit: PeriodUnit) -> int:
        """How many months ahead of the calendar fiscal years run: they are named by the year they end in."""
        return 0 if unit == "month" else (13 - self.fiscal_year_starts) % 12

    def _period_start(self, number: int, unit: PeriodUnit) -> int:
        if unit == "week":
            return min(max(number * 7 - _THURSDAY + self.week_starts, FIRST_DAY), LAST_DAY + 1)
        return _month_start(number * _MONTHS[unit] - self._fiscal_shift(unit))

    def _shift_business_days(self, day: int, count: int, direction: Direction) -> int:
        while count and FIRST_DAY < day < LAST_DAY:
            day += direction
            count -= self.is_working_day(day)
        return day

    def _shift_working_hours(self, now: int, remaining: int, direction: Direction) -> int:
        """Use up working time, day by day; of the instants that fit, the answer is the one nearest to now."""
        if not remaining:
            return now
        # One day early, since the work of a day may run past midnight.
        day = (now + offset_at(self.zone, now)) // DAY - direction
        while FIRST_DAY < day < LAST_DAY:
            if self.is_working_day(day):
                opens, closes = self._work_of(day)
                opens, closes = (max(opens, now), closes) if direction > 0 else (opens, min(closes, now))
                if closes - opens >= remaining:
                    return opens + remaining if direction > 0 else closes - remaining
                remaining -= max(closes - opens, 0)
            day += direction
        return clamp_instant(day * DAY)

    def _work_of(self, day: int) -> tuple[int, int]:
        """The instants at which a day's work begins and ends; what lies between is real elapsed time."""
        opens, closes = self.working_hours
        begin = datetime.combine(_date(day), opens)
        end = datetime.combine(_date(day if closes > opens else day + 1), closes)
        return self._instant(begin), self._instant(end)


def _date(day: int) -> date:
    return date_of(clamp_day(day))


def _month_start(index: int) -> int:
    """The first day of a month, given as year × 12 + month - 1."""
    year, month = divmod(index, 12)
    if year < date.min.year:
        return FIRST_DAY
    if year > date.max.year:
        return LAST_DAY + 1
    return day_number(date(year, month + 1, 1))


def _shift_months(day: int, months: int) -> int:
    on = _date(day)
    index = min(max(on.year * 12 + on.month - 1 + months, 12), date.max.year * 12 + 11)
    return min(_month_start(index) + on.day - 1, _month_start(index + 1) - 1)
