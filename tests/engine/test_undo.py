"""Taking a run back, the hold after it, and plans that are kept in a file."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.run import push, run
from pipelint.engine.runs import find_run, runs, written_by
from pipelint.engine.saved import load, save
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode, PlanStale, UsageError
from pipelint.render.run import render
from pipelint.render.runs import render_runs, render_undo

from .conftest import Acme
from .fake_crm import Killed


def ill(acme: Acme, *ids: str) -> str:
    """Make deals ill and run; the run's id."""
    for id_ in ids:
        acme.crm.deal(id_, amount=None)
    return run(acme.project).run


def test_undo_shows_first_and_then_restores(acme: Acme) -> None:
    first = ill(acme, "d1", "d2")
    shown = undo(acme.project, first, dry_run=True)
    assert len(shown.connections["acme"].plan.records) == 2
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"
    acme.crm.advance(minutes=1)
    done = undo(acme.project, first)
    assert done.exit_code is ExitCode.OK
    assert acme.crm.shows("d1") == acme.crm.shows("d2") == {}


def test_undo_leaves_what_somebody_edited(acme: Acme) -> None:
    first = ill(acme, "d1", "d2")
    acme.crm.values["d1"]["pipelint_summary"] = "written by hand"
    acme.crm.delete("d2")
    done = undo(acme.project, first).connections["acme"]
    assert acme.crm.shows("d1") == {"pipelint_summary": "written by hand"}
    whys = {(each.id, each.why) for each in done.skipped}
    assert whys == {("d1", "the value has changed since"), ("d2", "the record is gone")}


