"""Replaces every secret that was revealed, in whatever form it travels, before text leaves the process."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4  # characters; masking less would blank out ordinary words, and protect nothing


class Masker:
    """Knows the secrets of this process and replaces them in any text."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def register(self, secret: str) -> None:
        """From now on this secret does not leave in any text; fewer than four characters are no secret."""
        new = {form for form in _forms(secret) if len(form) >= _SHORTEST}
        if not new <= self._forms:
            self._forms |= new
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def mask(self, text: str) -> str:
        """The text without any registered secret."""
        while self._pattern and (masked := self._pattern.sub(MASK, text)) != text:
            text = masked  # once more: what now stands left and right of a mask could read as a secret
        return text

    def __repr__(self) -> str:
        return f"<Masker of {len(self._forms)} forms>"

    def __reduce__(self) -> str:
        return "masker"  # never travels: another process has its own


masker = Masker()


class MaskingFormatter(logging.Formatter):
    """Masks what another formatter has made of a record: message, arguments, traceback and all."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return masker.mask(self.inner.format(record))


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as URLs, JSON, Python and base64 would carry it."""
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= 16]
    for text in {secret, secret.strip(), *lines}:
        yield text
        yield repr(text)[1:-1]
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        for quoted in (quote(text, safe=""), quote(text), quote_plus(text)):
            yield quoted
            yield re.sub("%..", lambda found: found[0].lower(), quoted)
        yield from _in_base64(text.encode("utf-8", "surrogatepass"))


def _in_base64(secret: bytes) -> Iterator[str]:
    """What base64 makes of it wherever it begins, as in `user:secret`, without what the neighbours decide."""
    for before in range(3):
        padded = bytes(before) + secret
        first = -(-before * 4 // 3)
        inside = base64.b64encode(padded).decode()[first : len(padded) * 8 // 6]
        if len(inside) >= 8:
            yield inside
            yield inside.replace("+", "-").replace("/", "_")
