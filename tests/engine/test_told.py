"""What a person reads when a write-back does not go through: each of the ways, as it is printed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.project import open_project
from pipelint.engine.run import push, run
from pipelint.engine.run_result import RunResult
from pipelint.engine.runs import find_run, last_run, written_by
from pipelint.engine.saved import save
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode, ProblemsFound, UsageError
from pipelint.render.run import render
from pipelint.render.runs import render_run, render_undo

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


def test_runs_show_tells_the_last_run_or_the_one_asked_for(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 3)
    acme.crm.refuses = {"d1": "Deals under negotiation need an amount."}
    acme.crm.locked = {"d2"}
    first = run(acme.project).run
    acme.crm.advance(days=1)
    acme.crm.locked.clear()
    undone = undo(acme.project, first).run
    acme.crm.advance(minutes=15)
    run(acme.project)
    with acme.project.cache() as cache:
        last = last_run(cache)
        for name, row in (
            ("first", find_run(cache, first)),
            ("undo", find_run(cache, undone)),
            ("last", last),
        ):
            snapshot(render_run(row, written_by(cache, row.id), "text"), name)


def test_before_the_first_run_there_is_none_to_show(acme: Acme) -> None:
    with acme.project.cache() as cache, pytest.raises(UsageError, match="no run has been recorded yet"):
        last_run(cache)


def test_a_pilot_says_how_far_it_reaches(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 2)
    acme.crm.deal("d3", pipeline="renewal", amount=None)
    acme.settings("{mode: on, first_push: {pipelines: [renewal]}}")
    snapshot(text(run(acme.project)))


def test_a_pilot_of_an_unknown_pipeline_is_a_mistake(acme: Acme) -> None:
    acme.settings("{mode: on, first_push: {pipelines: [renewl]}}")
    with pytest.raises(ProblemsFound) as error:
        open_project(acme.folder)
    [problem] = error.value.problems
    assert (str(problem.place), problem.what, problem.hint) == (
        "pipelint.yaml:3:49",
        "the rules have no pipeline 'renewl'",
        "did you mean 'renewal'?",
    )


def test_a_connection_that_may_not_be_written_to_says_so(acme: Acme, snapshot: Snapshot) -> None:
    ill(acme, 1)
    acme.settings("{mode: on}")
    file = acme.folder / "pipelint.yaml"
    file.write_text(file.read_text().replace("{crm: fake}", "{crm: fake, write_back: off}"))
    snapshot(text(run(acme.project)))
    assert acme.crm.writes == []


def test_a_connection_that_cannot_be_reached(acme: Acme, snapshot: Snapshot) -> None:
    acme.crm.offline = True
    snapshot(text(run(acme.project)))
