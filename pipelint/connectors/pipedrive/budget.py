"""Our share of the company's daily tokens, counted over the last 24 hours and remembered between runs.

The day of the budget ends at midnight of a time zone that Pipedrive does not name (fact sheet §6). Whoever stays
within a share over any 24 hours stays within it on every such day, so that is what is counted: by the hour, in
a small file, because a run every hour must know of the ones before it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from pipelint.errors import CacheUnusable, QuotaExhausted

DAY: Final = timedelta(hours=24)

FOR_DETAILS: Final = Decimal("0.3")
"""Of our share, what calls for single deals may take: their changes and participants can wait."""

FOR_WRITING: Final = Decimal("0.8")
"""Of our share, what may be used before writing stops, so that the next pulls have something left."""


class _Kept(msgspec.Struct):
    hours: dict[str, int] = {}


class Budget:
    """What we may still spend; `report` takes the company's own figures where an answer tells them."""

    def __init__(
        self, file: Path | None, clock: Callable[[], datetime], daily_tokens: int, share: Decimal
    ) -> None:
        self._file = file
        self._clock = clock
        self._daily = daily_tokens
        self._share = share
        self._company_left: int | None = None
        self._hours = self._load()

    @property
    def ours(self) -> int:
        """Tokens that are ours in any 24 hours."""
        return int(self._daily * self._share)

    @property
    def daily(self) -> int:
        """Tokens that the whole company has a day."""
        return self._daily

    def used(self) -> int:
        """Tokens that we spent in the last 24 hours, the hour that began before them included."""
        oldest = _hour(self._clock() - DAY)
        return sum(tokens for hour, tokens in self._hours.items() if hour >= oldest)

    def left(self, part: Decimal = Decimal(1)) -> int:
        """Tokens that may be spent now by something that may use our share up to `part` of it."""
        left = int(self.ours * part) - self.used()
        if self._company_left is not None:
            left = min(left, self._company_left)
        return max(left, 0)

    def spend(self, tokens: int) -> None:
        """Count tokens before they are asked for.

        Raises:
            QuotaExhausted: they are not ours to spend today.
        """
        if self._company_left is not None and self._company_left < tokens:
            raise QuotaExhausted(
                "the company's API tokens for today are used up, by all integrations together",
                hint="they come back at midnight of Pipedrive's servers; the next run continues",
            )
        if self.left() < tokens:
            raise QuotaExhausted(
                f"{self.used():,} API tokens were used in the last 24 hours, and {self.ours:,} are pipelint's share",
                hint="they come free hour by hour, and the next run continues; raise share or daily_tokens"
                " in pipelint.yaml if the company has more",
            )
        now = _hour(self._clock())
        oldest = _hour(self._clock() - DAY)
        kept = {hour: spent for hour, spent in self._hours.items() if hour >= oldest}
        self._hours = kept | {now: kept.get(now, 0) + tokens}
        self._save()

    def report(self, limit: int | None, left: int | None) -> None:
        """Take over the figures of an answer; Pipedrive sends them at times (fact sheet §6)."""
        if limit:
            self._daily = limit
        if left is not None:
            self._company_left = left

    def _load(self) -> dict[str, int]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept).hours
        except (OSError, msgspec.MsgspecError):
            # To begin at nothing could use the budget of a day twice.
            raise CacheUnusable(
                f"{self._file.name}, which counts the API tokens of the last day, cannot be read",
                hint=f"remove it after 24 hours without a run: {self._file}",
            ) from None

    def _save(self) -> None:
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(_Kept(self._hours)))
            new.replace(self._file)
        except OSError as error:
            raise CacheUnusable(f"{self._file} cannot be written: {error.strerror}") from None


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"
