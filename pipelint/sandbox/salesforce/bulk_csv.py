"""CSV as Bulk API 2.0 writes and reads it: all cells are texts, every cell quoted, null empty (fact sheet §3)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


class CsvError(ValueError):
    """The data does not have the form that its job announced."""


def line(cells: Sequence[str | None], delimiter: str, line_ending: str) -> bytes:
    """A row of a document."""
    quoted = ['"' + (it or "").replace('"', '""') + '"' for it in cells]
    return (DELIMITERS[delimiter].join(quoted) + LINE_ENDINGS[line_ending]).encode()


def cell(value: object, type_: str) -> str | None:
    """A stored value as a cell: `true`, `…T10:00:00.000Z`; REST writes these differently."""
    if value is None:
        return None
    if type_ == "boolean":
        return "true" if value else "false"
    if type_ == "datetime":
        return str(value).replace("+0000", "Z")
    return str(value)


def rows(data: bytes, delimiter: str, line_ending: str) -> Iterator[list[str]]:
    """The rows of an upload, its header first.

    Raises:
        CsvError: it is not UTF-8, ends its lines otherwise than announced, or has rows of several lengths.
    """
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CsvError("InvalidBatch : Failed to parse CSV: the data is not UTF-8") from None
    first_line = content[: content.find("\n") + 1]
    if first_line and first_line.endswith("\r\n") != (line_ending == "CRLF"):
        raise CsvError(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is"
            f" {line_ending}"
        )
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=DELIMITERS[delimiter], strict=True)
    width = 0
    try:
        for number, row in enumerate(reader):
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                raise CsvError(
                    f"InvalidBatch : Failed to parse CSV: line {number + 1} has {len(row)} cells, not {width}"
                )
            yield row
    except csv.Error as error:
        raise CsvError(f"InvalidBatch : Failed to parse CSV: {error}") from None
