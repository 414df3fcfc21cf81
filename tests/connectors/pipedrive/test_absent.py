"""A deal that cannot be asked for by itself holds up no other deal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from pipelint.connectors.base import Page
from pipelint.connectors.pipedrive import budget
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.records import ContactRole, StageChange, Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import PERSONS

NOTHING = {"deleted or hidden": "NOT_FOUND", "null": "NULL"}


@pytest.fixture
def asked(sandbox: PipedriveSandbox) -> PipedriveSandbox:
    """Deals 1 to 3 have two participants each, and all of them move."""
    people = [row["id"] for row in sandbox.company.store.select(PERSONS)]
    for deal in (1, 2, 3):
        sandbox.company.add_participant(deal, people[-1])
    return sandbox


def parents(pages: list[Page]) -> set[str]:
    return {
        str(record.opportunity)
        for page in pages
        for record in page.records
        if isinstance(record, ContactRole | StageChange)
    }


def calls(sandbox: PipedriveSandbox, path: str) -> int:
    return sum(1 for request in sandbox.requests if request.path == path)


@pytest.mark.parametrize("effect", NOTHING.values(), ids=NOTHING)
def test_the_participants_of_the_other_deals_come(
    asked: PipedriveSandbox, connect: Callable[..., PipedriveConnector], effect: str
) -> None:
    path = "/api/v1/deals/2/participants"
    asked.faults.add_json({"effect": effect, "path": path, "times": 0})
    pages = list(connect(asked).pull(Stream.CONTACT_ROLES, None, ()))
    assert {"1", "3"} <= parents(pages)
    assert pages[-1].ends_full
    first = calls(asked, path)
    asked.clock.advance(timedelta(hours=1))
    list(connect(asked).pull(Stream.CONTACT_ROLES, pages[-1].cursor, ()))
    assert calls(asked, path) == first


@pytest.mark.parametrize("effect", NOTHING.values(), ids=NOTHING)
def test_the_moves_of_the_other_deals_come(
    asked: PipedriveSandbox, connect: Callable[..., PipedriveConnector], effect: str
) -> None:
    [begin] = connect(asked).pull(Stream.STAGE_CHANGES, None, ())
    asked.clock.advance(timedelta(hours=1))
    for deal in (1, 2, 3):
        asked.company.update("deals", deal, {"stage_id": 4})
    asked.faults.add_json({"effect": effect, "path": "/api/v1/deals/2/changelog", "times": 0})
    asked.clock.advance(timedelta(hours=1))
    pages = list(connect(asked).pull(Stream.STAGE_CHANGES, begin.cursor, ()))
    assert parents(pages) == {"1", "3"}
    asked.clock.advance(timedelta(hours=1))
    again = list(connect(asked).pull(Stream.STAGE_CHANGES, pages[-1].cursor, ()))
    assert parents(again) == set()


def test_a_deal_that_is_deleted_while_it_waits_is_not_asked_for(
    asked: PipedriveSandbox, connect: Callable[..., PipedriveConnector], monkeypatch: pytest.MonkeyPatch
) -> None:
    [begin] = connect(asked).pull(Stream.STAGE_CHANGES, None, ())
    asked.clock.advance(timedelta(hours=1))
    asked.company.update("deals", 2, {"stage_id": 4})
    asked.clock.advance(timedelta(hours=1))
    with monkeypatch.context() as patch:
        patch.setattr(budget, "FOR_DETAILS", Decimal(0))
        *_, waits = connect(asked).pull(Stream.STAGE_CHANGES, begin.cursor, ())
    asked.company.delete("deals", 2)
    asked.clock.advance(timedelta(hours=1))
    list(connect(asked).pull(Stream.STAGE_CHANGES, waits.cursor, ()))
    assert calls(asked, "/api/v1/deals/2/changelog") == 0
