"""The time as a sandbox sees it: real, or standing still where a test put it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Runs with real time until it is set; from then on it moves only when told to."""

    def __init__(self, now: datetime | None = None) -> None:
        self._fixed = None if now is None else now.astimezone(UTC)

    def now(self) -> datetime:
        """The current moment in UTC, in whole seconds: no CRM stamps finer than that."""
        return (self._fixed or datetime.now(UTC)).replace(microsecond=0)

    def set(self, now: datetime) -> None:
        self._fixed = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self.set(self.now() + by)
