"""SIGTERM, as service managers and containers send it: the first ends the work cleanly, a second at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pipelint.engine.stopping import Stopping


@contextmanager
def ends_gently() -> Iterator[Stopping]:
    """What SIGTERM asks for while this lasts; Ctrl-C interrupts at once, as ever."""
    stopping = Stopping()

    def asked(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the handler's signature
        if stopping.asked:
            raise KeyboardInterrupt
        stopping.ask()

    earlier = signal.signal(signal.SIGTERM, asked)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, earlier)
