"""How text is made comparable: trimmed, normalised, blank words dropped, case folded (rules.md §5)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pipelint.rules.ir import SCALE, SEPARATOR

_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
_LARGEST = 10**14  # more digits before the point would not fit a column with room for sums (rules.md §7.6)
_PLACES = Decimal(1) / SCALE
_HARMFUL = {ord("\0"): None, ord(SEPARATOR): " "}  # a NUL ends a text in SQLite, the separator is ours


def clean(text: str | None, blank_words: Collection[str] = ()) -> str | None:
    """The text without white and invisible characters around it, in NFC; None where nothing is left.

    `blank_words` are folded words that count as nothing, such as `tbd`.
    """
    if text is None:
        return None
    text = text.translate(_HARMFUL).strip() if "\0" in text or SEPARATOR in text else text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", _trimmed(text))
    elif not text.isprintable():
        text = _trimmed(text)
    if not text or (blank_words and len(text) <= 40 and fold(text) in blank_words):
        return None
    return text


def _trimmed(text: str) -> str:
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start]) in _INVISIBLE:
        start += 1
    while start < end and unicodedata.category(text[end - 1]) in _INVISIBLE:
        end -= 1
    return text[start:end]


def fold(text: str) -> str:
    """The form in which texts are compared: full Unicode case folding, then NFC again."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())


def scaled(text: str | None) -> int | None:
    """A number × 10 000, half up; None where it is no number or has more than 14 digits before the point."""
    if text is None:
        return None
    try:
        number = Decimal(text)
        if not number.is_finite() or abs(number) >= _LARGEST:
            return None
        return int(number.quantize(_PLACES, ROUND_HALF_UP) * SCALE)  # rounded once, whatever its length
    except (InvalidOperation, ValueError):
        return None


def as_set(members: Collection[str]) -> str | None:
    """Several choices as one text: folded, each once, sorted, between separators; None for none."""
    folded = sorted({fold(word) for member in members if (word := clean(member)) is not None})
    return SEPARATOR + SEPARATOR.join(folded) + SEPARATOR if folded else None