def test_undo_names_the_later_run_that_wrote_a_value(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.advance(minutes=15)
    acme.crm.deal("d1", amount=None, next_step="")
    second = run(acme.project).run
    told = {each.why for each in undo(acme.project, first, dry_run=True).connections["acme"].skipped}
    assert told == {f"run {second} has written it since"}


def test_undo_writes_in_preview_but_not_where_writing_is_off(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.settings("{mode: preview}")
    file = acme.folder / "pipelint.yaml"
    preview = file.read_text(encoding="utf-8")
    file.write_text(preview.replace("{crm: fake}", "{crm: fake, write_back: off}"), encoding="utf-8")
    refused = undo(acme.project, first).connections["acme"]
    assert isinstance(refused.error, UsageError)
    assert len(acme.crm.writes) == 1
    file.write_text(preview, encoding="utf-8")
    undo(acme.project, first)
    assert acme.crm.shows("d1") == {}


def test_a_record_that_is_gone_is_told_once(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.delete("d1")
    told = render_undo(undo(acme.project, first, dry_run=True), "text", planned=True)
    assert (
        told
        == "acme: nothing left to restore, 6 values left alone\n  left alone opportunity/d1: the record is gone"
    )


def test_undo_holds_the_connection_until_resumed(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.advance(minutes=1)
    undone = undo(acme.project, first)
    count = len(acme.crm.writes)
    acme.crm.advance(minutes=15)
    held = acme.run()
    assert (held.held_by, held.push, len(acme.crm.writes)) == (undone.run, None, count)
    assert held.plan is not None
    assert len(held.plan.records) == 1
    resumed = push(acme.project, resume=True).connections["acme"]
    assert resumed.push is not None
    assert resumed.push.written == 1
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"
    assert acme.run().held_by is None


def test_a_held_connection_says_so_and_not_that_it_is_in_preview(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.advance(minutes=1)
    undone = undo(acme.project, first)
    told = render(run(acme.project), "text", dry_run=False)
    assert f"held since the undo {undone.run}" in told
    assert "1 record will be written after pipelint push --resume" in told
    assert "preview" not in told


def test_a_second_undo_restores_nothing_and_holds_nothing(acme: Acme) -> None:
    first = ill(acme, "d1")
    undo(acme.project, first)
    push(acme.project, resume=True)
    acme.crm.values["d1"] = {}
    second = undo(acme.project, first)
    told = render_undo(second, "text", planned=False)
    assert told.startswith("acme: nothing left to restore, 6 values left alone\n")
    assert "left alone opportunity/d1 pipelint_flags, pipelint_severity, " in told
    assert "--resume" not in told
    assert acme.run().held_by is None


def test_undo_as_json_holds_every_value(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.values["d1"]["pipelint_summary"] = "written by hand"
    document = json.loads(render_undo(undo(acme.project, first), "json", planned=False))
    told = document["connections"]["acme"]
    manual = (Path(__file__).parents[2] / "docs" / "exit-codes-and-json.md").read_text(encoding="utf-8")
    section = manual.partition("### pipelint.undo/1")[2].partition("\n### ")[0]
    assert all(f"`{key}`" in section for key in [*document, *told] if key != "schema")
    assert (told["planned"], told["written"], told["skipped"], told["refused"]) == (1, 1, 1, [])
    assert {change["field"]: change["new"] for change in told["changes"]}["pipelint_severity"] is None
    assert told["left_alone"] == [
        {
            "kind": "opportunity",
            "id": "d1",
            "field": "pipelint_summary",
            "why": "the value has changed since",
        }
    ]


def test_undo_can_be_undone(acme: Acme) -> None:
    first = ill(acme, "d1")
    before = acme.crm.shows("d1")
    acme.crm.advance(minutes=1)
    second = undo(acme.project, first).run
    acme.crm.advance(minutes=1)
    undo(acme.project, second)
    assert acme.crm.shows("d1") == before


def test_what_an_undo_brings_back_is_kept_when_its_field_is_lost(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.advance(minutes=1)
    second = undo(acme.project, first).run
    acme.crm.advance(minutes=1)
    undo(acme.project, second)
    before = acme.crm.shows("d1")
    push(acme.project, resume=True)
    acme.crm.withheld = {"amount"}
    acme.crm.advance(minutes=15)
    acme.run()
    assert acme.crm.shows("d1") == before


@pytest.mark.parametrize("kill_at", range(2, 4))
def test_undo_that_was_killed_is_finished_by_another(acme: Acme, kill_at: int) -> None:
    first = ill(acme, "d1", "d2")
    acme.crm.kill_at = kill_at
    with pytest.raises(Killed):
        undo(acme.project, first)
    acme.crm.kill_at = None
    acme.crm.advance(minutes=1)
    undo(acme.project, first)
    assert acme.crm.shows("d1") == acme.crm.shows("d2") == {}
    assert len(acme.crm.writes) == 4
    assert acme.run().push is None, "it is held"


def test_what_a_killed_undo_took_back_is_written_again_when_the_hold_is_lifted(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.kill_at = len(acme.crm.writes)
    with pytest.raises(Killed):
        undo(acme.project, first)
    acme.crm.kill_at = None
    assert acme.crm.shows("d1") == {}
    assert acme.run().held_by is not None, "this run learns what the record shows now, and may not write"
    push(acme.project, resume=True)
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"


def test_undo_of_an_unknown_run(acme: Acme) -> None:
    first = ill(acme, "d1")
    with pytest.raises(UsageError, match="there is no run") as error:
        undo(acme.project, first + "x")
    assert first in error.value.hint


def test_runs_tell_what_happened(acme: Acme) -> None:
    first = ill(acme, "d1")
    acme.crm.advance(minutes=1)
    second = undo(acme.project, first).run
    with acme.project.cache() as cache:
        assert [row.id for row in runs(cache)] == [second, first]
        row = find_run(cache, first)
        lines = written_by(cache, first)
    assert row.summary["connections"]["acme"]["written"] == 1
    assert {line.field: line.new for line in lines}["pipelint_flags"] == ["amount-missing"]
    assert {line.status for line in lines} == {"written"}


def test_runs_show_what_went_wrong(acme: Acme) -> None:
    ill(acme)
    acme.crm.advance(minutes=1)
    acme.crm.kill_at = 3
    with pytest.raises(Killed):
        ill(acme, "d1", "d2", "d3", "d4", "d5", "d6")
    acme.crm.kill_at = None
    with acme.project.cache() as cache:
        newest = runs(cache)
        assert "unfinished" in render_runs(newest, "text", color=False)
    acme.crm.advance(minutes=1)
    acme.crm.refuses["d7"] = "No."
    ill(acme, "d7")
    acme.crm.advance(minutes=1)
    ill(acme)
    acme.crm.advance(minutes=1)
    acme.crm.offline = True
    ill(acme)
    acme.crm.offline = False
    acme.crm.advance(minutes=1)
    with acme.project.cache() as cache:
        undo(acme.project, runs(cache)[2].id)
    acme.crm.advance(minutes=1)
    ill(acme)
    with acme.project.cache() as cache:
        rows = runs(cache)
    assert [(row.outcome, row.written) for row in reversed(rows)] == [
        ("ok", 0),
        ("killed", 4),  # the last of them was read back by the next run
        ("refused 1", 2),
        ("ok", 0),
        ("stopped", 0),
        ("ok", 2),
        ("held", 0),
    ]
    told = render_runs(rows, "text", color=False).splitlines()
    assert told[0].split()[:3] == ["run", "mode", "outcome"]
    assert [row["outcome"] for row in json.loads(render_runs(rows, "json", color=False))["runs"]] == [
        row.outcome for row in rows
    ]


def planned(acme: Acme, path: Path) -> None:
    plan = acme.push(dry_run=True).plan
    assert plan is not None
    save([plan], path)


def test_saved_plan_is_written_as_it_was(acme: Acme, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    acme.settings("{mode: preview}")
    ill(acme, "d1")
    planned(acme, path)
    assert json.loads(path.read_text())["schema"] == "pipelint.plan/1"
    assert path.stat().st_mode & 0o077 == 0
    acme.settings("{mode: on}")
    result = push(acme.project, saved=path).connections["acme"]
    assert result.push is not None
    assert result.push.written == 1
    [(_, fields)] = load(path).items()
    assert set(fields) == set(acme.crm.shows("d1"))


def test_saved_plan_leaves_other_records_alone(acme: Acme, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    acme.settings("{mode: preview}")
    ill(acme, "d1")
    planned(acme, path)
    ill(acme, "d2")
    acme.settings("{mode: on}")
    push(acme.project, saved=path)
    assert [id_ for id_, _ in acme.crm.writes] == ["d1"]


def test_stale_plan_is_refused_whole(acme: Acme, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    acme.settings("{mode: preview}")
    ill(acme, "d1", "d2")
    planned(acme, path)
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    acme.settings("{mode: on}")
    result = push(acme.project, saved=path).connections["acme"]
    assert isinstance(result.error, PlanStale)
    assert result.error.message == (
        "1 of the 2 records of the saved plan have moved since (d1); nothing was written"
    )
    assert result.exit_code is ExitCode.INCOMPLETE
    assert acme.crm.writes == []


def test_what_is_no_plan_is_refused(acme: Acme, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        push(acme.project, saved=tmp_path / "nowhere.json")
    (tmp_path / "odd.json").write_text("{}")
    with pytest.raises(UsageError, match="is no saved plan"):
        push(acme.project, saved=tmp_path / "odd.json")
