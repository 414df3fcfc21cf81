"""The retry policy: what is repeated, how often, and how long it waits."""

from __future__ import annotations

import pytest

from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.retry import Attempt, RetryPolicy
from pipelint.errors import Busy, RecordRefused, Unreachable


class Flaky:
    """Fails with the given errors, one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def policy(naps: list[float], seen: list[Attempt] | None = None, **options: float) -> RetryPolicy:
    watch = seen.append if seen is not None else lambda attempt: None
    return RetryPolicy(sleep=naps.append, watch=watch, **options)  # type: ignore[arg-type]


def test_a_passing_error_is_repeated_and_waits_grow() -> None:
    naps: list[float] = []
    call = Flaky(Busy("later"), Unreachable("gone"), Busy("later"))
    assert policy(naps, jitter=0).run("query", call) == "answer"
    assert naps == [1, 2, 4]


def test_jitter_is_added() -> None:
    naps: list[float] = []
    policy(naps, jitter=5).run("query", Flaky(Busy("later")))
    assert 1 <= naps[0] <= 6


def test_other_errors_pass_through_at_once() -> None:
    call = Flaky(RecordRefused("no", code="X"))
    with pytest.raises(RecordRefused):
        policy([]).run("query", call)
    assert call.calls == 1


def test_attempts_are_bounded_and_the_last_error_comes_out() -> None:
    naps: list[float] = []
    call = Flaky(*[Busy(f"attempt {number}") for number in range(1, 9)])
    with pytest.raises(Busy, match="attempt 3"):
        policy(naps, attempts=3).run("query", call)
    assert call.calls == 3
    assert len(naps) == 2


def test_the_server_may_ask_for_a_longer_wait() -> None:
    naps: list[float] = []
    policy(naps, jitter=0).run("query", Flaky(Busy("later", after=42), Busy("later")))
    assert naps == [42, 2]


def test_a_wait_beyond_the_total_is_not_begun() -> None:
    naps: list[float] = []
    with pytest.raises(Busy):
        policy(naps, total=300).run("query", Flaky(Busy("tomorrow", after=86_400)))
    assert naps == []


def test_waits_count_towards_the_total() -> None:
    naps: list[float] = []
    with pytest.raises(Busy):
        policy(naps, total=100, attempts=50, jitter=0).run("query", Flaky(*[Busy("no")] * 50))
    assert sum(naps) <= 100


def test_a_caller_may_keep_an_error_for_itself() -> None:
    call = Flaky(AnswerLost("sent, no answer"))
    with pytest.raises(AnswerLost):
        policy([]).run("update", call, final=AnswerLost)
    assert call.calls == 1


def test_a_caller_in_a_hurry_gives_up_on_some_errors_soon() -> None:
    unreachable, busy = Flaky(*[NotSent("refused")] * 9), Flaky(*[Busy("later")] * 9)
    for call in (unreachable, busy):
        with pytest.raises((NotSent, Busy)):
            policy([]).run("sign-in", call, hurried=NotSent)
    assert (unreachable.calls, busy.calls) == (3, 6)


def test_a_watcher_learns_names_and_numbers() -> None:
    seen: list[Attempt] = []
    policy([], seen, jitter=0).run("query Opportunity", Flaky(Busy("secret"), Busy("secret")))
    assert seen == [
        Attempt("query Opportunity", 1, 1.0, 0.0, "the CRM asks to come back later"),
        Attempt("query Opportunity", 2, 2.0, 1.0, "the CRM asks to come back later"),
    ]
