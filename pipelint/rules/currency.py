"""What one unit of each currency is worth in the pack's own, by day (rules.md §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from pipelint.errors import Place
from pipelint.rules.text import scaled

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)  # so that only `scaled` rounds


@dataclass(frozen=True, slots=True)
class Rate:
    """What a currency is worth from a day on (its number); None stands for ever."""

    start: int | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Currency:
    """The `currency:` section: what amounts are counted in, and the rates by currency, the newest first."""

    to: str
    rates: Mapping[str, tuple[Rate, ...]]
    from_crm: bool
    place: Place

    def rate(self, currency: str | None, day: int) -> Decimal | None:
        """The rate of a currency on a day; a record that names none is in the pack's own."""
        code = (currency or "").strip().upper()
        if not code or code == self.to:
            return Decimal(1)
        found = (each for each in self.rates.get(code, ()) if each.start is None or each.start <= day)
        return next((each.rate for each in found), None)


def converted(amount: str, rate: Decimal) -> int | None:
    """An amount in the pack's currency × 10 000, rounded half up once."""
    try:
        return scaled(str(_EXACT.multiply(Decimal(amount), rate)))
    except ArithmeticError:
        return None
