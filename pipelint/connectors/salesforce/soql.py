"""Writing SOQL: literals, and statements that stay within Salesforce's limits (fact sheet §3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote_plus

from simple_salesforce.format import quote_soql_value

MAX_IDS: Final = 300
"""Ids in one IN list; some 700 would already break the limit of the address (fact sheet §3)."""

MAX_URI: Final = 16_384 - 512
"""Bytes of an address; the rest is for host and path. A longer one is refused with 414."""

T = TypeVar("T")


def quoted(text: str) -> str:
    r"""A string literal.

    >>> print(quoted("L'Oréal"))
    'L\'Oréal'
    """
    literal: str = quote_soql_value(text)
    return literal


def listed(texts: Sequence[str]) -> str:
    """The right side of IN."""
    return f"({','.join(quoted(text) for text in texts)})"


def instant(at: datetime) -> str:
    """A date-time literal; with Z, because the plus of an offset is read as a blank (fact sheet §3).

    >>> instant(datetime(2026, 11, 21, 10, tzinfo=UTC))
    '2026-11-21T10:00:00.000Z'
    """
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def select(
    columns: Sequence[str], source: str, where: Sequence[str] = (), order_by: Sequence[str] = ()
) -> str:
    """A statement; conditions are joined with AND, so each brings the parentheses it needs."""
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    order = f" ORDER BY {', '.join(order_by)}" if order_by else ""
    return f"SELECT {', '.join(columns)} FROM {source}{conditions}{order}"


def after(column: str, stamp: str, id_: str) -> str:
    """The condition for what comes after a row, in the order of its stamp and Id."""
    at = instant(datetime.fromisoformat(stamp))
    return f"({column} > {at} OR ({column} = {at} AND Id > {quoted(id_)}))"


def fits(soql: str) -> bool:
    """Whether the address of a query stays short enough."""
    return len(quote_plus(soql)) <= MAX_URI


def chunked(items: Sequence[T], size: int = MAX_IDS) -> Iterator[Sequence[T]]:
    """`items` in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
