"""How the rows of one file become canonical records, and what in them could not be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from pipelint.connectors.base import Supply
from pipelint.connectors.files.mapping import columns_by_field
from pipelint.connectors.files.settings import StreamSettings
from pipelint.connectors.files.shape import Shape, plural
from pipelint.connectors.files.tables import Table, broken
from pipelint.connectors.files.values import Cell, Formats, Reader, Unreadable, Value
from pipelint.errors import UsageError
from pipelint.records import ActivityLink, Record, Stream


@dataclass(slots=True)
class Unread:
    """The cells of one column that could not be read: how many, and the first of them."""

    column: str
    wrong: str
    line: int
    cell: Cell
    hint: str
    count: int = 0

    def __str__(self) -> str:
        values = "1 value" if self.count == 1 else f"{self.count:,} values"
        example = f"{f'{str(self.cell)[:40]!r} ' if self.cell is not None else ''}on line {self.line}"
        return (
            f"'{self.column}': {values} {self.wrong}, first {example}{f'; {self.hint}' if self.hint else ''}"
        )


@dataclass(slots=True)
class Losses:
    """What one pull could not read, by column; the rest of the file is loaded."""

    by_column: dict[tuple[str, str], Unread] = field(default_factory=dict)

    def note(self, column: str, wrong: str, line: int, cell: Cell, hint: str = "") -> None:
        first = Unread(column, wrong, line, cell, hint)
        self.by_column.setdefault((column, wrong), first).count += 1


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a value stands in a row, and how it is read."""

    place: int
    column: str
    reader: Reader
    words: Mapping[str, str]

    def read(self, cells: Sequence[Cell], line: int, losses: Losses) -> Value:
        cell = cells[self.place]
        if self.words and isinstance(cell, str):
            cell = self.words.get(cell.strip().casefold(), cell)
        try:
            return self.reader(cell)
        except Unreadable as error:
            losses.note(self.column, f"cannot be read as {error} and count as blank", line, cell, error.hint)
            return None


class Reading:
    """One stream's file under its settings."""

    def __init__(
        self, shape: Shape, settings: StreamSettings, formats: Formats, table: Table, shown: str
    ) -> None:
        self.columns = tuple(table.columns())
        self.mapped = columns_by_field(shape, settings, self.columns, shown)
        self._shape = shape
        self._settings = settings
        self._formats = formats
        self._table = table
        self._shown = shown
        self._constants = self._read_constants()

    def found(self, custom: Sequence[str]) -> tuple[str, ...]:
        """Those of the wanted custom fields that this file has."""
        return tuple(n for n in dict.fromkeys(custom) if self._shape.takes_custom and n in self.columns)

    def supply(self, custom: Sequence[str]) -> Supply:
        """The fields that have a column or a constant, and those that every record has."""
        names = {"id", "modified_at", *self.mapped, *self._constants}
        ours = frozenset(names & set(self._shape.record._fields))
        return Supply(self._shape.stream, ours, frozenset(self.found(custom)))

    def links(self) -> Supply:
        """What an activities file says about the records that its activities concern."""
        linked = any(kind in self.mapped for kind in self._shape.links)
        return Supply(Stream.ACTIVITY_LINKS, frozenset(ActivityLink._fields if linked else ()))

    def records(self, custom: Sequence[str], modified_at: datetime, losses: Losses) -> Iterator[list[Record]]:
        """For each row its record, and an activity's links after it; nothing for a row to be left out."""
        own = self.found(custom)
        wanted = tuple(dict.fromkeys([*self.mapped.values(), *own]))
        sources = {name: self._source(wanted, column, name) for name, column in self.mapped.items()}
        links = {kind: sources.pop(kind) for kind in self._shape.links if kind in sources}
        customs = {name: self._source(wanted, name) for name in own}
        start: dict[str, Any] = {**self._shape.blank, **self._constants}
        if "modified_at" in self._shape.types:
            start["modified_at"] = modified_at
        seen: set[str] = set()
        for line, cells in self._table.rows(wanted):
            values = dict(start)
            for name, source in sources.items():
                if (value := source.read(cells, line, losses)) is not None:
                    values[name] = value
            values["id"] = self._identity(values.get("id"), cells, line, seen)
            if missing := [name for name in self._shape.needed if name not in values]:
                losses.note(self.mapped[missing[0]], "missing, and such rows are left out", line, None)
                yield []
                continue
            if customs:
                values["custom"] = {
                    name: source.read(cells, line, losses) for name, source in customs.items()
                }
            ends = ((kind, source.read(cells, line, losses)) for kind, source in links.items())
            concerned = [ActivityLink(kind, str(end), values["id"]) for kind, end in ends if end is not None]
            yield [self._shape.record(**values), *concerned]

    def _source(self, wanted: Sequence[str], column: str, name: str = "") -> _Source:
        """The way to a field's value, or, without a name, to a custom field's."""
        type_name = self._shape.types[name] if name else self._settings.types.get(column, "text")
        words = {word.casefold(): ours for word, ours in self._settings.values.get(name, {}).items()}
        return _Source(wanted.index(column), column, self._formats.reader(type_name), words)

    def _identity(self, given: str | None, cells: Sequence[Cell], line: int, seen: set[str]) -> str:
        """The row's id; without a column for it a digest of what the row says, numbered where rows repeat."""
        if "id" not in self.mapped:
            digest = hashlib.blake2b(repr(tuple(cells)).encode(), digest_size=9).hexdigest()
            copies = (digest if n == 1 else f"{digest}-{n}" for n in count(1))
            given = next(copy for copy in copies if copy not in seen)
        elif given is None:
            what = f"the id, in column '{self.mapped['id']}', is empty"
            raise broken(self._shown, line, what, "give the row an id")
        elif given in seen:
            what = f"the id '{given}', in column '{self.mapped['id']}', was already given to a row above"
            raise broken(
                self._shown, line, what, "remove one of the rows, or map the column that holds the ids"
            )
        seen.add(given)
        return given

    def _read_constants(self) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, text in {**self._shape.implied, **self._settings.constants}.items():
            if name in self.mapped:
                continue
            try:
                values[name] = self._formats.reader(self._shape.types[name])(text) if text else ""
            except Unreadable as error:
                what = f"'{text}', the constant {name} of {plural(self._shape.stream)}, is not {error}"
                raise UsageError(what, hint=error.hint) from None
        return values
