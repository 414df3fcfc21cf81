"""SQL for money in the pack's currency: one rate per record, of the day it closes (rules.md §4.1)."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from functools import cache

from pipelint.rules.currency import Currency, converted

RATE = "currency__rate"
"""The prepared column that holds the record's rate; its related rows are converted with the same one."""
RATE_OF_RECORD = "pl_rate(o.currency, pl_day(coalesce(o.close_date, o.created_at)))"
NO_RATE = f"CASE WHEN {RATE_OF_RECORD} IS NULL THEN 1 ELSE 0 END"


def register_rates(db: sqlite3.Connection, currency: Currency, today: int) -> None:
    """Make the functions known to this connection; without a day of its own a record has today's rate."""

    @cache
    def rate(code: str | None, day: int | None) -> str | None:
        found = currency.rate(code, today if day is None else day)
        return None if found is None else str(found)

    def money(value: str | int | float | None, rate: str | None) -> int | None:
        return None if value is None or rate is None else converted(str(value), Decimal(rate))

    db.create_function("pl_rate", 2, rate, deterministic=True)
    db.create_function("pl_money", 2, money, deterministic=True)
