"""What is asked of Salesforce, and what it answers: JSON as typed values, with exact decimals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import msgspec

from pipelint.connectors import answers

Row: TypeAlias = dict[str, Any]
T = TypeVar("T")

_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the org, to be sent as often as it takes.

    `path` is relative to the versioned API, or absolute with a leading slash. `name` says in messages and
    logs what was asked, without values.
    """

    method: str
    path: str
    name: str
    params: Mapping[str, str] | None = None
    data: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class QueryAnswer(msgspec.Struct):
    """A page of a query. Never count its rows: `done` alone says whether it is the last (fact sheet §3)."""

    done: bool
    records: list[Row]
    nextRecordsUrl: str | None = None  # noqa: N815 - Salesforce's name
    totalSize: int = 0  # noqa: N815 - Salesforce's name


class UserInfo(msgspec.Struct):
    """Who we are."""

    user_id: str


def decoded(body: bytes, type_: type[T], name: str) -> T:
    """The answer as `type_`.

    Raises:
        AnswerLost: The body is not JSON as a whole, so the call may be repeated.
        UnexpectedAnswer: It is JSON of another form.
    """
    if type_ not in _decoders:
        _decoders[type_] = msgspec.json.Decoder(type_, float_hook=Decimal)
    answer: T = answers.decoded(body, _decoders[type_], "Salesforce", name)
    return answer
