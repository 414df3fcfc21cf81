"""SQL functions that SQLite lacks: time zones, full Unicode, exact decimals, lists of words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial

from pipelint.rules.calendar import PERIOD_UNITS, Calendar, PeriodUnit
from pipelint.rules.text import as_set, clean, fold, scaled
from pipelint.rules.zones import day_number, local_day_function, microseconds

Cell = str | int | float | None


def register(db: sqlite3.Connection, calendar: Calendar, blank_words: Collection[str]) -> None:
    """Make the functions known to this connection, for one calendar and one list of blank words."""
    local_day = local_day_function(calendar.zone)

    def cleaned(value: Cell) -> str | None:
        return None if value is None else clean(str(value), blank_words)

    def folded(value: Cell) -> str | None:
        text = cleaned(value)
        return None if text is None else fold(text)

    def day(value: Cell) -> int | None:
        """A date's own day number, or the local day of an instant."""
        if isinstance(value, int):
            return local_day(value)
        when = None if value is None else _when(str(value))
        if when is not None and when.tzinfo:
            return local_day(microseconds(when))
        return None if when is None else day_number(when)

    def at(value: Cell) -> int | None:
        """The instant itself; what has no zone is local, and a plain date begins at midnight."""
        if isinstance(value, int) or value is None:
            return value
        when = _when(str(value))
        if when is None:
            return None
        return microseconds(when if when.tzinfo else calendar.instant(when))

    functions: dict[str, Callable[[Cell], Cell]] = {
        "pl_clean": cleaned,
        "pl_fold": folded,
        "pl_day": day,
        "pl_at": at,
        "pl_scaled": lambda value: None if value is None else scaled(str(value)),
        "pl_truth": _truth,
        "pl_set": _members,
        "pl_size": _size,
    }
    for unit in PERIOD_UNITS:
        functions[f"pl_{unit}"] = partial(_of_day, calendar.period_number, unit)
        functions[f"pl_{unit}_end"] = partial(_of_day, calendar.period_end, unit)
    for name, function in functions.items():
        db.create_function(name, 1, function, deterministic=True)


def _of_day(period: Callable[[int, PeriodUnit], int], unit: PeriodUnit, day: Cell) -> int | None:
    return None if day is None else period(int(day), unit)


def register_words(
    db: sqlite3.Connection, name: str, words: Mapping[str, int | str], *, several: bool = False
) -> None:
    """A function that turns a CRM's word (folded) into ours, NULL where nobody mapped it.

    With `several` it turns all members of a multi-select, and is NULL where nobody mapped one of them.
    """

    def translated(value: Cell) -> Cell:
        text = None if value is None else clean(str(value))
        return None if text is None else words.get(fold(text))

    def all_translated(value: Cell) -> Cell:
        members = [translated(member) for member in _listed(value) if clean(member) is not None]
        return None if None in members else json.dumps(members)

    db.create_function(name, 1, all_translated if several else translated, deterministic=True)


def _when(text: str) -> datetime | None:
    """A date or a date with time as CRMs and files write it, e.g. 2026-11-20 or 2026-11-20T10:30:00Z."""
    text = text.strip()
    if text[4:5] != "-" or text[7:8] != "-":  # 20261120 and 2026-W47-5 are dates to Python, not to people
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _truth(value: Cell) -> int | None:
    if isinstance(value, int):
        return int(value != 0)
    word = "" if value is None else str(value).strip().casefold()
    return 1 if word in {"yes", "true", "1"} else 0 if word in {"no", "false", "0"} else None


def _listed(value: Cell) -> list[str]:
    if value is None:
        return []
    text = str(value)
    if text.startswith("["):
        try:
            return [str(member) for member in json.loads(text)]
        except ValueError:
            pass  # no list of ours, but a member that begins so
    return text.split(";")


def _members(value: Cell) -> str | None:
    return as_set(_listed(value))


def _size(value: Cell) -> int | None:
    return len({fold(word) for member in _listed(value) if (word := clean(member))}) or None
