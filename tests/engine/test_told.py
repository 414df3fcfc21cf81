"""What a person reads when a write-back does not go through: each of the ways, as it is printed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from pipelint.engine.run import push, run
from pipelint.engine.run_result import RunResult
from pipelint.engine.saved import save
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode
from pipelint.render.run import render
from pipelint.render.runs import render_undo

from .conftest import Acme

Snapshot = Callable[..., None]


def text(result: RunResult, *, dry_run: bool = False) -> str:
    return render(result, "text", dry_run=dry_run)


def ill(acme: Acme, count: int) -> None:
    for number in range(1, count + 1):
        acme.crm.deal(f"d{number}", amount=None)


def test_a_plan_over_the_number_of_changes(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 3)
    acme.settings("{mode: on, max_changes: 2}")
    snapshot(text(run(acme.project)), "run")
    snapshot(text(run(acme.project, dry_run=True), dry_run=True), "dry-run")
    acme.settings("{mode: preview, max_changes: 2}")
    snapshot(text(run(acme.project)), "preview")
    assert acme.crm.writes == []


def test_a_plan_over_the_share_of_records(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 24)
    run(acme.project)
    for number in range(1, 13):
        acme.crm.deal(f"d{number}", amount=Decimal(1))
    snapshot(text(run(acme.project)))
    assert len(acme.crm.writes) == 24


def test_a_plan_gone_stale(acme: Acme, tmp_path: Path, snapshot: Snapshot) -> None:
    acme.settings("{mode: preview}")
    ill(acme, 2)
    acme.run()
    planned = acme.push(dry_run=True).plan
    assert planned is not None
    save([planned], tmp_path / "plan.json")
    acme.crm.values["d1"] = {"pipelint_summary": "written by hand"}
    acme.settings("{mode: on}")
    result = push(acme.project, saved=tmp_path / "plan.json")
    assert result.exit_code is ExitCode.INCOMPLETE
    assert acme.crm.writes == []
    snapshot(text(result))


def test_a_record_that_the_crm_refuses(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 2)
    acme.crm.refuses = {"d1": "Deals under negotiation need an amount."}
    snapshot(text(run(acme.project)), "now")
    acme.crm.advance(days=1)
    snapshot(text(run(acme.project)), "still")


def test_a_locked_record_is_tried_again_in_the_next_run(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 2)
    acme.crm.locked = {"d1"}
    first = run(acme.project)
    snapshot(text(first))
    assert first.exit_code is ExitCode.INCOMPLETE
    acme.crm.locked.clear()
    assert run(acme.project).exit_code is ExitCode.OK
    assert [id_ for id_, _ in acme.crm.writes] == ["d2", "d1"]


def test_an_undo_over_a_locked_record_is_finished_by_another(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 2)
    first = run(acme.project).run
    acme.crm.locked = {"d1"}
    acme.crm.advance(minutes=1)
    snapshot(render_undo(undo(acme.project, first), "text", planned=False))
    acme.crm.locked.clear()
    acme.crm.advance(minutes=1)
    undo(acme.project, first)
    assert acme.crm.shows("d1") == acme.crm.shows("d2") == {}


def test_an_undo_over_a_record_that_was_edited_by_hand(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 2)
    first = run(acme.project).run
    acme.crm.values["d1"]["pipelint_summary"] = "call them before Friday"
    acme.crm.advance(hours=1)
    snapshot(render_undo(undo(acme.project, first, dry_run=True), "text", planned=True), "planned")
    snapshot(render_undo(undo(acme.project, first), "text", planned=False), "done")
    acme.crm.advance(minutes=15)
    snapshot(text(run(acme.project)), "next-run")
    assert acme.crm.shows("d1") == {"pipelint_summary": "call them before Friday"}


def test_a_connection_that_cannot_be_reached(acme: Acme, snapshot: Snapshot) -> None:
    acme.crm.offline = True
    snapshot(text(run(acme.project)))
