"""Salesforce record ids: 15 characters that mind their case, or 18 that carry a checksum of it."""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FORM = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


def to_18(short: str) -> str:
    """The 18-character form of a 15-character id.

    Each group of five characters gives five bits, one per capital letter, the first being the lowest.

    >>> to_18("0060X00001ABCde")
    '0060X00001ABCdeQAH'
    """
    return short + _check(short[:5]) + _check(short[5:10]) + _check(short[10:])


@lru_cache(maxsize=8192)
def _check(group: str) -> str:
    return _CHECK[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")]


def make(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record of the object with this key prefix."""
    high, low = divmod(number, 62**5)
    return to_18(f"{prefix}Sb{_five_digits(high)}{_five_digits(low)}")


@lru_cache(maxsize=8192)
def _five_digits(number: int) -> str:
    return "".join(_DIGITS[number // 62**place % 62] for place in (4, 3, 2, 1, 0))


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
