"""How values of HubSpot are read that nobody expects, and what histories that were cut still tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelint.connectors.contract import settle
from pipelint.connectors.hubspot import normalise as n
from pipelint.connectors.hubspot.answers import Account, Change, Row
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.connectors.hubspot.history import KEPT, stage_changes
from pipelint.errors import Fix
from pipelint.records import Owner, StageChange, Stream
from pipelint.sandbox.hubspot import HubSpotSandbox

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (n.instant, "20262-03-01T00:00:00Z"),
        (n.instant, "+020262-01-01T00:00:00Z"),
        (n.instant, "253402300800000"),
        (n.instant, "soon"),
        (n.day, "20262-03-01"),
        (n.day, "2026-02-31"),
        (n.day, "253402300800000"),
        (n.number, "NaN"),
        (n.number, "Infinity"),
        (n.number, "1,000"),
    ],
)
def test_what_cannot_be_read_is_no_value(read: Callable[[str], object], value: str) -> None:
    assert read(value) is None


def test_the_end_of_time_is_a_day_everywhere() -> None:
    assert n.day_in("9999-12-31T23:59:59Z", ZoneInfo("Europe/Paris")) == date(9999, 12, 31)


def test_a_zone_that_is_not_known_here_is_an_error_and_not_another_zone() -> None:
    assert Account(1, timeZone="US/Eastern").zone == ZoneInfo("US/Eastern")
    with pytest.raises(Fix, match=r"Mars/Olympus.*not known here"):
        _ = Account(1, timeZone="Mars/Olympus").zone


def moves(first: int, last: int) -> dict[str, StageChange]:
    """The changes of a deal that changes its stage each day, read on a day; versions come newest first."""
    days = (NOW + timedelta(days=day) for day in range(first, last))
    versions = [Change("ABC"[at.day % 3], at.isoformat(), "CRM_UI") for at in days][::-1]
    row = Row("1", propertiesWithHistory={"dealstage": versions[:KEPT]})
    return {change.id: change for change in stage_changes(row, {})}


def test_a_version_that_drops_out_of_a_history_changes_nothing_that_was_told() -> None:
    told = moves(0, KEPT - 1)
    for days in range(KEPT, KEPT + 5):
        later = moves(0, days)
        assert {id_: later[id_] for id_ in told.keys() & later.keys()}.items() <= told.items()
        told |= later
    assert sum(change.from_stage is None for change in told.values()) == 1
    assert len(told) == KEPT + 4


def test_who_moved_a_deal_is_told_as_an_owner(sandbox: HubSpotSandbox, connector: HubSpotConnector) -> None:
    owners = settle({}, connector.pull(Stream.OWNERS, None, ())).values()
    names = {it.id for it in owners if isinstance(it, Owner)}
    changes = settle({}, connector.pull(Stream.STAGE_CHANGES, None, ())).values()
    by = {it.by for it in changes if isinstance(it, StageChange)}
    assert by - {None}
    assert by - {None} <= names
