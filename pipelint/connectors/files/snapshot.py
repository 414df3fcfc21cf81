"""What a cursor of an export file remembers: which file it was, read how, and up to which row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pipelint.errors import CursorUnreadable


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of a file and a place in it; `row` counts the rows delivered, None when all were."""

    size: int
    mtime: int
    sha256: str
    reading: str
    """A digest of how it is read: under other settings the same file says something else."""
    row: int | None = 0

    @classmethod
    def of(cls, path: Path, reading: str, before: Snapshot | None) -> Snapshot:
        """The file as it is now; it is hashed only where size or time differ from what was seen before."""
        stat = path.stat()
        if before is not None and (before.size, before.mtime) == (stat.st_size, stat.st_mtime_ns):
            return cls(stat.st_size, stat.st_mtime_ns, before.sha256, reading)
        with path.open("rb") as file:
            return cls(
                stat.st_size, stat.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest(), reading
            )

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Snapshot | None:
        """What `cursor` made.

        Raises:
            CursorUnreadable: it was another version's.
        """
        try:
            return msgspec.json.decode(cursor, type=cls) if cursor else None
        except msgspec.MsgspecError:
            raise CursorUnreadable from None

    def cursor(self, row: int | None) -> str:
        return msgspec.json.encode(replace(self, row=row)).decode()

    def same_content(self, other: Snapshot | None) -> bool:
        return other is not None and (self.sha256, self.reading) == (other.sha256, other.reading)

    def is_current(self, path: Path) -> bool:
        """Whether the file was left alone since."""
        stat = path.stat()
        return (self.size, self.mtime) == (stat.st_size, stat.st_mtime_ns)
