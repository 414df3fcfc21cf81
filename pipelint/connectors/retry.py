"""The one retry policy; nothing else in pipelint, and no library below it, tries a call again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_exponential_jitter

from pipelint.errors import Retry

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a watcher learns before a wait: names and numbers, never a customer's values. Times in seconds."""

    name: str
    number: int
    wait: float
    waited: float
    caused_by: str


def log_attempt(attempt: Attempt) -> None:
    """The usual watcher."""
    _log.warning(
        "%s: %s; attempt %d, trying again in %.1f s",
        attempt.name,
        attempt.caused_by,
        attempt.number,
        attempt.wait,
        extra={
            "event": "trying again",
            "call": attempt.name,
            "why": attempt.caused_by,
            "attempt": attempt.number,
            "wait": round(attempt.wait, 1),
        },
    )


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Repeats a call that raised `errors.Retry`: later each time, with jitter, within bounds.

    `total` bounds the time of a call with all its waits, `attempts` their number, and `few` that of a caller
    in a hurry; `first_wait` doubles up to `max_wait`. A server that names a time (`Retry.after`) is given at
    least that; where this would pass `total`, the error is raised at once. Times in seconds.
    """

    attempts: int = 6
    few: int = 3
    total: float = 300.0
    first_wait: float = 1.0
    max_wait: float = 60.0
    jitter: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    watch: Callable[[Attempt], None] = log_attempt

    def run(
        self,
        name: str,
        call: Callable[[], T],
        *,
        final: type[Retry] | tuple[()] = (),
        hurried: type[Retry] | tuple[type[Retry], ...] = (),
    ) -> T:
        """What `call` returns in the end, or its last error.

        Errors of the type `final` are not retried, those of the type `hurried` only a few times.
        """
        grow = wait_exponential_jitter(self.first_wait, self.max_wait, jitter=self.jitter)

        def wait(state: RetryCallState) -> float:
            return max(grow(state), getattr(_error(state), "after", None) or 0.0)

        def stop(state: RetryCallState) -> bool:
            # idle_for counts the waits themselves, so that an injected sleep obeys the same bound.
            spent = max(state.seconds_since_start or 0.0, state.idle_for)
            most = self.few if isinstance(_error(state), hurried) else self.attempts
            return state.attempt_number >= most or spent + state.upcoming_sleep > self.total

        def before_sleep(state: RetryCallState) -> None:
            cause = _in_words(_error(state))
            waited = state.idle_for - state.upcoming_sleep
            self.watch(Attempt(name, state.attempt_number, state.upcoming_sleep, waited, cause))

        retrying = Retrying(
            retry=retry_if_exception(lambda e: isinstance(e, Retry) and not isinstance(e, final)),
            wait=wait,
            stop=stop,
            sleep=self.sleep,
            before_sleep=before_sleep,
            reraise=True,
        )
        return retrying(call)


_WORDS = {
    "NotSent": "no connection came about",
    "AnswerLost": "no complete answer came",
    "Unreachable": "no answer came",
    "Busy": "the CRM asks to come back later",
    "SessionExpired": "the session has ended",
}


def _in_words(error: BaseException | None) -> str:
    """What happened, by the kind of error: its own message may hold a customer's values."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((_WORDS[name] for name in names if name in _WORDS), "it did not work")


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
