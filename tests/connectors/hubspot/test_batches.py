"""Answers to batches that hold errors: only those that say that there is nothing are taken for that (fact sheet §1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipelint.connectors.contract import settle
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.errors import Busy
from pipelint.records import Stream
from pipelint.sandbox.hubspot import HubSpotSandbox

Connect = Callable[..., HubSpotConnector]

PATHS = {
    Stream.OPPORTUNITIES: "deals/companies/batch/read",
    Stream.CONTACT_ROLES: "deals/contacts/batch/read",
    Stream.STAGE_CHANGES: "objects/.*deals/batch/read",
}


@pytest.fixture
def moved(sandbox: HubSpotSandbox) -> str:
    """A deal that moves after all was pulled."""
    return sandbox.portal.ids("deals")[3]


@pytest.mark.parametrize("version", ["v3", "2026-09"])
@pytest.mark.parametrize("stream", PATHS, ids=str)
def test_a_record_that_an_answer_has_an_error_for_is_asked_for_again(
    sandbox: HubSpotSandbox, connect: Connect, moved: str, stream: Stream, version: str
) -> None:
    [*_, last] = connect(sandbox).pull(stream, None, ())
    sandbox.clock.advance(timedelta(hours=2))
    sandbox.portal.update("deals", moved, {"dealstage": "contractsent"})
    expected = settle({}, connect(sandbox).pull(stream, last.cursor, ()))
    fault = sandbox.faults.add("INTERNAL_ERROR", record=moved, path=PATHS[stream])
    assert settle({}, connect(sandbox, read_version=version).pull(stream, last.cursor, ())) == expected
    assert fault.seen == 2


@pytest.mark.parametrize("stream", PATHS, ids=str)
def test_where_the_error_lasts_the_pull_ends_with_it_and_the_next_one_misses_nothing(
    sandbox: HubSpotSandbox, connect: Connect, moved: str, stream: Stream
) -> None:
    [*_, last] = connect(sandbox).pull(stream, None, ())
    sandbox.clock.advance(timedelta(hours=2))
    sandbox.portal.update("deals", moved, {"dealstage": "contractsent"})
    expected = settle({}, connect(sandbox).pull(stream, last.cursor, ()))
    sandbox.faults.add("INTERNAL_ERROR", record=moved, path=PATHS[stream], message="not now", times=0)
    with pytest.raises(Busy, match=r"leaves records out of its answer about .*\(INTERNAL_ERROR: not now\)"):
        next(connect(sandbox).pull(stream, last.cursor, ()))
    sandbox.faults.clear()
    assert settle({}, connect(sandbox).pull(stream, last.cursor, ())) == expected


def test_a_record_that_cannot_be_read_back_is_not_taken_for_gone(
    sandbox: HubSpotSandbox, connector: HubSpotConnector
) -> None:
    first, second, third = sandbox.portal.ids("deals")[:3]
    sandbox.portal.archive("deals", third)
    sandbox.faults.add("INTERNAL_ERROR", record=first, path="batch/read", times=0)
    with pytest.raises(Busy):
        list(connector.read("opportunity", [first, second, third], ["amount"]))
    sandbox.faults.clear()
    told = dict(connector.read("opportunity", [first, second, third], ["amount"]))
    assert told.keys() == {first, second}
