"""What CRMs answer: JSON as typed values, and words that fit on a line."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from pipelint.connectors.http import AnswerLost
from pipelint.errors import UnexpectedAnswer

T = TypeVar("T")


def decoded(body: bytes, decoder: msgspec.json.Decoder[T], crm: str, name: str) -> T:
    """The body of the answer to the call of this name.

    Raises:
        AnswerLost: it is not JSON as a whole, so the call may be repeated.
        UnexpectedAnswer: it is JSON of another form.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(f"{crm} answers {name} in an unknown form: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AnswerLost(f"{crm}'s answer to {name} is cut short or not JSON") from None


def brief(message: str) -> str:
    """A CRM's message on one line, at most 300 characters."""
    line = re.sub(r"\s+", " ", message).strip()
    return line if len(line) <= 300 else line[:299] + "…"


def number(header: str | None) -> int | None:
    """The whole number that a header holds, None where it holds none."""
    return int(header) if header and header.isdigit() else None
