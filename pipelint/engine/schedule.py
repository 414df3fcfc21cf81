"""One run after the other, on a grid of starts that does not drift."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from pipelint.config.project import Period
from pipelint.engine.clock import Clock
from pipelint.engine.stopping import Stopping
from pipelint.errors import StopRequested, UsageError

_log = logging.getLogger(__name__)

_LATEST = timedelta(minutes=1)


def period_of(text: str) -> timedelta:
    """A period as `schedule` in pipelint.yaml has it.

    Raises:
        UsageError: it is none, or too short.
    """
    try:
        period: timedelta = TypeAdapter(Period).validate_python(text)
    except ValidationError as error:
        [wrong] = error.errors()
        raise UsageError(f"--every {text}: {wrong['msg']}") from None
    return period


def repeat(
    once: Callable[[], None],
    period: timedelta,
    *,
    clock: Clock,
    stopping: Stopping,
    chance: Callable[[], float] = random.random,
) -> None:
    """Call `once` now and at every period from now on, until asked to stop.

    A start whose time came while `once` was still busy, or while the machine slept, is left out and told. Each
    comes later by chance, by a tenth of the period and a minute at most, so that jobs that were started
    together do not always meet at the CRM; the grid stays where it is. `chance` gives numbers from 0 to 1.
    """
    first, slot = clock(), 0
    try:
        while True:
            once()
            stopping.check()
            passed = (clock() - first) // period
            if passed > slot:
                missed = passed - slot
                _log.warning(
                    "%d starts left out: the run before them took too long, or the machine slept",
                    missed,
                    extra={"event": "starts left out", "missed": missed},
                )
            slot = passed + 1
            start = first + slot * period + chance() * min(period / 10, _LATEST)
            _log.info("waiting", extra={"until": start.isoformat(timespec="seconds")})
            stopping.sleep((start - clock()).total_seconds())
    except StopRequested:
        _log.info("ended on request")
