"""What a scalar's text can become, and how a type says that it does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pipelint.errors import Place


class Word(str):
    """A scalar on its way into a model; it remembers where it stood, and the line it stood on."""

    __slots__ = ("line", "place")
    place: Place
    line: str

    def __new__(cls, text: str, place: Place, line: str) -> Word:
        word = super().__new__(cls, text)
        word.place = place
        word.line = line
        return word


def expected(what: str, choices: Sequence[str] = ()) -> PydanticCustomError:
    """To be raised by a type's validator: the message says what stands there and what was expected."""
    return PydanticCustomError("expected", "expected {what}", {"what": what, "choices": tuple(choices)})


def wrong(what: str, hint: str = "", *, secret: bool = False) -> PydanticCustomError:
    """To be raised by a type's validator that has a sentence of its own; a `secret` value is not shown."""
    return PydanticCustomError("wrong", "{what}", {"what": what, "hint": hint, "secret": secret})


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _percent(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", value) if isinstance(value, str) else None
    if found is None or (share := Decimal(found[1]) / 100) > 1:
        raise expected("a percentage from 0% to 100%")
    return share


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"([1-9]\d{0,5}) ?([smhd])", value) if isinstance(value, str) else None
    if found is None:
        raise expected("a length of time such as 30s, 15m, 6h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Percent = Annotated[
    Decimal, BeforeValidator(_percent), WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}(\.\d+)? ?%$"})
]
"""`40%` in the file, Decimal("0.4") in the model."""

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9]\d{0,5} ?[smhd]$"}),
]
"""`15m` in the file, a timedelta in the model."""
