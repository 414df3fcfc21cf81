"""What is asked of HubSpot, and what it answers: JSON as typed values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipelint.connectors import answers
from pipelint.connectors.answers import brief
from pipelint.connectors.hubspot.wire import Answer
from pipelint.errors import Fix

T = TypeVar("T")
Query: TypeAlias = Sequence[tuple[str, str]]


class Call(NamedTuple):
    """A request to the portal, to be sent as often as it takes; `name` says in messages what was asked."""

    method: str
    path: str
    name: str
    query: Query = ()
    body: object = None


class Next(msgspec.Struct):
    """The mark of the next page."""

    after: str


class Paging(msgspec.Struct):
    """Absent on a last page."""

    next: Next | None = None


class Change(msgspec.Struct):
    """A value that a property had; `value` may be empty text: it was cleared."""

    value: str | None
    timestamp: str
    sourceType: str = ""  # noqa: N815 - HubSpot's name
    sourceId: str | None = None  # noqa: N815 - HubSpot's name
    updatedByUserId: int | str | None = None  # noqa: N815 - HubSpot's name


class Associated(msgspec.Struct):
    """A record that is linked with another one; it comes once for each type of the link."""

    id: str


class Associations(msgspec.Struct):
    """The records of one type that a row is linked with; with `paging` these are not all."""

    results: list[Associated]
    paging: Paging | None = None


class Row(msgspec.Struct):
    """A record; all values are text (fact sheet §13)."""

    id: str
    properties: dict[str, str | None] = {}
    propertiesWithHistory: dict[str, list[Change]] | None = None  # noqa: N815 - HubSpot's name
    associations: dict[str, Associations] = {}
    archived: bool = False


ABSENT: Final = frozenset({"OBJECT_NOT_FOUND", "CONTACT_NOT_FOUND", "DEAL_NOT_FOUND"})
"""How HubSpot says that there is no such record, or that nothing is linked with it."""


class ErrorPart(msgspec.Struct):
    """One entry of `errors`; `context` holds lists of texts, and any part may be null."""

    message: str | None = None
    category: str | None = None
    code: str | None = None
    context: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Its code, in HubSpot's capitals."""
        return self.code or self.category or ""

    @property
    def said(self) -> str:
        """Its words, fit to be shown."""
        return brief(self.message or "")

    def told(self, key: str) -> tuple[str, ...]:
        """What its context says."""
        value = (self.context or {}).get(key)
        return tuple(map(str, value)) if isinstance(value, list) else () if value is None else (str(value),)

    @property
    def absent(self) -> bool:
        """Whether it says no more than that there is nothing."""
        return bool({self.category, self.code} & ABSENT)


class Batch(msgspec.Struct, kw_only=True):
    """The answer to a batch, which may hold errors under any status of success (fact sheet §1)."""

    errors: list[ErrorPart] = []


class Rows(Batch):
    """A page of records, or those of a batch."""

    results: list[Row]
    paging: Paging | None = None
    total: int | None = None

    @property
    def after(self) -> str | None:
        """The mark of the next page, None on the last one."""
        return self.paging.next.after if self.paging and self.paging.next else None


class Account(msgspec.Struct):
    """What the portal is."""

    portalId: int  # noqa: N815 - HubSpot's name
    timeZone: str = "UTC"  # noqa: N815 - HubSpot's name
    companyCurrency: str | None = None  # noqa: N815 - HubSpot's name
    uiDomain: str = "app.hubspot.com"  # noqa: N815 - HubSpot's name
    accountType: str = ""  # noqa: N815 - HubSpot's name

    @property
    def zone(self) -> ZoneInfo:
        """Where dates that travel as instants are meant (fact sheet §13).

        Raises:
            Fix: no such zone is known here. Another one would shift close dates by a day without a word.
        """
        try:
            return ZoneInfo(self.timeZone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Fix(
                f"HubSpot's account has the time zone '{self.timeZone}', which is not known here",
                hint="update the Python package tzdata",
            ) from None


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def decoded(answer: Answer, kind: type[T], name: str) -> T:
    """The body as `kind`.

    Raises:
        AnswerLost: it is not JSON as a whole, so the call may be repeated.
        UnexpectedAnswer: it is JSON of another form.
    """
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind, strict=False)
    read: T = answers.decoded(answer.body, _decoders[kind], "HubSpot", name)
    return read
