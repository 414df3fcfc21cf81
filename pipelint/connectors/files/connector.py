"""A folder of exports as a connection: every pull of a changed file is a full one, and nothing is written."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from pipelint.config.paths import shown
from pipelint.connectors.base import Diagnosis, FieldInfo, FieldType, Kind, OwnField, Page, Supply
from pipelint.connectors.files.read_only import ReadOnly
from pipelint.connectors.files.reading import Losses, Reading
from pipelint.connectors.files.settings import Settings, StreamSettings
from pipelint.connectors.files.shape import plural, shape_of
from pipelint.connectors.files.snapshot import Snapshot
from pipelint.connectors.files.tables import open_table
from pipelint.connectors.files.values import Formats
from pipelint.errors import ProblemsFound, UnexpectedAnswer, UsageError
from pipelint.records import Record, Stream

PAGE_ROWS = 2000

_log = logging.getLogger(__name__)


class FilesConnector(ReadOnly):
    """Reads the exports of one folder; see `pipelint.connectors.base.Connector`."""

    crm = "files"
    api_calls = 0
    calls_left = None

    def __init__(self, name: str, settings: Settings, folder: Path, project: Path, zone: tzinfo) -> None:
        self.name = name
        self._streams = settings.by_stream()
        self._folder = folder
        self._project = project
        self._zone = zone

    def streams(self) -> Sequence[Stream]:
        return tuple(self._streams)

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        if stream is Stream.ACTIVITY_LINKS and Stream.ACTIVITIES in self._streams:
            return self._reading(Stream.ACTIVITIES).links()
        if stream not in self._streams:
            return Supply(stream, frozenset())
        return self._reading(stream).supply(custom)

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        """The whole file where it or the way to read it differs from what the cursor saw, else nothing."""
        reading = self._reading(stream)
        path = self._path(stream)
        before = Snapshot.from_cursor(cursor)
        now = Snapshot.of(path, self._way_of_reading(stream, reading.found(custom)), before)
        goes_on = before is not None and now.same_content(before)
        delivered = before.row if before and goes_on else 0
        if delivered is None:
            yield Page(stream, (), now.cursor(None))
            return
        losses = Losses()
        begins = not goes_on
        page: list[Record] = []
        modified_at = datetime.fromtimestamp(now.mtime / 1e9, UTC)
        for row, records in enumerate(reading.records(custom, modified_at, losses)):
            if row < delivered:
                continue
            if row == delivered + PAGE_ROWS:
                delivered = row
                yield Page(stream, page, now.cursor(row), begins_full=begins)
                begins, page = False, []
            page += records
        if not now.is_current(path):
            raise UnexpectedAnswer(f"{self._shown(path)} changed while it was being read", hint="run again")
        for loss in losses.by_column.values():
            file, why = self._shown(path), str(loss)
            _log.warning("%s: %s", file, why, extra={"event": "values left out", "file": file, "why": why})
        yield Page(stream, page, now.cursor(None), begins_full=begins, ends_full=True)

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        stream = Stream(kind)
        if stream not in self._streams:
            return ()
        reading = self._reading(stream)
        types = {column: shape_of(stream).types[name] for name, column in reading.mapped.items()}
        types = {**types, **self._streams[stream].types}
        return [
            FieldInfo(
                column, column, _field_type(types.get(column, "text")), column not in types, writable=False
            )
            for column in reading.columns
        ]

    def field_ids(self, kind: Kind) -> Mapping[str, str]:  # noqa: ARG002 - a column is its name
        return {}

    def diagnose(self, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:  # noqa: ARG002 - the protocol's
        """Reads every file to its end: what a pull would refuse, and what it could not read."""
        for stream in self._streams:
            file = self._shown(self._path(stream))
            losses = Losses()
            try:
                reading = self._reading(stream)
                rows = sum(1 for _ in reading.records((), datetime.now(UTC), losses))
            except ProblemsFound as error:
                for problem in error.problems:
                    yield Diagnosis("problem", f"{problem.place}: {problem.what}", problem.hint)
                continue
            except UsageError as error:
                yield Diagnosis("problem", error.message, error.hint)
                continue
            yield Diagnosis("ok", f"{plural(stream)}: {rows:,} rows in {file}")
            for loss in losses.by_column.values():
                yield Diagnosis("warning", f"{file}: {loss}")

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _path(self, stream: Stream) -> Path:
        return self._folder / self._streams[stream].file

    def _shown(self, path: Path) -> str:
        return shown(path, self._project)

    def _formats(self, settings: StreamSettings) -> Formats:
        zone = ZoneInfo(settings.zone) if settings.zone else self._zone
        return Formats(zone, settings.dates, settings.decimal, settings.thousands)

    def _reading(self, stream: Stream) -> Reading:
        settings = self._streams[stream]
        path = self._path(stream)
        table = open_table(path, self._shown(path), settings.encoding, settings.delimiter)
        return Reading(shape_of(stream), settings, self._formats(settings), table, self._shown(path))

    def _way_of_reading(self, stream: Stream, custom: Sequence[str]) -> str:
        """A digest of everything besides the file that decides what its records are."""
        settings = self._streams[stream]
        told = (settings.model_dump_json(), str(self._formats(settings).zone), sorted(custom))
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _field_type(name: str) -> FieldType:
    known: dict[str, FieldType] = {each: each for each in get_args(FieldType)}
    return known.get(name, "number")
