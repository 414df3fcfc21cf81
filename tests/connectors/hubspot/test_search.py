"""Walking changes beyond the search's cap: every record once at least, and always an end (fact sheet hubspot §5)."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from pipelint.connectors.hubspot.answers import Next, Paging, Row, Rows
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.paths import Paths
from pipelint.connectors.hubspot.search import PAGE_ROWS, Place, changed

STAMP = "hs_lastmodifieddate"
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
MS = 1_000
CAP = 10_000


class Index:
    """A search index that keeps HubSpot's rules: 200 a page, 10,000 a query, sorted by one property."""

    def __init__(self, stamps: Mapping[int, int]) -> None:
        self.by_stamp = sorted((stamp, id_) for id_, stamp in stamps.items())
        self.queries = 0
        self.reading = Paths("2026-09")

    def search(self, path: str, body: dict[str, Any], *, name: str) -> Rows:
        self.queries += 1
        found = self.found(body["filterGroups"][0]["filters"])
        assert body["sorts"] == [{"propertyName": self.sorted_by, "direction": "ASCENDING"}]
        first = int(body.get("after", 0))
        assert first + body["limit"] <= CAP, "HubSpot answers 400 beyond its cap"
        page = found[first : first + body["limit"]]
        after = first + len(page)
        paging = Paging(Next(str(after))) if after < len(found) else None
        return Rows([self.row(id_, stamp) for stamp, id_ in page], paging, len(found))

    def found(self, filters: Sequence[Mapping[str, str]]) -> Sequence[tuple[int, int]]:
        """What fits, in the order that goes with the filters."""
        wanted = {(one["propertyName"], one["operator"]): int(one["value"]) for one in filters}
        if since := wanted.get((STAMP, "GTE")):
            self.sorted_by = STAMP
            return self.by_stamp[bisect_left(self.by_stamp, (since, 0)) :]
        self.sorted_by = "hs_object_id"
        stamp, beyond = wanted[STAMP, "EQ"], wanted["hs_object_id", "GT"]
        first = bisect_right(self.by_stamp, (stamp, beyond))
        return self.by_stamp[first : bisect_left(self.by_stamp, (stamp + 1, 0))]

    def edit(self, id_: int, stamp: int) -> None:
        self.by_stamp = [one for one in self.by_stamp if one[1] != id_]
        insort(self.by_stamp, (stamp, id_))

    def row(self, id_: int, stamp: int) -> Row:
        at = datetime.fromtimestamp(stamp / MS, UTC)
        return Row(str(id_), {STAMP: at.isoformat(timespec="milliseconds")})


def walk(index: Index, place: Place) -> list[str]:
    pages = changed(cast("Client", index), "deals", STAMP, [STAMP], place)
    return [row.id for rows, _ in pages for row in rows]


MOMENT = int(START.timestamp() * MS)

CASES = {
    "nothing changed": {},
    "one page": {n: MOMENT + n for n in range(1, 51)},
    "a full page": {n: MOMENT + n for n in range(1, PAGE_ROWS + 1)},
    "more than the cap, each with its own stamp": {n: MOMENT + n for n in range(1, CAP + 2_346)},
    "12,000 of one stamp": dict.fromkeys(range(1, 12_001), MOMENT),
    "12,000 of one stamp between others": {
        n: MOMENT + (0 if n < 700 else 5 if n < 12_700 else n) for n in range(1, 13_401)
    },
    "exactly the cap of one stamp": dict.fromkeys(range(1, CAP + 1), MOMENT),
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


@pytest.mark.parametrize("stamps", CASES.values(), ids=CASES.keys())
def test_nothing_is_passed_over_while_colleagues_edit_what_was_read(stamps: dict[int, int]) -> None:
    index = Index(stamps)
    seen: set[str] = set()
    pages = changed(cast("Client", index), "deals", STAMP, [STAMP], Place(MOMENT))
    for number, (rows, _) in enumerate(pages):
        seen |= {row.id for row in rows}
        for row in rows[:5] if number < 20 else ():
            index.edit(int(row.id), MOMENT + 100_000 + number)
    assert seen == {str(id_) for id_ in stamps}


def test_queries_grow_with_what_changed() -> None:
    index = Index({n: MOMENT + n for n in range(1, CAP * 2 + 1)})
    walk(index, Place(MOMENT))
    assert index.queries <= CAP * 2 / PAGE_ROWS + 3


def test_what_is_older_is_left_alone() -> None:
    older = int((START - timedelta(days=1)).timestamp() * MS)
    assert walk(Index({1: older, 2: MOMENT}), Place(MOMENT)) == ["2"]
