"""Participants and products are asked for where a deal says that they changed, and in turn where it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelint.connectors.base import Page
from pipelint.connectors.contract import settle
from pipelint.connectors.pipedrive import budget
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.connectors.pipedrive.details import GOOD_FOR
from pipelint.records import ContactRole, Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox

DAY = timedelta(days=1)
PARTICIPANTS = "/participants"


class Follower:
    """Pulls persons, deals and roles as a run does, and keeps what came."""

    def __init__(
        self,
        sandbox: PipedriveSandbox,
        connect: Callable[..., PipedriveConnector],
        state: Path,
        **settings: Any,
    ) -> None:
        self._state = state
        self.sandbox = sandbox
        self._connect = connect
        self._settings = settings
        self.cursors: dict[Stream, str] = {}
        self.held: dict[Any, Any] = {}

    def connect(self) -> PipedriveConnector:
        return self._connect(self.sandbox, state=self._state, **self._settings)

    def pull(self, after: timedelta = timedelta()) -> list[Page]:
        """The pages of roles."""
        self.sandbox.clock.advance(after)
        connector = self.connect()
        for stream in (Stream.CONTACTS, Stream.OPPORTUNITIES, Stream.CONTACT_ROLES):
            pages = list(connector.pull(stream, self.cursors.get(stream), ()))
            self.cursors[stream] = pages[-1].cursor
        self.held = settle(self.held, pages)
        return pages

    def people(self, deal: int) -> list[int]:
        roles = [
            it for it in self.held.values() if isinstance(it, ContactRole) and it.opportunity == str(deal)
        ]
        return sorted(int(str(it.contact)) for it in roles)

    def roles(self, deal: int) -> dict[int, str | None]:
        held = [
            it for it in self.held.values() if isinstance(it, ContactRole) and it.opportunity == str(deal)
        ]
        return {int(str(it.contact)): it.role for it in held}

    def asked(self) -> int:
        """How often deals were asked for their participants so far."""
        return sum(1 for request in self.sandbox.requests if request.path.endswith(PARTICIPANTS))


@pytest.fixture
def run(sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector], tmp_path: Path) -> Follower:
    """Deals 1 to 3 have a second participant each."""
    for deal in (1, 2, 3):
        sandbox.company.add_participant(deal, deal + 1)
    return Follower(sandbox, connect, tmp_path)


def test_nothing_is_asked_twice_where_nothing_changes(run: Follower) -> None:
    run.pull()
    first = run.asked()
    for _ in range(10):
        run.pull(after=DAY)
    assert first == run.asked() == 3


def test_a_participant_that_came_unnoticed_shows_when_all_deals_are_listed(
    sandbox: PipedriveSandbox, run: Follower
) -> None:
    run.pull()
    sandbox.company.add_participant(1, 7)
    run.pull(after=DAY)
    assert run.people(1) == [1, 2]
    run.pull(after=7 * DAY)
    assert run.people(1) == [1, 2, 7]


def test_a_participant_in_place_of_another_shows_when_the_turn_of_the_deal_comes(
    sandbox: PipedriveSandbox, run: Follower
) -> None:
    run.pull()
    [second] = sandbox.company.store.rows("SELECT id FROM participants WHERE deal_id = 1 AND person_id = 2")
    sandbox.company.delete("participants", second[0])
    sandbox.company.add_participant(1, 7)
    run.pull(after=GOOD_FOR - DAY)
    assert run.people(1) == [1, 2]
    run.pull(after=2 * DAY)
    assert run.people(1) == [1, 7]


def test_new_moves_come_before_turns(
    sandbox: PipedriveSandbox, run: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.pull()
    sandbox.clock.advance(GOOD_FOR)
    sandbox.company.add_participant(5, 7)
    sandbox.company.update("deals", 5, {"title": "Touched"})
    monkeypatch.setattr(budget, "FOR_DETAILS", Decimal(10) / sandbox.limits.budget * 2)
    before = run.asked()
    run.pull()
    assert run.people(5) == [5, 7]
    assert run.asked() == before + 1


def test_a_part_that_changes_on_the_person_comes_with_the_person(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector], tmp_path: Path
) -> None:
    field = sandbox.company.fields.by_name("persons", "Role")
    first, second, *_ = field["options"]
    sandbox.company.add_participant(1, 2)
    sandbox.company.update("persons", 2, {"custom_fields": {field["field_code"]: first["id"]}})
    run = Follower(sandbox, connect, tmp_path, role_field="Role")
    run.pull()
    assert run.roles(1)[2] == first["label"]
    sandbox.clock.advance(DAY)
    sandbox.company.update("persons", 2, {"custom_fields": {field["field_code"]: second["id"]}})
    run.pull()
    assert run.roles(1)[2] == second["label"]


def test_frequent_lists_leave_something_for_participants(
    sandbox: PipedriveSandbox, connect: Callable[..., PipedriveConnector], tmp_path: Path
) -> None:
    sandbox.company.add_participant(1, 2)
    run = Follower(sandbox, connect, tmp_path, daily_tokens=30_000)
    busy = run.connect()._client.budget
    busy.spend(int(busy.ours * Decimal("0.55")))
    run.pull()
    assert run.people(1) == [1, 2]


def test_archived_deals_are_asked_too(sandbox: PipedriveSandbox, run: Follower) -> None:
    sandbox.company.update("deals", 3, {"is_archived": True})
    run.pull()
    assert run.people(3) == [3, 4]


def test_a_closed_deal_keeps_its_participants_and_leaves_the_cursor(
    sandbox: PipedriveSandbox, run: Follower
) -> None:
    run.pull()
    sandbox.clock.advance(DAY)
    sandbox.company.update("deals", 2, {"status": "won"})
    run.pull()
    assert run.people(2) == [2, 3]
    long = len(run.cursors[Stream.CONTACT_ROLES])
    run.pull(after=GOOD_FOR)
    assert run.people(2) == [2, 3]
    assert len(run.cursors[Stream.CONTACT_ROLES]) < long


def test_a_deal_that_is_opened_again_is_asked_again(sandbox: PipedriveSandbox, run: Follower) -> None:
    run.pull()
    sandbox.clock.advance(DAY)
    sandbox.company.update("deals", 2, {"status": "lost"})
    run.pull()
    before = run.asked()
    sandbox.clock.advance(DAY)
    sandbox.company.update("deals", 2, {"status": "open"})
    run.pull()
    assert run.asked() == before + 1


def test_a_deal_that_was_forgotten_and_opened_again_has_the_participants_of_now(
    sandbox: PipedriveSandbox, run: Follower
) -> None:
    sandbox.company.add_participant(2, 7)
    run.pull()
    sandbox.clock.advance(DAY)
    sandbox.company.update("deals", 2, {"status": "lost"})
    run.pull()
    run.pull(after=GOOD_FOR)
    assert run.people(2) == [2, 3, 7]
    [last] = sandbox.company.store.rows("SELECT id FROM participants WHERE deal_id = 2 AND person_id = 3")
    sandbox.company.delete("participants", last[0])
    sandbox.company.update("deals", 2, {"title": "Renamed while closed"})
    run.pull(after=DAY)
    assert run.people(2) == [2, 3, 7]
    sandbox.company.update("deals", 2, {"status": "open"})
    run.pull(after=DAY)
    assert run.people(2) == [2, 7]


def test_doctor_tells_of_deals_that_wait_longer_than_a_day(
    run: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(budget, "FOR_DETAILS", Decimal(0))
        run.pull()
        assert not warnings(run)
        for _ in range(2):
            run.sandbox.clock.advance(DAY)
            for deal in (1, 2, 3):
                run.sandbox.company.update("deals", deal, {"title": "Touched while it waits"})
            run.pull()
        run.sandbox.clock.advance(timedelta(hours=1))
        assert warnings(run) == ["3 deals wait to be asked for their participants, one of them for 2 days"]
    run.pull(after=DAY)
    assert not warnings(run)


def warnings(run: Follower) -> list[str]:
    return [it.what for it in run.connect().diagnose(()) if "wait to be asked" in it.what]
