"""Walking changes beyond the search's cap: every record once at least, and always an end (fact sheet hubspot §5)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from pipelint.connectors.hubspot.client import Client, Next, Paging, Row, Rows
from pipelint.connectors.hubspot.paths import Paths
from pipelint.connectors.hubspot.search import CAP, PAGE_ROWS, Place, changed

STAMP = "hs_lastmodifieddate"
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
MS = 1_000


class Index:
    """A search index that keeps HubSpot's rules: 200 a page, 10,000 a query, sorted by one property."""

    def __init__(self, stamps: Mapping[int, int]) -> None:
        self.stamps = stamps
        self.queries = 0
        self.reading = Paths("2026-09")

    def search(self, path: str, body: dict[str, Any], *, name: str) -> Rows:
        self.queries += 1
        filters = body["filterGroups"][0]["filters"]
        found = [
            (id_, stamp)
            for id_, stamp in self.stamps.items()
            if all(self.fits(id_, stamp, f) for f in filters)
        ]
        by_id = body["sorts"][0]["propertyName"] == "hs_object_id"
        found.sort(key=lambda one: one[0] if by_id else (one[1], one[0]))
        first = int(body.get("after", 0))
        assert first + body["limit"] <= CAP, "HubSpot answers 400 beyond its cap"
        page = found[first : first + body["limit"]]
        after = first + len(page)
        paging = Paging(Next(str(after))) if after < len(found) else None
        return Rows([self.row(id_, stamp) for id_, stamp in page], paging, len(found))

    def fits(self, id_: int, stamp: int, one: dict[str, str]) -> bool:
        value = id_ if one["propertyName"] == "hs_object_id" else stamp
        wanted = int(one["value"])
        return {"GT": value > wanted, "GTE": value >= wanted, "EQ": value == wanted}[one["operator"]]

    def row(self, id_: int, stamp: int) -> Row:
        at = datetime.fromtimestamp(stamp / MS, UTC)
        return Row(str(id_), {STAMP: at.isoformat(timespec="milliseconds")})


def walk(index: Index, place: Place) -> list[str]:
    pages = changed(cast("Client", index), "deals", STAMP, [STAMP], place)
    return [row.id for rows, _ in pages for row in rows]


MOMENT = int(START.timestamp() * MS)

CASES = {
    "nothing changed": {},
    "one page": {n: MOMENT + n for n in range(50)},
    "a full page": {n: MOMENT + n for n in range(PAGE_ROWS)},
    "more than the cap, each with its own stamp": {n: MOMENT + n for n in range(CAP + 2_345)},
    "12,000 of one stamp": dict.fromkeys(range(12_000), MOMENT),
    "12,000 of one stamp between others": {
        n: MOMENT + (0 if n < 700 else 5 if n < 12_700 else n) for n in range(13_400)
    },
    "exactly the cap of one stamp": dict.fromkeys(range(CAP), MOMENT),
}


@pytest.mark.parametrize("stamps", CASES.values(), ids=CASES.keys())
def test_every_changed_record_is_found(stamps: dict[int, int]) -> None:
    assert set(walk(Index(stamps), Place(MOMENT))) == {str(id_) for id_ in stamps}


@pytest.mark.parametrize("stamps", CASES.values(), ids=CASES.keys())
def test_any_place_is_one_to_continue_from(stamps: dict[int, int]) -> None:
    index = Index(stamps)
    seen: set[str] = set()
    pages = changed(cast("Client", index), "deals", STAMP, [STAMP], Place(MOMENT))
    for number, (rows, place) in enumerate(pages):
        seen |= {row.id for row in rows}
        if number == 30 or place is None:
            break
    if place is not None:
        seen |= set(walk(index, place))
    assert seen == {str(id_) for id_ in stamps}


def test_queries_grow_with_what_changed() -> None:
    index = Index({n: MOMENT + n for n in range(CAP * 2)})
    walk(index, Place(MOMENT))
    assert index.queries <= CAP * 2 / PAGE_ROWS + 3


def test_what_is_older_is_left_alone() -> None:
    older = int((START - timedelta(days=1)).timestamp() * MS)
    assert walk(Index({1: older, 2: MOMENT}), Place(MOMENT)) == ["2"]
