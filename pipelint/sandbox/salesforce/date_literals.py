"""The days that date literals such as THIS_QUARTER and LAST_N_DAYS:30 stand for."""

from __future__ import annotations

from datetime import date, timedelta

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_ALIASES = {
    "TODAY": "THIS_DAY",
    "YESTERDAY": "LAST_DAY",
    "TOMORROW": "NEXT_DAY",
    "LAST_90_DAYS": "LAST_N_DAYS:90",
    "NEXT_90_DAYS": "NEXT_N_DAYS:90",
}


def days(literal: str, today: date) -> tuple[date, date]:
    """First day and the day after the last.

    >>> days("LAST_N_DAYS:7", date(2026, 11, 21))
    (datetime.date(2026, 11, 14), datetime.date(2026, 11, 22))
    """
    name, _, count = _ALIASES.get(literal, literal).partition(":")
    match name.split("_"):
        case ["THIS", unit]:
            first, after = 0, 1
        case ["LAST", "N", "DAYS"]:  # the only one that ends with today
            unit, first, after = "DAY", -int(count), 1
        case ["LAST", "N", unit]:
            first, after = -int(count), 0
        case ["NEXT", "N", unit]:
            first, after = 1, int(count) + 1
        case ["N", unit, "AGO"]:
            first, after = -int(count), 1 - int(count)
        case ["LAST", unit]:
            first, after = -1, 0
        case ["NEXT", unit]:
            first, after = 1, 2
        case _:
            raise ValueError(literal)
    return _start(unit.removesuffix("S"), today, first), _start(unit.removesuffix("S"), today, after)


def _start(unit: str, today: date, shift: int) -> date:
    """The first day of the unit that lies `shift` units from the current one; weeks begin on Monday."""
    if unit == "DAY":
        return today + timedelta(days=shift)
    if unit == "WEEK":
        return today + timedelta(days=7 * shift - today.weekday())
    size = _MONTHS[unit]
    month = today.year * 12 + (today.month - 1) // size * size + size * shift
    return date(month // 12, month % 12 + 1, 1)
