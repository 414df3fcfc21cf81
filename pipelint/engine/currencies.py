"""Exchange rates that a CRM delivers, and what is to be said once about the currencies of its amounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

from pipelint.engine.cache.sqlite import Cache
from pipelint.errors import Place, Problem
from pipelint.records import Stream
from pipelint.rules.currency import Rate
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered
from pipelint.rules.zones import FIRST_DAY, day_number

_ALWAYS = FIRST_DAY - 1


def with_rates(cache: Cache, pack: Pack, connection: str) -> Pack:
    """The pack with the rates of one connection, where it says `rates: crm`."""
    own = pack.currency
    if own is None or not own.from_crm:
        return pack
    return replace(pack, currency=replace(own, rates=_rates(cache, own.to, connection)))


def _rates(cache: Cache, to: str, connection: str) -> dict[str, tuple[Rate, ...]]:
    """What a unit of each currency is worth in `to`, the newest first, worked out through the home currency.

    A rate holds from its day until the next of either currency, so all days of both are taken.
    """
    per_home: dict[str, dict[int, Decimal]] = {}
    query = "SELECT upper(currency), start, per_home FROM exchange_rate WHERE connection = ?"
    for currency, start, rate in cache.db.execute(query, (connection,)):
        if rate is not None and Decimal(rate) > 0:
            day = _ALWAYS if start is None else day_number(date.fromisoformat(start))
            per_home.setdefault(currency, {})[day] = Decimal(rate)
    ours = per_home.get(to)
    if ours is None:
        return {}
    found = {}
    for currency, theirs in per_home.items():
        days = sorted({*ours, *theirs}, reverse=True)
        worth = ((day, _on(ours, day), _on(theirs, day)) for day in days)
        with localcontext(prec=28):
            found[currency] = tuple(
                Rate(None if day == _ALWAYS else day, mine / other)
                for day, mine, other in worth
                if mine and other
            )
    return found


def _on(rates: dict[int, Decimal], day: int) -> Decimal | None:
    """The rate in force on a day."""
    begun = [start for start in rates if start <= day]
    return rates[max(begun)] if begun else None


def currency_notices(cache: Cache, pack: Pack, said: Delivered, rules: str) -> Iterator[Problem]:
    """That amounts in several currencies are taken as they are, or that the CRM delivers no rates."""
    if "currency" not in said.fields.get(Stream.OPPORTUNITIES, frozenset()):
        return
    query = (
        "SELECT DISTINCT upper(trim(currency)) FROM opportunity"
        " WHERE connection = ? AND amount IS NOT NULL AND trim(currency) <> '' ORDER BY 1"
    )
    found = [row[0] for row in cache.db.execute(query, (said.connection,))]
    own = pack.currency
    if own is None:
        if len(found) > 1:
            what = f"{said.connection} holds amounts in {_listed(found)}, which are compared as they are"
            rates = "crm" if Stream.EXCHANGE_RATES in said.fields else "rates.csv"
            hint = f"say what to count in, e.g. currency: {{to: {found[0]}, rates: {rates}}}"
            yield Problem(Place(rules), what, hint, level="warning")
    elif own.from_crm:
        known = {own.to, *_rates(cache, own.to, said.connection)}
        if lacking := [each for each in found if each not in known]:
            what = f"{said.connection} delivers no exchange rates, so amounts in {_listed(lacking)} are not known"
            if len(known) > 1:
                what = f"{said.connection} delivers no rate of {_listed(lacking)}: such amounts are not known"
            hint = f"give the rates in a file, e.g. currency: {{to: {own.to}, rates: rates.csv}}"
            yield Problem(own.place, what, hint, level="warning")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
