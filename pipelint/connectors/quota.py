"""The share of a CRM's daily API allowance that is ours: stop before others have nothing left."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pipelint.errors import QuotaExhausted

STOP_AT: Final = Decimal("0.8")
"""The share of the whole allowance at which we stop, whoever used it."""


class ReserveReached(QuotaExhausted):
    """The calls left are kept for others. Figures are those the CRM reported last."""

    def __init__(self, used: int, allowed: int, stop_at: Decimal, renewal: str) -> None:
        super().__init__(
            f"{used:,} of {allowed:,} API calls are used, and the last {1 - stop_at:.0%} are kept for others",
            hint=f"{renewal}; the next run continues where this one stopped",
        )
        self.used = used
        self.allowed = allowed
        self.stop_at = stop_at


@dataclass(slots=True)
class Allowance:
    """Follows what the CRM reports; `renewal` says, for people, when calls come free again."""

    renewal: str
    stop_at: Decimal = STOP_AT
    used: int | None = None
    allowed: int | None = None

    @property
    def left(self) -> int | None:
        """Calls that remain to everybody, the reserve included; None before the CRM has told."""
        return None if self.used is None or self.allowed is None else self.allowed - self.used

    def report(self, used: int, allowed: int) -> None:
        """Take over the figures of an answer."""
        self.used, self.allowed = used, allowed

    def ask(self) -> None:
        """Raise `ReserveReached` where another call would eat into the reserve."""
        if self.used is not None and self.allowed and self.used >= self.allowed * self.stop_at:
            raise ReserveReached(self.used, self.allowed, self.stop_at, self.renewal)
