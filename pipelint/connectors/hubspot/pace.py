"""Keeping within HubSpot's limits before they bite: more than 5 % refused calls endanger an app (fact sheet §12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

SEARCH_APART: Final = timedelta(seconds=0.25)
"""Four searches a second: the limit is five for the whole account, and others search, too."""

KEEP_FREE: Final = 20
"""Of the calls in ten seconds, one in so many is left to whoever shares the app's token."""

BREATH: Final = 1.0
"""Seconds to wait where the window is nearly used: it rolls, so calls come free one by one."""


class Pace:
    """Learns from the headers of answers, and waits before the next call where that is wise."""

    def __init__(self, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._full = False
        self._searched: datetime | None = None

    def note(self, headers: Mapping[str, str]) -> None:
        """Searches lack these headers: what the last other call said stays true (fact sheet §12)."""
        most, left = (headers.get(f"X-HubSpot-RateLimit-{word}", "") for word in ("Max", "Remaining"))
        if most.isdigit() and left.isdigit():
            self._full = int(left) * KEEP_FREE <= int(most)

    def wait(self) -> None:
        """Before any call."""
        if self._full:
            self._sleep(BREATH)
            self._full = False

    def search(self) -> None:
        """Before a search, too."""
        if self._searched is not None:
            since = self._clock() - self._searched
            if timedelta() <= since < SEARCH_APART:
                self._sleep((SEARCH_APART - since).total_seconds())
        self._searched = self._clock()
