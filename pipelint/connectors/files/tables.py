"""Export files read row by row, as CSV or JSON, each row with the line it begins on."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TextIO

from pipelint.connectors.files.json_text import JsonText, NotJson
from pipelint.connectors.files.values import Cell
from pipelint.errors import Place, Problem, ProblemsFound

JSON_ENDINGS = {".json", ".jsonl", ".ndjson"}


def broken(shown: str, line: int, what: str, hint: str = "", *, text: str = "") -> ProblemsFound:
    """The error for one mistake in an export file."""
    return ProblemsFound([Problem(Place(shown, line, 1 if line else 0), what, hint, text)])


class Table(Protocol):
    """A file of rows with named columns."""

    def columns(self) -> Sequence[str]:
        """The names of its columns, in the order of the file."""

    def rows(self, wanted: Sequence[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row: the line it begins on, and its cells in the wanted columns."""


def open_table(path: Path, shown: str, encoding: str, delimiter: str | None) -> Table:
    """The file as a table; `shown` is the name that messages give it."""
    if not path.is_file():
        near = sorted(
            p.name for p in path.parent.glob("*") if p.suffix in {*JSON_ENDINGS, ".csv", ".tsv", ".txt"}
        )
        there = f"the folder holds {', '.join(near[:8])}" if near else "the folder holds no CSV or JSON files"
        hint = there if path.parent.is_dir() else f"there is no folder {path.parent}: check 'path:'"
        raise broken(shown, 0, "there is no such file", hint)
    if path.suffix.lower() in JSON_ENDINGS:
        return JsonTable(path, shown, encoding)
    return CsvTable(path, shown, encoding, delimiter or ("\t" if path.suffix.lower() == ".tsv" else ","))


class CsvTable:
    """A CSV file whose first line names the columns."""

    def __init__(self, path: Path, shown: str, encoding: str, delimiter: str) -> None:
        self.path = path
        self.shown = shown
        self.encoding = encoding
        self.delimiter = delimiter

    def columns(self) -> Sequence[str]:
        for _, cells in self._lines():
            return cells
        raise broken(self.shown, 0, "the file is empty", "export it again; the first line names the columns")

    def rows(self, wanted: Sequence[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
        lines = self._lines()
        _, header = next(lines)
        for name in wanted:
            if header.count(name) > 1:
                raise broken(self.shown, 1, f"two columns are called '{name}'", "rename one of them")
        width = len(header)
        places = [header.index(name) for name in wanted]
        pick = itemgetter(*places) if len(places) > 1 else lambda cells: tuple(cells[p] for p in places)
        for line, cells in lines:
            if len(cells) != width:
                values = "1 value" if len(cells) == 1 else f"{len(cells)} values"
                raise broken(
                    self.shown,
                    line,
                    f"the row has {values}, but the first line names {width} columns",
                    f"put quotes around a text that contains '{self.delimiter}'",
                    text=self.delimiter.join(cells),
                )
            yield line, pick(cells)

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        with readable(self.path, self.shown, self.encoding) as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            line = 1
            try:
                for cells in reader:
                    if cells:
                        yield line, cells
                    line = reader.line_num + 1
            except csv.Error as error:
                hint = "a quote is opened and not closed, or a quote inside a text is not doubled"
                raise broken(self.shown, line, f"this is not CSV: {error}", hint) from None


class JsonTable:
    """A JSON file: an array of objects, {"records": [...]}, or one object a line."""

    def __init__(self, path: Path, shown: str, encoding: str) -> None:
        self.path = path
        self.shown = shown
        self.encoding = encoding

    def columns(self) -> Sequence[str]:
        names: dict[str, None] = {}
        for _, record in self._records():
            names.update(dict.fromkeys(record))
        return list(names)

    def rows(self, wanted: Sequence[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
        for line, record in self._records():
            yield line, [record.get(name) for name in wanted]

    def _records(self) -> Iterator[tuple[int, dict[str, Cell]]]:
        with readable(self.path, self.shown, self.encoding) as file:
            try:
                for line, record in JsonText(file).records():
                    if not isinstance(record, dict):
                        raise broken(self.shown, line, 'a record must be an object, like {"id": …}')
                    yield line, record
            except NotJson as error:
                raise broken(
                    self.shown, error.line, f"this is not JSON: {error}", "export the file again"
                ) from None


@contextmanager
def readable(path: Path, shown: str, encoding: str) -> Iterator[TextIO]:
    """The open file; a byte that its encoding does not know becomes an error with its line."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            yield file
    except UnicodeError as error:
        raise broken(
            shown,
            _undecodable_line(path, encoding),
            f"the file is not {'UTF-8' if encoding == 'utf-8-sig' else encoding} text ({error})",
            "save it as UTF-8, or say what it is: encoding: cp1252 (Windows) or encoding: utf-16",
        ) from None
    except OSError as error:
        raise broken(shown, 0, f"the file cannot be read: {error.strerror}") from None


def _undecodable_line(path: Path, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):  # noqa: B007 - the number is the answer
            try:
                decoder.decode(line)
            except UnicodeError:
                break
    return number
