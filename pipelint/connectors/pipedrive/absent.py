"""A deal that a list told of may be gone when it is asked for by itself: it is left out, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pipelint.connectors.pipedrive.client import EmptyAnswer
from pipelint.errors import RecordGone

_log = logging.getLogger(__name__)


@contextmanager
def left_out(deal: str, name: str) -> Iterator[None]:
    """Go on after a call for one deal that is deleted, hidden from us, or of which Pipedrive tells nothing."""
    try:
        yield
    except (RecordGone, EmptyAnswer) as error:
        _log.warning(
            "deal %s is left out: %s",
            deal,
            error.message,
            extra={"event": "deal left out", "deal": deal, "call": name, "why": error.message},
        )
