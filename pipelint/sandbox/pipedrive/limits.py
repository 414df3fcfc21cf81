"""What a company may ask for: tokens a day for all together, requests in two seconds for each token."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from datetime import date, timedelta

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.pipedrive.errors import over_budget, over_burst

PLANS = {"lite": (1, 20), "growth": (2, 40), "premium": (5, 100), "ultimate": (7, 120)}
"""Factor of the daily budget, and requests per API token in a window; OAuth tokens get four times as many."""

BUDGET = 30_000
WINDOW = 2
OAUTH_FACTOR = 4
REFUSALS_BEFORE_BLOCK = 10
"""So many 429 within a minute, and the network in front of the API shuts the company out."""
BLOCK = timedelta(hours=1)
WRITES_A_DAY = 10_000


class Blocked(Exception):
    """Traffic of this company's API tokens is shut out for a while."""


class Limits:
    """Counts by the sandbox's clock; the day begins at midnight UTC.

    `burst` replaces the plan's number of requests in two seconds (0: no limit; None: the plan's while the clock
    runs, no limit while it stands still). Whether refused requests cost tokens is
    undocumented; here they cost nothing.
    """

    def __init__(self, clock: Clock, *, plan: str, seats: int, burst: int | None = None) -> None:
        self._clock = clock
        self._burst = burst
        self._lock = threading.Lock()
        self._day: date | None = None
        self._windows: dict[str, tuple[int, int]] = {}
        self._refused: defaultdict[str, list[float]] = defaultdict(list)
        self._blocked_until = 0.0
        self.used = 0
        self.used_by_others = 0
        self.writes = 0
        self.by_operation: Counter[str] = Counter()
        self.show_tokens = True
        self.set_plan(plan, seats)

    def set_plan(self, plan: str, seats: int) -> None:
        """Move the company to another plan.

        Raises:
            ValueError: there is no such plan, or nobody has a seat.
        """
        if plan not in PLANS or seats < 1:
            raise ValueError(f"a plan is one of {', '.join(PLANS)}, with at least one seat")
        self.plan, self.seats = plan, seats

    @property
    def budget(self) -> int:
        return BUDGET * PLANS[self.plan][0] * self.seats

    @property
    def left(self) -> int:
        self._turn_day()
        return max(0, self.budget - self.used - self.used_by_others)

    def consume(self, tokens: int) -> None:
        """Let other integrations of the company use tokens of today."""
        with self._lock:
            self._turn_day()
            self.used_by_others += tokens

    def unblock(self) -> None:
        with self._lock:
            self._blocked_until = 0.0
            self._refused.clear()

    def spend(self, token: str, operation: str, cost: int, *, oauth: bool) -> dict[str, str]:
        """Let a request pass; the headers that tell what is left.

        Raises:
            Blocked: too many refusals before.
            PipedriveError: 429, by either limit.
        """
        with self._lock:
            self._turn_day()
            now = self._clock.now().timestamp()
            if not oauth and now < self._blocked_until:
                raise Blocked
            limit = (
                PLANS[self.plan][1] * (OAUTH_FACTOR if oauth else 1) if self._burst is None else self._burst
            )
            bound = limit > 0 and not (self._burst is None and self._clock.stands)
            window = int(now // WINDOW)
            number, count = self._windows.get(token, (window, 0))
            count = count if number == window else 0
            if bound and count >= limit:
                self._refuse(token, now, oauth=oauth)
                raise over_burst(limit)
            if self.used + self.used_by_others + cost > self.budget:
                self._refuse(token, now, oauth=oauth)
                raise over_budget(self.budget)
            self._windows[token] = window, count + 1
            self.used += cost
            self.by_operation[operation] += cost
            self.writes += operation.startswith(("POST", "PUT"))
            headers = {
                "x-ratelimit-limit": str(limit),
                "x-ratelimit-remaining": str(max(0, limit - count - 1) if bound else limit),
                "x-ratelimit-reset": str(WINDOW - int(now) % WINDOW),
                "x-daily-requests-left": str(max(0, WRITES_A_DAY - self.writes)),
            }
            if self.show_tokens:
                headers["x-daily-ratelimit-token-limit"] = str(self.budget)
                headers["x-daily-ratelimit-token-remaining"] = str(self.left)
            return headers

    def report(self) -> dict[str, object]:
        """How the day stands, and what was spent on what since the start."""
        return {
            "plan": self.plan,
            "seats": self.seats,
            "budget": self.budget,
            "used": self.used,
            "used_by_others": self.used_by_others,
            "left": self.left,
            "by_operation": dict(self.by_operation.most_common()),
        }

    def _refuse(self, token: str, now: float, *, oauth: bool) -> None:
        lately = [it for it in self._refused[token] if it > now - 60] + [now]
        self._refused[token] = lately
        if not oauth and len(lately) > REFUSALS_BEFORE_BLOCK:
            self._blocked_until = now + BLOCK.total_seconds()

    def _turn_day(self) -> None:
        today = self._clock.now().date()
        if today != self._day:
            self._day, self.used, self.used_by_others, self.writes = today, 0, 0, 0
