"""Walking what changed with the search API, beyond its cap of 10,000 results a query (fact sheet §5).

A walk goes by the stamp and begins anew at the last stamp it saw whenever it nears the cap. A bulk edit may give
more records than that one stamp to the millisecond; such a crowd is walked by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pipelint.connectors.hubspot.client import Client, Row
from pipelint.connectors.hubspot.normalise import instant, milliseconds
from pipelint.errors import UnexpectedAnswer

PAGE_ROWS: Final = 200
CAP: Final = 10_000
ID: Final = "hs_object_id"


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a walk is: at a stamp in milliseconds, and in a crowd of that stamp after an id."""

    stamp: int
    after: str | None = None


def changed(
    client: Client, kind: str, stamp: str, properties: Sequence[str], place: Place
) -> Iterator[tuple[list[Row], Place | None]]:
    """Pages of what changed from `place` on, each with the place that follows it; None at the end.

    Records at the border of two queries come twice.
    """
    while True:
        found = _crowd if place.after is not None else _window
        following: Place | None = None
        for rows, following in found(client, kind, stamp, properties, place):
            yield rows, following
        if following is None:
            return
        place = following


def between(
    client: Client, kind: str, name: str, properties: Sequence[str], first: int, last: int, after: str
) -> Iterator[list[Row]]:
    """Records whose instant `name` lies between two, in milliseconds, in the order of their ids beyond `after`."""
    moment = {"propertyName": name, "operator": "BETWEEN", "value": str(first), "highValue": str(last)}
    yield from by_id(client, kind, properties, [moment], after)


def by_id(
    client: Client,
    kind: str,
    properties: Sequence[str],
    filters: Sequence[Mapping[str, str]],
    after: str,
) -> Iterator[list[Row]]:
    """Records that fit, in the order of their ids from beyond `after` on, without a cap."""
    while True:
        beyond = {"propertyName": ID, "operator": "GT", "value": after}
        rows, _ = _ask(client, kind, properties, [*filters, beyond], ID, None)
        if rows:
            yield rows
            after = rows[-1].id
        if len(rows) < PAGE_ROWS:
            return


def _window(
    client: Client, kind: str, stamp: str, properties: Sequence[str], place: Place
) -> Iterator[tuple[list[Row], Place | None]]:
    """The records of one query, up to the cap."""
    since = {"propertyName": stamp, "operator": "GTE", "value": str(place.stamp)}
    after: str | None = None
    count = 0
    while True:
        rows, after = _ask(client, kind, properties, [since], stamp, after)
        count += len(rows)
        if after is None or not rows:
            yield rows, None
            return
        last = _stamp(rows[-1], stamp)
        if count + PAGE_ROWS > CAP:
            yield rows, Place(last) if last > place.stamp else Place(last, "0")
            return
        yield rows, Place(last)


def _crowd(
    client: Client, kind: str, stamp: str, properties: Sequence[str], place: Place
) -> Iterator[tuple[list[Row], Place | None]]:
    """The records of exactly one stamp, by id; then what comes after it."""
    same = {"propertyName": stamp, "operator": "EQ", "value": str(place.stamp)}
    beyond = {"propertyName": ID, "operator": "GT", "value": place.after or "0"}
    rows, _ = _ask(client, kind, properties, [same, beyond], ID, None)
    more = len(rows) == PAGE_ROWS
    yield rows, Place(place.stamp, rows[-1].id) if more else Place(place.stamp + 1)


def _ask(
    client: Client,
    kind: str,
    properties: Sequence[str],
    filters: Sequence[Mapping[str, str]],
    sort: str,
    after: str | None,
) -> tuple[list[Row], str | None]:
    body: dict[str, Any] = {
        "filterGroups": [{"filters": list(filters)}],
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": PAGE_ROWS,
    }
    if after is not None:
        body["after"] = after
    page = client.search(client.reading.objects(kind, "search"), body, name=f"the changed {kind}")
    return page.results, page.after


def _stamp(row: Row, name: str) -> int:
    at = instant(row.properties.get(name))
    if at is None:
        raise UnexpectedAnswer(f"a record comes without its {name}")
    return milliseconds(at)
