"""The deals that wait to be asked for by themselves: how many and since when, told by pulls and read by doctor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from pipelint.errors import CacheUnusable
from pipelint.records import Stream


class Waiting(msgspec.Struct, frozen=True):
    """So many deals wait, one of them since this moment."""

    deals: int
    since: datetime


class Backlog:
    """A small file beside the cache; without a folder it is remembered for this process alone."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._file = folder / f"{name}-waiting.json" if folder else None
        self._told: dict[Stream, Waiting] = {}

    def note(self, stream: Stream, deals: int, since: datetime | None) -> None:
        """What the pull of a stream has left; nothing waits where there is no moment."""
        told = {other: waiting for other, waiting in self.told().items() if other is not stream}
        if since is not None:
            told[stream] = Waiting(deals, since)
        if told == self.told():
            return
        self._told = told
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(told))
            new.replace(self._file)
        except OSError as error:
            raise CacheUnusable(f"{self._file} cannot be written: {error.strerror}") from None

    def told(self) -> Mapping[Stream, Waiting]:
        """What waits, as far as pulls have told it."""
        if self._file is None or not self._file.exists():
            return self._told
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[Stream, Waiting])
        except (OSError, msgspec.MsgspecError):
            return {}  # the next pull tells it again
