"""Walking what changed with the search API, beyond its cap of 10,000 results a query (fact sheet §5).

Each page begins at the last stamp of the one before, never at an offset: a record that is edited on the way moves
to the end, and an offset would pass over one that moved up. A bulk edit may give more records than a page holds
one stamp to the millisecond; such a crowd is walked by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from pipelint.connectors.hubspot.answers import Row
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.normalise import instant, milliseconds
from pipelint.errors import UnexpectedAnswer

PAGE_ROWS: Final = 200
ID: Final = "hs_object_id"


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a walk is: at a stamp in milliseconds, and in a crowd of that stamp after an id."""

    stamp: int
    after: str | None = None


def changed(
    client: Client, kind: str, stamp: str, properties: Sequence[str], place: Place
) -> Iterator[tuple[list[Row], Place | None]]:
    """Pages of what changed from `place` on, each with the place that follows it; None at the end.

    Records at the border of two pages come twice.
    """
    following: Place | None = place
    while following is not None:
        found = _window if following.after is None else _crowd
        rows, following = found(client, kind, stamp, properties, following)
        yield rows, following


def between(
    client: Client, kind: str, name: str, properties: Sequence[str], first: int, last: int, after: str
) -> Iterator[list[Row]]:
    """Records whose instant `name` lies between two, in milliseconds, in the order of their ids beyond `after`."""
    moment = {"propertyName": name, "operator": "BETWEEN", "value": str(first), "highValue": str(last)}
    yield from by_id(client, kind, properties, [[moment]], after)


def by_id(
    client: Client,
    kind: str,
    properties: Sequence[str],
    groups: Sequence[Sequence[Mapping[str, object]]],
    after: str,
) -> Iterator[list[Row]]:
    """Records that fit all filters of a group, in the order of their ids from beyond `after` on, without a cap."""
    while True:
        beyond = {"propertyName": ID, "operator": "GT", "value": after}
        rows, more = _ask(client, kind, properties, [[*filters, beyond] for filters in groups], ID)
        if rows:
            yield rows
            after = rows[-1].id
        if not rows or not more:
            return


def _window(
    client: Client, kind: str, stamp: str, properties: Sequence[str], place: Place
) -> tuple[list[Row], Place | None]:
    """The first records from a stamp on."""
    since = {"propertyName": stamp, "operator": "GTE", "value": str(place.stamp)}
    rows, more = _ask(client, kind, properties, [[since]], stamp)
    if not rows or not more:
        return rows, None
    last = _stamp(rows[-1], stamp)
    return rows, Place(last) if last > place.stamp else Place(place.stamp, "0")


def _crowd(
    client: Client, kind: str, stamp: str, properties: Sequence[str], place: Place
) -> tuple[list[Row], Place | None]:
    """Some records of exactly one stamp, by id; then what comes after it."""
    same = {"propertyName": stamp, "operator": "EQ", "value": str(place.stamp)}
    beyond = {"propertyName": ID, "operator": "GT", "value": place.after or "0"}
    rows, more = _ask(client, kind, properties, [[same, beyond]], ID)
    return rows, Place(place.stamp, rows[-1].id) if rows and more else Place(place.stamp + 1)


def _ask(
    client: Client,
    kind: str,
    properties: Sequence[str],
    groups: Sequence[Sequence[Mapping[str, object]]],
    sort: str,
) -> tuple[list[Row], bool]:
    """The first rows that fit, and whether there are more."""
    body = {
        "filterGroups": [{"filters": list(filters)} for filters in groups],
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": PAGE_ROWS,
    }
    page = client.search(client.reading.objects(kind, "search"), body, name=f"the changed {kind}")
    return page.results, page.after is not None


def _stamp(row: Row, name: str) -> int:
    at = instant(row.properties.get(name))
    if at is None:
        raise UnexpectedAnswer(f"a record comes without its {name}")
    return milliseconds(at)
