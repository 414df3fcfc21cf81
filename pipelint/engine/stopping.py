"""Ending cleanly on request: each step is finished, the next one is not begun."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipelint.errors import StopRequested

_LOOK = 1.0
"""Seconds of a wait after which it looks whether it is still wanted."""


class Stopping:
    """Whether this process was asked to end; between two steps the work looks here.

    A step commits its own progress: a page of a pull, the verdicts on one kind of record, a batch of writes.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self.asked = False

    def ask(self) -> None:
        """End after the current step. A signal handler may call this."""
        self.asked = True

    def check(self) -> None:
        """Called between two steps.

        Raises:
            StopRequested: the next one must not begin.
        """
        if self.asked:
            raise StopRequested(
                "asked to end, and the step under way is finished",
                hint="nothing is lost: the next run continues here",
            )

    def sleep(self, seconds: float) -> None:
        """Wait so long, or until asked to end; see `check`."""
        # Waking up by an event from a signal handler can lock itself out; looking now and then cannot.
        while seconds > 0:
            self.check()
            self._sleep(min(seconds, _LOOK))
            seconds -= _LOOK
        self.check()
