"""Time zones as whole numbers: offsets, their changes, and the local day of an instant.

Instants are microseconds since 1970 UTC and days are day numbers since 1970-01-01 (rules.md §5). Nothing here
fails at the edges of Python's years 1 to 9999, where adding an offset to a datetime would overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000  # in microseconds, like every length of clock time here
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = EPOCH.toordinal()


def day_number(day: date) -> int:
    """The number of a date."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(number: int) -> date:
    """The date with this number."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


FIRST_DAY = day_number(date.min)
LAST_DAY = day_number(date.max)
FIRST_INSTANT = FIRST_DAY * DAY
LAST_INSTANT = (LAST_DAY + 1) * DAY - 1

_MICROSECOND = timedelta(microseconds=1)


def clamp_day(day: int) -> int:
    """Hold a day number inside the years 1 to 9999."""
    return min(max(day, FIRST_DAY), LAST_DAY)


def clamp_instant(instant: int) -> int:
    """Hold microseconds since 1970 UTC inside the years 1 to 9999."""
    return min(max(instant, FIRST_INSTANT), LAST_INSTANT)


def microseconds(instant: datetime) -> int:
    """An aware datetime as microseconds since 1970 UTC."""
    return (instant - EPOCH) // _MICROSECOND


def moment(instant: int) -> datetime:
    """Microseconds since 1970 UTC as a datetime in UTC."""
    return EPOCH + timedelta(microseconds=clamp_instant(instant))


def offset_at(zone: str, instant: int) -> int:
    """How far the zone's clocks are ahead of UTC at an instant, in microseconds.

    Within a day of the edges of the years 1 to 9999 the answer is that of a day further inside, which is the
    same: no zone changes its clocks there.
    """
    inside = min(max(instant, FIRST_INSTANT + DAY), LAST_INSTANT - DAY)
    offset = moment(inside).astimezone(ZoneInfo(zone)).utcoffset()
    return (offset or timedelta()) // _MICROSECOND


def transitions(zone: str, first_year: int, last_year: int) -> list[tuple[int, int]]:
    """The offsets of a zone over a span of years: (from this instant on, this offset), ascending.

    The first entry stands at the beginning of the first year, so a bisect finds an entry for every instant of
    the span. Changes are found by looking once a day and bisecting the days at whose ends the offset differs,
    which is exact because no zone has changed its clocks twice within a day.
    """
    first = day_number(date(first_year, 1, 1)) * DAY
    last = (day_number(date(last_year, 12, 31)) + 1) * DAY
    found = [(first, offset_at(zone, first))]
    for day in range(first + DAY, last + DAY, DAY):
        offset = offset_at(zone, day)
        if offset != found[-1][1]:
            found.append((_change(zone, day - DAY, day), offset))
    return [entry for entry in found if entry[0] < last]


def local_day_function(zone: str) -> Callable[[int | None], int | None]:
    """Make a fast function from microseconds since 1970 UTC to the local day number; unknown stays unknown.

    It remembers the offset of each UTC day it meets, and asks the zone anew only on days on which it changes.
    """
    offsets: dict[int, int | None] = {}

    def local_day(instant: int | None) -> int | None:
        if instant is None:
            return None
        day = instant // DAY
        if day not in offsets:
            begin, end = offset_at(zone, day * DAY), offset_at(zone, (day + 1) * DAY)
            offsets[day] = begin if begin == end else None
        offset = offsets[day]
        return (instant + (offset_at(zone, instant) if offset is None else offset)) // DAY

    return local_day


def _change(zone: str, before: int, after: int) -> int:
    """The first instant after `before` that already has the offset of `after`."""
    offset = offset_at(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after
