"""Text that waits on disk, so that memory need not hold it, until what comes before it is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile, gettempdir

from pipelint.errors import CacheUnusable


class Scratch:
    """A file without a name that is gone once it is closed.

    Every method raises CacheUnusable where the disk does not take it.
    """

    def __init__(self) -> None:
        with _told():
            self._file = TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 - closed by close

    def write(self, text: str) -> None:
        with _told():
            self._file.write(text)

    def lines(self) -> Iterator[str]:
        """All that was written, from the beginning."""
        with _told():
            self._file.seek(0)
        yield from self._file

    def close(self) -> None:
        # What could not be written is written again by closing, and fails again.
        with _told():
            self._file.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CacheUnusable(
            f"The findings cannot be kept in {gettempdir()} until all are known: {error.strerror}",
            hint="make room there, or let TMPDIR name another folder",
        ) from error
