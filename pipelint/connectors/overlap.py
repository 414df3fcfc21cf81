"""Leaving out what the last pull delivered already: each pull begins a little before the end of the one before.

A record becomes visible when its change is stored, with a stamp taken earlier; so pulls overlap, and rows of
the overlap are remembered by a digest of their content.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

REMEMBERED: Final = 500
"""Rows of the overlap kept in a cursor; more of them are merely delivered twice."""


def digest(content: object) -> str:
    """Tells equal content in equal words, over processes; two changes may share an id and a second."""
    return blake2b(repr(content).encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Memory:
    """Which rows of the overlap the last pull delivered, and which this one does; id → digest."""

    seen: dict[str, str]
    now: dict[str, str]

    def is_new(self, id_: str, content: object, *, recent: bool) -> bool:
        """Whether this content of the row was not delivered by the last pull; remembers it where recent."""
        if not recent and id_ not in self.seen:
            return True
        sign = digest(content)
        if recent and len(self.now) < REMEMBERED:
            self.now[id_] = sign
        return self.seen.get(id_) != sign
