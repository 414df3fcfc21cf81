"""SQL functions that SQLite lacks: time zones, full Unicode, exact decimals, lists of words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time

from pipelint.rules.calendar import PERIOD_UNITS, Calendar
from pipelint.rules.text import as_set, clean, fold, scaled
from pipelint.rules.zones import EPOCH_ORDINAL, local_day_function, microseconds

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
        return None if value is None else _day_number(str(value))

    def at(value: Cell) -> int | None:
        """The instant itself; a plain date begins at local midnight."""
        if isinstance(value, int) or value is None:
            return value
        number = _day_number(str(value))
        if number is None:
            return None
        midnight = datetime.combine(date.fromordinal(number + EPOCH_ORDINAL), time())
        return microseconds(calendar.instant(midnight))

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
        functions[f"pl_{unit}"] = lambda value, u=unit: (  # type: ignore[misc]
            None if value is None else calendar.period_number(int(value), u)
        )
        functions[f"pl_{unit}_end"] = lambda value, u=unit: (  # type: ignore[misc]
            None if value is None else calendar.period_end(int(value), u)
        )
    for name, function in functions.items():
        db.create_function(name, 1, function, deterministic=True)


def register_words(db: sqlite3.Connection, name: str, words: Mapping[str, int | str]) -> None:
    """A function that turns a CRM's word (folded) into ours, NULL where nobody mapped it."""

    def translated(value: Cell) -> Cell:
        text = None if value is None else clean(str(value))
        return None if text is None else words.get(fold(text))

    db.create_function(name, 1, translated, deterministic=True)


def _day_number(text: str) -> int | None:
    try:
        return date.fromisoformat(text[:10]).toordinal() - EPOCH_ORDINAL
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
        return [str(member) for member in json.loads(text)]
    return text.split(";")


def _members(value: Cell) -> str | None:
    return as_set(_listed(value))


def _size(value: Cell) -> int | None:
    return len({fold(word) for member in _listed(value) if (word := clean(member))}) or None
