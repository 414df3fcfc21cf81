"""What an organisation with several currencies has in addition (fact sheet §4, Multi-currency)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelint.sandbox.names import Language
from pipelint.sandbox.salesforce.fields import flag, number, picklist, typed
from pipelint.sandbox.salesforce.schema import AUDIT, SObject, sobject

if TYPE_CHECKING:
    from pipelint.sandbox.salesforce.setup import Setup

CORPORATE = "EUR"
RATES = {"EUR": 1.0, "GBP": 0.86, "USD": 1.09, "CHF": 0.95}
"""Units of each currency for one of the corporate currency."""
INACTIVE = {"CHF"}
OF_LANGUAGE: dict[Language, str] = {"fr": "EUR", "en": "GBP", "de": "EUR"}
WITH_CURRENCY = ("Account", "Contact", "Opportunity", "OpportunityLineItem", "OpportunityHistory", "Lead",
                 "Product2", "PricebookEntry", "User", "UserRole", "Organization")  # fmt: skip

CURRENCY_TYPE = sobject(
    "CurrencyType",
    "01L",
    picklist("IsoCode", RATES, required=True),
    number("ConversionRate", "double", scale=6),
    typed("DecimalPlaces", "int"),
    flag("IsActive"),
    flag("IsCorporate", read_only=True),
    system=AUDIT,
)

DATED_RATE = sobject(
    "DatedConversionRate",
    "04w",
    picklist("IsoCode", RATES, required=True),
    typed("StartDate", "date", required=True),
    typed("NextStartDate", "date", read_only=True),
    number("ConversionRate", "double", scale=6),
    system=AUDIT,
)


def with_currencies(objects: Iterable[SObject]) -> list[SObject]:
    """The objects as they are once several currencies are switched on."""
    code = picklist("CurrencyIsoCode", RATES, restricted=True, default=CORPORATE)
    return [
        replace(it, fields={**it.fields, code.name: code}) if it.name in WITH_CURRENCY else it
        for it in (*objects, CURRENCY_TYPE, DATED_RATE)
    ]


def switched_on(saved: Path) -> bool:
    """Whether a saved organisation has several currencies."""
    with closing(sqlite3.connect(saved)) as file:
        found = file.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [CURRENCY_TYPE.name])
        return found.fetchone() is not None


def set_up(setup: Setup) -> None:
    """The currencies with their rates, which change at the beginning of each quarter."""
    today = setup.clock.now().date()
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    before = (quarter - timedelta(days=1)).replace(day=1) - timedelta(days=60)
    starts = [date(2000, 1, 1), before.replace(day=1), quarter]
    for code, rate in RATES.items():
        setup.insert("CurrencyType", IsoCode=code, ConversionRate=rate, DecimalPlaces=2,
                     IsActive=int(code not in INACTIVE), IsCorporate=int(code == CORPORATE))  # fmt: skip
        if code == CORPORATE:
            continue
        for place, start in enumerate(starts):
            following = starts[place + 1] if place + 1 < len(starts) else date(9999, 12, 31)
            setup.insert("DatedConversionRate", IsoCode=code, StartDate=start.isoformat(),
                         NextStartDate=following.isoformat(),
                         ConversionRate=round(rate * (1 + 0.01 * (len(starts) - 1 - place)), 6))  # fmt: skip
