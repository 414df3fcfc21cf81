"""Salesforce record ids: 15 characters that mind their case, or 18 that carry a checksum of it."""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FORM = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


def to_18(short: str) -> str:
    """The 18-character form of a 15-character id.

    Each group of five characters gives five bits, one per capital letter, the first being the lowest.

    >>> to_18("0060X00001ABCde")
    '0060X00001ABCdeQAH'
    """
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        _CHECK[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")]
        for group in groups
    )


def make(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record of the object with this key prefix."""
    digits = ""
    for _ in range(10):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return to_18(f"{prefix}Sb{digits}")


def number_of(record_id: str) -> int:
    """The number that `make` built this id from."""
    number = 0
    for digit in record_id[5:15]:
        number = number * 62 + _DIGITS.index(digit)
    return number


def normalise(text: str) -> str | None:
    """The 18-character form of an id given in either, or None when it is not an id at all."""
    if not _FORM.fullmatch(text):
        return None
    long = to_18(text[:15])
    return long if len(text) == 15 or long[15:] == text[15:].upper() else None
