"""`currency: {rates: crm}`: amounts are counted by the rates that the CRM delivers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.currencies import currency_notices, with_rates
from pipelint.errors import Place
from pipelint.records import ExchangeRate, Opportunity, Stream
from pipelint.rules.currency import Currency
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered
from pipelint.rules.zones import day_number
from tests.engine.cache.crm import CRM, START, page, pulled

FIELDS = {
    Stream.OPPORTUNITIES: frozenset({"currency", "amount"}),
    Stream.EXCHANGE_RATES: frozenset({"currency"}),
}


@dataclass(frozen=True)
class OnlyCurrency:
    """As much of a pack as rates are about."""

    currency: Currency | None


def pack(to: str, *, from_crm: bool = True) -> Pack:
    return cast("Pack", OnlyCurrency(Currency(to, {}, from_crm=from_crm, place=Place("pack.yaml"))))


def day(text: str) -> int:
    return day_number(date.fromisoformat(text))


@pytest.fixture
def cache() -> Cache:
    """The home currency is the euro; the dollar has another rate in each of two quarters."""
    cache = Cache.open(":memory:")
    rates = [
        ExchangeRate("1", "EUR", None, Decimal(1)),
        ExchangeRate("2", "USD", None, Decimal("1.25")),
        ExchangeRate("3", "USD", date(2026, 7, 1), Decimal("1.6")),
        ExchangeRate("4", "USD", date(2026, 10, 1), Decimal(2)),
        ExchangeRate("5", "GBP", None, Decimal("0.8")),
        ExchangeRate("6", "XXX", None, None),
    ]
    pulled(cache, page(Stream.EXCHANGE_RATES, *rates))
    return cache


@pytest.mark.parametrize(
    ("to", "currency", "on", "worth"),
    [
        ("EUR", "EUR", "2026-08-01", 1),
        ("EUR", "USD", "2026-10-01", "0.5"),
        ("EUR", "USD", "2026-09-30", "0.625"),
        ("EUR", "USD", "2020-01-01", "0.8"),
        ("USD", "EUR", "2026-11-01", 2),
        ("USD", "GBP", "2026-11-01", "2.5"),
        ("USD", "GBP", "2026-08-01", 2),
        ("GBP", "USD", "2026-11-01", "0.4"),
        ("EUR", "XXX", "2026-11-01", None),
        ("EUR", "CHF", "2026-11-01", None),
        ("CHF", "EUR", "2026-11-01", None),
    ],
)
def test_a_rate_goes_through_the_home_currency_as_of_the_day(
    cache: Cache, to: str, currency: str, on: str, worth: str | int | None
) -> None:
    own = with_rates(cache, pack(to), CRM).currency
    assert own is not None
    assert own.rate(currency, day(on)) == (None if worth is None else Decimal(worth))


def test_rates_of_a_file_are_left_alone(cache: Cache) -> None:
    given = pack("EUR", from_crm=False)
    assert with_rates(cache, given, CRM) is given


def test_rates_belong_to_their_connection(cache: Cache) -> None:
    own = with_rates(cache, pack("EUR"), "another").currency
    assert own is not None
    assert own.rate("USD", day("2026-11-01")) is None


def test_a_currency_without_a_rate_is_told(cache: Cache) -> None:
    deals = [Opportunity(code, START, amount=Decimal(1), currency=code) for code in ("EUR", "USD", "CHF")]
    pulled(cache, page(Stream.OPPORTUNITIES, *deals))
    [said] = currency_notices(cache, pack("EUR"), Delivered(CRM, "salesforce", FIELDS), "rules")
    assert said.what == "acme delivers no rate of CHF: such amounts are not known"


def test_who_names_no_currency_is_told_that_the_crm_has_rates(cache: Cache) -> None:
    deals = [Opportunity(code, START, amount=Decimal(1), currency=code) for code in ("EUR", "USD")]
    pulled(cache, page(Stream.OPPORTUNITIES, *deals))
    nothing = cast("Pack", OnlyCurrency(None))
    [said] = currency_notices(cache, nothing, Delivered(CRM, "salesforce", FIELDS), "rules")
    assert "rates: crm" in said.hint
