"""The time as a sandbox sees it: real, or standing still where a test put it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Runs with real time until it is set; from then on it moves only when told to."""

    def __init__(self, now: datetime | None = None) -> None:
        self._fixed = None if now is None else now.astimezone(UTC)

    @property
    def stands(self) -> bool:
        """Whether it moves only when told to."""
        return self._fixed is not None

    def now(self) -> datetime:
        """The current moment in UTC, in whole seconds: most stamps are no finer than that."""
        return self.exact().replace(microsecond=0)

    def exact(self) -> datetime:
        """The current moment in UTC, as finely as it is known."""
        return self._fixed or datetime.now(UTC)

    def set(self, now: datetime) -> None:
        self._fixed = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self.set(self.exact() + by)
