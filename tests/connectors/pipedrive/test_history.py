"""Stage changes out of change logs: moves, ends and reopenings, and how far they are complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pipelint.connectors.pipedrive import budget
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.records import StageChange, Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox

HOUR = timedelta(hours=1)
NEVER_MOVED = 20


class Follower:
    """Follows the stage changes of a company, each time by a connection of its own."""

    def __init__(self, sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]) -> None:
        self.sandbox = sandbox
        self.connect = connect
        self.cursor: str | None = None
        self.held: dict[str, StageChange] = {}

    def pull(self) -> datetime | None:
        """Since when the history is complete by what was pulled an hour after what was before."""
        self.sandbox.clock.advance(HOUR)
        connector = self.connect(self.sandbox)
        for page in connector.pull(Stream.STAGE_CHANGES, self.cursor, ()):
            self.cursor = page.cursor
            self.held |= {it.id: it for it in page.records if isinstance(it, StageChange)}
        return connector.supply(Stream.STAGE_CHANGES, ()).complete_since

    def change(self, deal: int, **values: object) -> datetime:
        """A colleague changes a deal, an hour later."""
        self.sandbox.clock.advance(HOUR)
        self.sandbox.company.update("deals", deal, values)
        return self.sandbox.clock.now()

    def moves(self, deal: int) -> list[tuple[str | None, str | None]]:
        held = sorted(self.held.values(), key=lambda it: it.at)
        return [(it.from_stage, it.to_stage) for it in held if it.opportunity == str(deal)]

    def logs(self) -> int:
        """How often a change log was asked for so far."""
        return sum(1 for request in self.sandbox.requests if request.path.endswith("/changelog"))


@pytest.fixture
def follower(sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]) -> Follower:
    made = Follower(sandbox, connect)
    made.pull()
    return made


def test_a_deal_that_never_moved_comes_from_the_stage_it_is_in(follower: Follower) -> None:
    for status in ("lost", "open", "lost"):
        follower.change(NEVER_MOVED, status=status)
    follower.pull()
    assert follower.moves(NEVER_MOVED) == [("1", "lost"), ("lost", "1"), ("1", "lost")]


def test_a_deal_that_ended_before_it_moved_came_from_the_stage_it_moved_from(follower: Follower) -> None:
    follower.change(NEVER_MOVED, status="won")
    follower.change(NEVER_MOVED, status="open")
    follower.change(NEVER_MOVED, stage_id=3)
    follower.pull()
    assert follower.moves(NEVER_MOVED) == [("1", "won"), ("won", "1"), ("1", "3")]


def test_a_reopening_comes_with_the_next_pull(follower: Follower) -> None:
    follower.change(NEVER_MOVED, status="lost")
    follower.pull()
    follower.change(NEVER_MOVED, status="open")
    follower.pull()
    assert follower.moves(NEVER_MOVED) == [("1", "lost"), ("lost", "1")]
    asked = follower.logs()
    follower.change(NEVER_MOVED, title="Renamed")
    follower.pull()
    assert follower.logs() == asked


def test_a_deal_that_ended_before_the_first_pull_may_be_opened_again(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector]
) -> None:
    sandbox.company.update("deals", NEVER_MOVED, {"status": "won"})
    follower = Follower(sandbox, connect)
    follower.pull()
    follower.change(NEVER_MOVED, status="open")
    follower.pull()
    assert follower.moves(NEVER_MOVED)[-1] == ("won", "1")


def test_a_new_deal_begins_in_its_stage_and_is_not_asked_for(follower: Follower) -> None:
    follower.sandbox.clock.advance(HOUR)
    new = follower.sandbox.company.create("deals", {"title": "New", "stage_id": 2})["id"]
    follower.pull()
    assert follower.moves(new) == [(None, "2")]
    follower.change(new, title="Renamed")
    follower.pull()
    assert follower.logs() == 0


def test_an_old_deal_that_was_open_all_the_time_is_not_asked_for(follower: Follower) -> None:
    follower.change(NEVER_MOVED, title="Renamed")
    follower.pull()
    assert follower.logs() == 0


def test_a_deal_that_moved_and_was_archived_is_asked_for(follower: Follower) -> None:
    follower.change(NEVER_MOVED, stage_id=3)
    follower.change(NEVER_MOVED, is_archived=True)
    follower.pull()
    assert follower.moves(NEVER_MOVED) == [("1", "3")]


def test_the_history_is_complete_only_from_the_day_after_the_moves_of_deals_that_wait(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.change(NEVER_MOVED, stage_id=3)
    last = follower.change(NEVER_MOVED + 1, stage_id=3)
    with monkeypatch.context() as patch:
        patch.setattr(budget, "FOR_DETAILS", Decimal(0))
        since = follower.pull()
        assert since is not None
        assert last < since <= last + timedelta(days=1)
        assert follower.pull() == since, "so that what is prepared for it is kept"
    assert follower.pull() is None
    assert follower.moves(NEVER_MOVED) == follower.moves(NEVER_MOVED + 1) == [("1", "3")]
