"""The last e-mail in each direction that a deal tells of is an activity of the deal, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pipelint.connectors.contract import State, settle
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.connectors.pipedrive.endpoints import DEALS
from pipelint.records import Activity, ActivityLink, Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox, schema

CAME = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def mail(sandbox: PipedriveSandbox, deal: int, at: datetime, way: str = "incoming") -> None:
    """An e-mail is synchronised; the deal does not count as changed by it."""
    sandbox.company.store.update(schema.DEALS, deal, {f"last_{way}_mail_time": f"{at:%Y-%m-%dT%H:%M:%SZ}"})


class Follower:
    """Pulls the deals and the activities as a run does, and keeps what it was told."""

    def __init__(self, sandbox: PipedriveSandbox, connector: PipedriveConnector) -> None:
        self.sandbox = sandbox
        self.connector = connector
        self.cursors: dict[Stream, str] = {}
        self.state: State = {}

    def pull(self) -> int:
        """The requests for deals that it took."""
        before = len(self.sandbox.requests)
        for stream in (Stream.OPPORTUNITIES, Stream.ACTIVITIES):
            pages = list(self.connector.pull(stream, self.cursors.get(stream), ()))
            self.state = settle(self.state, pages)
            self.cursors[stream] = pages[-1].cursor
        return sum(it.path == DEALS.path for it in self.sandbox.requests[before:])

    def mails(self) -> set[tuple[str, str | None, datetime | None]]:
        """The deal, the direction and the moment of each e-mail."""
        activities = {it.id: it for it in self.state.values() if isinstance(it, Activity) and it.direction}
        links = [
            it for it in self.state.values() if isinstance(it, ActivityLink) and it.activity in activities
        ]
        assert len(links) == len(activities)
        return {
            (it.record, activities[it.activity].direction, activities[it.activity].happened_at)
            for it in links
        }


@pytest.fixture
def follower(sandbox: PipedriveSandbox, connector: PipedriveConnector) -> Follower:
    return Follower(sandbox, connector)


def test_the_last_mails_of_a_deal_are_activities_with_a_direction_and_take_no_request(
    sandbox: PipedriveSandbox, follower: Follower
) -> None:
    without = follower.pull()
    follower.cursors.clear()
    mail(sandbox, 1, CAME)
    mail(sandbox, 1, CAME - HOUR, "outgoing")
    assert follower.pull() == without
    assert follower.mails() == {("1", "inbound", CAME), ("1", "outbound", CAME - HOUR)}


def test_a_later_mail_takes_the_place_of_the_one_before(
    sandbox: PipedriveSandbox, follower: Follower
) -> None:
    mail(sandbox, 1, CAME)
    follower.pull()
    sandbox.clock.advance(HOUR)
    mail(sandbox, 1, CAME + HOUR)
    sandbox.company.update("deals", 1, {"title": "Changed"})
    assert follower.pull() == 1
    assert follower.mails() == {("1", "inbound", CAME + HOUR)}


def test_a_mail_that_does_not_count_as_a_change_of_the_deal_is_seen_within_a_day(
    sandbox: PipedriveSandbox, follower: Follower
) -> None:
    mail(sandbox, 1, CAME)
    follower.pull()
    mail(sandbox, 2, CAME + HOUR)
    sandbox.clock.advance(12 * HOUR)
    follower.pull()
    assert len(follower.mails()) == 1
    sandbox.clock.advance(12 * HOUR)
    follower.pull()
    assert follower.mails() == {("1", "inbound", CAME), ("2", "inbound", CAME + HOUR)}


def test_the_mails_of_a_deleted_deal_go_with_it(sandbox: PipedriveSandbox, follower: Follower) -> None:
    mail(sandbox, 1, CAME)
    follower.pull()
    sandbox.clock.advance(HOUR)
    sandbox.company.delete("deals", 1)
    follower.pull()
    assert follower.mails() == set()


def test_a_full_pull_that_was_cut_still_ends_with_all_mails(
    sandbox: PipedriveSandbox, follower: Follower
) -> None:
    mail(sandbox, 50, CAME)
    follower.pull()
    pages = iter(follower.connector.pull(Stream.ACTIVITIES, None, ()))
    first = next(pages)
    rest = list(follower.connector.pull(Stream.ACTIVITIES, first.cursor, ()))
    follower.state = settle(follower.state, [first, *rest])
    assert follower.mails() == {("50", "inbound", CAME)}


def test_without_synchronised_mails_a_direction_is_not_known(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]
) -> None:
    follower = Follower(sandbox, connect(sandbox))
    follower.pull()
    supply = follower.connector.supply(Stream.ACTIVITIES, ())
    assert "direction" not in supply.fields
    mail(sandbox, 1, CAME)
    follower.cursors.clear()
    follower.pull()
    supply = follower.connector.supply(Stream.ACTIVITIES, ())
    assert "direction" in supply.fields
    assert supply.last_only == {"direction"}
