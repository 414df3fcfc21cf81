"""Asked to end: the step under way is finished, the next is not begun, and the next run continues."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelint.connectors.base import Change, Outcome
from pipelint.engine.project import open_project
from pipelint.engine.run import push, run
from pipelint.engine.run_result import ConnectionResult
from pipelint.engine.runs import runs
from pipelint.engine.stopping import Stopping
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode, StopRequested

from .conftest import Acme
from .fake_crm import FakeConnector


class Counting(Stopping):
    """Asked to end at one of the looks, counted from 1."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks == self.at:
            self.ask()
        super().check()


def stopped_run(acme: Acme, stopping: Stopping) -> ConnectionResult:
    return acme.whole(run(open_project(acme.folder, clock=acme.crm.clock, stopping=stopping)))


def ill(acme: Acme) -> list[str]:
    ids = [f"d{number}" for number in range(1, 8)]
    for id_ in ids:
        acme.crm.deal(id_, amount=None)
    return ids


def looks_of_a_run(acme: Acme) -> int:
    never = Counting(at=0)
    stopped_run(acme, never)
    return never.looks


def test_wherever_it_is_asked_to_end_the_next_run_ends_in_the_same_state(acme: Acme) -> None:
    looks = looks_of_a_run(acme)
    assert looks > 8
    ids = ill(acme)
    for at in range(1, looks + 1):
        result = stopped_run(acme, Counting(at))
        assert isinstance(result.stopped_by, StopRequested)
        assert result.exit_code is ExitCode.OK
    acme.run()
    assert sorted(id_ for id_, _ in acme.crm.writes) == ids
    assert {acme.crm.shows(id_)["pipelint_severity"] for id_ in ids} == {"error"}
    with acme.project.cache() as cache:
        outcomes = Counter(row.outcome for row in runs(cache, limit=100))
    assert outcomes == {"ok": 2, "stopped": looks}


def test_a_batch_under_way_is_finished_and_confirmed(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    ill(acme)
    acme.run(dry_run=True)
    stopping = Stopping()
    write = FakeConnector.one

    def asked_while_writing(connector: FakeConnector, change: Change) -> Outcome:
        stopping.ask()
        return write(connector, change)

    monkeypatch.setattr(FakeConnector, "one", asked_while_writing)
    project = open_project(acme.folder, clock=acme.crm.clock, stopping=stopping)
    result = acme.whole(push(project))
    assert result.push is not None
    assert result.push.written == len(acme.crm.writes) == acme.crm.batch
    assert {row[-1] for row in acme.journal()} == {"written"}


def test_an_undo_that_is_asked_to_end_is_finished_by_another(acme: Acme) -> None:
    ids = ill(acme)
    first = run(acme.project).run
    for at in range(1, 5):
        acme.crm.advance(minutes=1)
        stopping = Counting(at)
        undo(open_project(acme.folder, clock=acme.crm.clock, stopping=stopping), first)
    acme.crm.advance(minutes=1)
    undo(acme.project, first)
    assert [acme.crm.shows(id_) for id_ in ids] == [{}] * len(ids)
    assert len(acme.crm.writes) == 2 * len(ids)
