"""Our share of the company's daily tokens, counted over the last 24 hours and remembered between runs.

The day of the budget ends at midnight of a time zone that Pipedrive does not name (fact sheet §6). Whoever stays
within a share over any 24 hours stays within it on every such day, so that is what is counted: by the hour, in
a small database of the company, because a run must know of the ones before it, and of a doctor beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from pipelint.errors import CacheUnusable, QuotaExhausted

DAY: Final = timedelta(hours=24)

FOR_DETAILS: Final = Decimal("0.2")
"""Of our share, what calls for single deals may take: their changes and participants can wait, but not for ever."""

FOR_WRITING: Final = Decimal("0.8")
"""Of our share, what may be used before writing stops, so that the next pulls have something left."""


_SPENT: Final = (
    "CREATE TABLE IF NOT EXISTS spent"
    " (hour TEXT, detail INTEGER, tokens INTEGER NOT NULL, PRIMARY KEY (hour, detail)) STRICT"
)
_ADD: Final = (
    "INSERT INTO spent VALUES (?, ?, ?)"
    " ON CONFLICT (hour, detail) DO UPDATE SET tokens = tokens + excluded.tokens"
)
_BUSY_SECONDS: Final = 30


class Budget:
    """What we may still spend; `report` takes the company's own figures where an answer tells them.

    Raises:
        CacheUnusable: the count of the last day cannot be read or written.
    """

    def __init__(
        self, file: Path | None, clock: Callable[[], datetime], daily_tokens: int, share: Decimal
    ) -> None:
        self._file = file
        self._clock = clock
        self._daily = daily_tokens
        self._share = share
        self._company_left: int | None = None
        with self._told():
            self._db = sqlite3.connect(file or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(_SPENT)
        self._settle()

    @property
    def ours(self) -> int:
        """Tokens that are ours in any 24 hours."""
        return int(self._daily * self._share)

    @property
    def daily(self) -> int:
        """Tokens that the whole company has a day."""
        return self._daily

    def used(self) -> int:
        """Tokens that were spent in the last 24 hours, the hour that began before them included."""
        return self._used()

    def left(self, part: Decimal = Decimal(1)) -> int:
        """Tokens that may be spent now by something that may use our share up to `part` of it."""
        left = int(self.ours * part) - self.used()
        if self._company_left is not None:
            left = min(left, self._company_left)
        return max(left, 0)

    def left_for_details(self) -> int:
        """Tokens that calls for single deals may take now: a part of its own, which no other use takes away.

        Lists keep what writing leaves to them.
        """
        own = int(self.ours * FOR_DETAILS) - self._used(detail=True)
        return max(min(own, self.left(FOR_WRITING)), 0)

    def spend(self, tokens: int, *, detail: bool = False) -> None:
        """Count tokens before they are asked for; `detail`: a call for a single deal takes them.

        Raises:
            QuotaExhausted: they are not ours to spend today.
        """
        if self._company_left is not None and self._company_left < tokens:
            raise QuotaExhausted(
                "the company's API tokens for today are used up, by all integrations together",
                hint="they come back at midnight of Pipedrive's servers; the next run continues",
            )
        with self._alone():
            if self.left() < tokens:
                raise QuotaExhausted(
                    f"{self.used():,} API tokens were used in the last 24 hours, and {self.ours:,} are"
                    " pipelint's share",
                    hint="they come free hour by hour, and the next run continues; raise share or daily_tokens"
                    " in pipelint.yaml if the company has more",
                )
            self._db.execute(_ADD, [_hour(self._clock()), detail, tokens])

    def report(self, limit: int | None, left: int | None) -> None:
        """Take over the figures of an answer, which Pipedrive sends at times (fact sheet §6).

        A limit above the one in pipelint.yaml gives us no more: the share of that one is what was agreed.
        """
        if limit:
            self._daily = min(self._daily, limit)
        if left is not None:
            self._company_left = left

    def close(self) -> None:
        self._db.close()

    def _settle(self) -> None:
        """Hours to come were counted by a clock that was ahead: nobody knows when they were, so they count as now."""
        with self._alone():
            now = _hour(self._clock())
            ahead = "DELETE FROM spent WHERE hour > ? RETURNING ?, detail, tokens"
            self._db.executemany(_ADD, self._db.execute(ahead, [now, now]).fetchall())
            self._db.execute("DELETE FROM spent WHERE hour < ?", [_hour(self._clock() - DAY)])

    def _used(self, *, detail: bool = False) -> int:
        """Tokens of the last 24 hours: all, or those of calls for single deals."""
        with self._told():
            (tokens,) = self._db.execute(
                "SELECT coalesce(sum(tokens), 0) FROM spent WHERE hour >= ? AND detail >= ?",
                [_hour(self._clock() - DAY), detail],
            ).fetchone()
        return int(tokens)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A look and a count that no other process comes between."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CacheUnusable(
                f"{self._file} cannot be used: {error}", hint="see to its disk and run again"
            ) from None
        except sqlite3.DatabaseError:
            # To begin at nothing could use the budget of a day twice.
            raise CacheUnusable(
                f"{self._file}, which counts the API tokens of the last day, cannot be read",
                hint="remove it after 24 hours without a run",
            ) from None


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"
