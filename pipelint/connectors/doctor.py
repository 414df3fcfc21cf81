"""What is alike in every CRM: that one check's trouble stops no other, the clocks, nouns in their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipelint.connectors.base import Diagnosis
from pipelint.connectors.clock import ServerClock
from pipelint.errors import PipelintError

SKEW_SECONDS: Final = 120
"""Above this the times that people compare with their own clocks begin to look wrong."""


def tried(*checks: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """What the checks say, one after the other, and what kept one from saying all."""
    for check in checks:
        try:
            yield from check()
        except PipelintError as error:
            yield Diagnosis("problem", error.message, error.hint)


def clocks(clock: ServerClock, crm: str) -> Iterator[Diagnosis]:
    """Whether the server's clock and ours agree."""
    seconds = abs(clock.ahead.total_seconds()) if clock.ahead is not None else 0
    if seconds > SKEW_SECONDS:
        what = f"the clocks of this machine and of {crm} differ by {seconds:.0f} s"
        yield Diagnosis("warning", what, f"set this machine's clock by NTP; pulls go by {crm}'s clock")
    else:
        yield Diagnosis("ok", "the clocks agree")


def counted(count: int, noun: str, many: str = "") -> str:
    """A number and its noun: `1 workflow`, `1,200 properties`."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def our(noun: str, names: Sequence[str]) -> str:
    """Our fields by their names: `our field a`, `our properties a, b`."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"our {noun if len(names) == 1 else many} {', '.join(names)}"


def absent(noun: str, names: Sequence[str]) -> str:
    """That the CRM does not have them: `our field a is not there`."""
    return f"{our(noun, names)} {'is' if len(names) == 1 else 'are'} not there"
