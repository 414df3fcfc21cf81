"""JSON records taken from a text one at a time, so that a large export never lies in memory whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TextIO

_CHUNK = 1 << 16


class NotJson(ValueError):
    """The text breaks the rules of JSON on `line`."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


class JsonText:
    """Reads an array, the array under "records" of an object, or objects one after the other."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False
        self._decode = json.JSONDecoder(parse_float=Decimal, parse_constant=str).raw_decode

    def records(self) -> Iterator[tuple[int, Any]]:
        """Each record with the line it begins on."""
        if self._next() == "[":
            yield from self._array()
        elif self._next() == "{":
            yield from self._object()
        while self._next():
            yield self._line, self._value()

    def _array(self) -> Iterator[tuple[int, Any]]:
        self._take("[")
        while self._next() != "]":
            yield self._line, self._value()
            if self._next() != "]":
                self._take(",")
        self._take("]")

    def _object(self) -> Iterator[tuple[int, Any]]:
        """The records inside the object, or the object itself where it wraps none."""
        line = self._line
        plain: dict[str, Any] = {}
        wraps = False
        self._take("{")
        while self._next() != "}":
            key = str(self._value())
            self._take(":")
            if key == "records" and self._next() == "[":
                wraps = True
                yield from self._array()
            else:
                plain[key] = self._value()
            if self._next() != "}":
                self._take(",")
        self._take("}")
        if not wraps:
            yield line, plain

    def _next(self) -> str:
        """The next character that is not white; nothing at the end."""
        while True:
            while self._at < len(self._text):
                char = self._text[self._at]
                if char not in " \t\r\n":
                    return char
                self._line += char == "\n"
                self._at += 1
            if not self._more():
                return ""

    def _take(self, char: str) -> None:
        if self._next() != char:
            found = f"'{self._next()}'" if self._next() else "the end of the file"
            raise NotJson(f"'{char}' was expected, but {found} follows", self._line)
        self._at += 1

    def _value(self) -> Any:  # noqa: ANN401 - whatever stands there
        self._next()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    line = self._line + self._text.count("\n", self._at, error.pos)
                    raise NotJson(error.msg, line) from None
                continue
            if end < len(self._text) or not self._more():  # a number may go on in the next chunk
                self._line += self._text.count("\n", self._at, end)
                self._at = end
                return value

    def _more(self) -> bool:
        """Drop what was read and add a chunk, no smaller than the rest, so that the work stays linear."""
        if self._ended:
            return False
        rest = self._text[self._at :]
        chunk = self._file.read(max(_CHUNK, len(rest)))
        self._ended = not chunk
        self._text, self._at = rest + chunk, 0
        return bool(chunk)
