"""The clock of a CRM's server, as its answers tell it: what changed is asked for by that one, not by ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class ServerClock:
    """Ours until an answer has told better."""

    def __init__(self, ours: Callable[[], datetime]) -> None:
        self._ours = ours
        self.ahead: timedelta | None = None
        """How far it is ahead of ours; known after the first answer."""

    def note(self, headers: Mapping[str, str]) -> None:
        """Learn from the Date of an answer."""
        if "Date" in headers:
            try:
                self.ahead = parsedate_to_datetime(headers["Date"]) - self._ours()
            except (TypeError, ValueError):
                return  # a proxy wrote a date of its own kind

    def now(self) -> datetime:
        """In UTC and whole seconds."""
        return (self._ours() + (self.ahead or timedelta())).astimezone(UTC).replace(microsecond=0)
