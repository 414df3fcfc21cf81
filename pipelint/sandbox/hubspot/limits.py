"""Rate limits: ten rolling seconds and a day for the app, a second for all searches (fact sheet §12)."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.hubspot.errors import RateLimited

TEN_SECONDS, SECOND = timedelta(seconds=10), timedelta(seconds=1)


@dataclass(slots=True)
class Allowance:
    """How many calls are allowed; 0 sets no limit.

    Left at None, the two short windows have HubSpot's numbers while the clock runs, and no limit while it
    stands still, where they would never pass.
    """

    per_ten_seconds: int | None = None
    searches_per_second: int | None = None
    per_day: int = 650_000


USUAL = Allowance(190, 5)
"""The numbers of the Professional plan."""


class Limits:
    """Counts calls by the sandbox's clock."""

    def __init__(self, clock: Clock, allowance: Allowance, zone: str) -> None:
        self.allowance = allowance
        self._clock = clock
        self._zone = ZoneInfo(zone)
        self._calls: deque[datetime] = deque()
        self._searches: deque[datetime] = deque()
        self._day = self._today()
        self.used_today = 0
        self._lock = threading.Lock()

    def count(self, *, search: bool) -> dict[str, str]:
        """Count a call or refuse it; answers the headers that tell what is left."""
        with self._lock:
            if self._today() != self._day:
                self._day, self.used_today = self._today(), 0
            per_day = self.allowance.per_day
            if per_day and self.used_today >= per_day:
                raise RateLimited("DAILY")
            daily = {
                "X-HubSpot-RateLimit-Daily": str(per_day),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, per_day - self.used_today - 1)),
            }
            if search:  # exempt from the ten seconds, and without their headers
                self._enter(self._searches, SECOND, self._per_second(), "SECONDLY")
                window: dict[str, str] = {}
            else:
                most = self._per_ten_seconds()
                self._enter(self._calls, TEN_SECONDS, most, "TEN_SECONDLY_ROLLING")
                shown = most or USUAL.per_ten_seconds or 0
                window = {
                    "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
                    "X-HubSpot-RateLimit-Max": str(shown),
                    "X-HubSpot-RateLimit-Remaining": str(shown - len(self._calls) if most else shown),
                    "X-HubSpot-RateLimit-Secondly": str(shown // 10),
                    "X-HubSpot-RateLimit-Secondly-Remaining": str(shown // 10),
                }
            self.used_today += 1
            return daily | window

    def resets_at(self) -> datetime:
        """The next midnight of the account's time zone, when the day's count begins anew."""
        tomorrow = self._clock.now().astimezone(self._zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, datetime.min.time(), self._zone)

    def _enter(self, calls: deque[datetime], length: timedelta, most: int, policy: str) -> None:
        now = self._clock.exact()
        while calls and calls[0] <= now - length:
            calls.popleft()
        if most:
            if len(calls) >= most:
                raise RateLimited(policy)
            calls.append(now)

    def _per_ten_seconds(self) -> int:
        return self._most(self.allowance.per_ten_seconds, USUAL.per_ten_seconds)

    def _per_second(self) -> int:
        return self._most(self.allowance.searches_per_second, USUAL.searches_per_second)

    def _most(self, asked: int | None, usual: int | None) -> int:
        if asked is not None:
            return asked
        return 0 if self._clock.stands else usual or 0

    def _today(self) -> object:
        return self._clock.now().astimezone(self._zone).date()
