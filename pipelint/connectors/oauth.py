"""The access token of an app: got when it is first needed, and again a little before it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from pipelint.config.masking import masker

AHEAD: Final = timedelta(minutes=3)
"""So long before its end a token is renewed: a 401 is no signal to go by (fact sheet hubspot §2)."""


class Token(msgspec.Struct):
    """The answer of a token endpoint; `expires_in` is in seconds."""

    access_token: str
    expires_in: int = 1800


class AccessToken:
    """One token, which all calls share."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._text = ""
        self._ends: datetime | None = None

    def current(self, refresh: Callable[[], Token]) -> str:
        """The token; a new one by `refresh` where there is none, or not for long."""
        with self._lock:
            if self._ends is None or self._clock() >= self._ends:
                token = refresh()
                masker.register(token.access_token)
                self._text = token.access_token
                self._ends = self._clock() + timedelta(seconds=token.expires_in) - AHEAD
            return self._text

    def drop(self, ended: str) -> None:
        """Have a new one got next time, unless that was done since this one ended."""
        with self._lock:
            if self._text == ended:
                self._ends = None
