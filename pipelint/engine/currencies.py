"""What is to be said once about the currencies that a connection's amounts are in."""

from __future__ import annotations

from collections.abc import Iterator

from pipelint.engine.cache.sqlite import Cache
from pipelint.errors import Place, Problem
from pipelint.records import Stream
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered


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
            hint = f"say what to count in, e.g. currency: {{to: {found[0]}, rates: rates.csv}}"
            yield Problem(Place(rules), what, hint, level="warning")
    elif own.from_crm and (foreign := [each for each in found if each != own.to]):
        what = f"{said.connection} delivers no exchange rates, so amounts in {_listed(foreign)} are not known"
        hint = f"give the rates in a file, e.g. currency: {{to: {own.to}, rates: rates.csv}}"
        yield Problem(own.place, what, hint, level="warning")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
