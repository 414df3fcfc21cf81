"""Whatever goes wrong between Pipedrive and us, the end is that of a day without faults, and nothing is written twice.

Each case runs the whole job, as a schedule would, until it ends well. What counts is what the cache and the CRM
hold then, and how often each deal was written.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from pipelint.connectors import http
from pipelint.connectors.pipedrive import client
from pipelint.engine.project import open_project
from pipelint.engine.provision import setup
from pipelint.engine.run import run
from pipelint.engine.runs import runs
from pipelint.engine.stopping import Stopping
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.schema import DEALS as DEAL_TABLE

from .day import Outcome
from .pipedrive_day import OURS, PipedriveDay, count_writes, project_in

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAGE = 10
DEALS = 24


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deals with a company and two people each: late ones, ones without an amount, and healthy ones."""
    folder = tmp_path_factory.mktemp("matrix")
    with (
        PipedriveSandbox(size=0, now=NOW - timedelta(days=2)) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(Stopping, "sleep", lambda self, seconds: None)
        make = sandbox.company.create
        companies = [make("organizations", {"name": f"Company {n}"})["id"] for n in range(3)]
        people = [make("persons", {"name": f"Ute {n}", "org_id": companies[n % 3]})["id"] for n in range(4)]
        for n in range(DEALS):
            late = n % 3 == 0
            deal = make(
                "deals",
                {
                    "title": f"Deal {n}",
                    "expected_close_date": "2026-11-01" if late else "2027-01-31",
                    "org_id": companies[n % 3],
                    "person_id": people[0],
                    **({} if n % 4 == 1 else {"value": 1000 + n}),
                },
            )["id"]
            if n < 4:
                for person in people[:2]:
                    sandbox.company.add_participant(deal, person)
            make("activities", {"subject": "Hello", "deal_id": deal, "due_date": "2026-12-01"})
        project_in(folder, sandbox)
        list(setup(open_project(folder, clock=sandbox.clock.now), apply=True))
        sandbox.save(folder / "company.db")
    return folder / "company.db"


Begin = Callable[..., PipedriveDay]


@pytest.fixture
def begin(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Opens the company in the morning, with small pages; `app`: as an app with short-lived tokens."""
    monkeypatch.setattr(Stopping, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(client, "PAGE_ROWS", PAGE)
    opened: list[PipedriveSandbox] = []

    def begin(*, app: bool = False) -> PipedriveDay:
        sandbox = PipedriveSandbox(state=saved, now=NOW, plan="growth")
        opened.append(sandbox)
        sandbox.start()
        folder = tmp_path / f"day{len(opened)}"
        folder.mkdir()
        project_in(folder, sandbox, app=app)
        day = PipedriveDay(sandbox, folder)
        count_writes(day, monkeypatch)
        return day

    yield begin
    for sandbox in opened:
        sandbox.stop()


@pytest.fixture(scope="module")
def ends() -> list[Outcome]:
    """The end without faults: found once."""
    return []


@pytest.fixture
def expected(begin: Begin, ends: list[Outcome]) -> Outcome:
    """The end of a day without faults."""
    if not ends:
        day = begin()
        day.run_until_well()
        assert len(day.results) == 1
        assert set(day.writes.values()) == {1}
        ends.append(day.outcome())
        assert sum(bool(row["Pipelint flags"]) for row in ends[0].crm.values()) > DEALS // 3
        assert len(ends[0].cache["contact_role"]) == DEALS + 4
    return ends[0]


Script = Mapping[str, Any]
FAULTS: Mapping[str, Script] = {
    "dropped before": {"effect": "drop"},
    "dropped after": {"effect": "drop_after"},
    "truncated body": {"effect": "truncate"},
    "malformed answer": {"effect": "malformed"},
    "HTML error page": {"effect": "html"},
    "null": {"effect": "NULL"},
    "success: false": {"effect": "NOT_SUCCESS"},
    "token revoked": {"effect": "UNAUTHORIZED", "times": 0},
    "not paid": {"effect": "PAYMENT_REQUIRED", "times": 0},
    "no right": {"effect": "FORBIDDEN", "times": 0},
    "limit of two seconds": {"effect": "OVER_BURST", "times": 3},
    "limit of the day": {"effect": "OVER_BUDGET", "times": 0},
    "blocked": {"effect": "BLOCKED", "times": 0},
    "server error": {"effect": "INTERNAL"},
    "bad gateway": {"effect": "BAD_GATEWAY"},
    "server away": {"effect": "UNAVAILABLE", "times": 2},
    "server away for long": {"effect": "UNAVAILABLE", "times": 0},
}
STEPS = {
    "the list of deals": ("GET", r"/deals\?.*cursor="),
    "the archive": ("GET", "/deals/archived"),
    "participants": ("GET", "/participants"),
    "activities": ("GET", r"/activities\?.*cursor="),
    "reading back": ("GET", r"/deals\?.*ids="),
    "write": ("PATCH", "/deals/"),
}
LATE = 0.8
"""Seconds that a late answer takes, twice as long as we then wait."""
SHARE = 6
"""One in so many cases is quick to run: every fault and every step is among them."""


def at_every_step(named: Mapping[str, Any]) -> list[Any]:
    """Each of these with each step; most of the cases are slow ones."""
    return [
        pytest.param(
            step,
            each,
            id=f"{name} at {called}",
            marks=() if (place + number) % SHARE == 0 else pytest.mark.slow,
        )
        for number, (name, each) in enumerate(named.items())
        for place, (called, step) in enumerate(STEPS.items())
    ]


@pytest.mark.parametrize(("step", "fault"), at_every_step(FAULTS))
def test_a_fault_leaves_no_trace(
    begin: Begin, expected: Outcome, step: tuple[str, str], fault: Script
) -> None:
    day = begin()
    scripted = day.sandbox.faults.add(**{**fault, "method": step[0], "path": step[1]})
    day.ends_well(expected)
    assert scripted.seen, "the fault was met"


@pytest.mark.parametrize(("step", "seconds"), at_every_step({"late": LATE}))
def test_an_answer_that_comes_too_late_leaves_no_trace(
    begin: Begin, expected: Outcome, monkeypatch: pytest.MonkeyPatch, step: tuple[str, str], seconds: float
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", seconds / 2)
    day = begin()
    scripted = day.sandbox.faults.add("late", method=step[0], path=step[1], seconds=seconds)
    day.ends_well(expected)
    assert scripted.seen


@pytest.mark.parametrize(("step", "place"), at_every_step({"redirected": "https://evil.example/"}))
def test_a_redirect_to_another_host_is_not_followed_and_leaves_no_trace(
    begin: Begin, expected: Outcome, step: tuple[str, str], place: str
) -> None:
    day = begin()
    day.redirect(step, place)
    day.ends_well(expected)
    [first, *_] = day.results
    assert "redirects to evil.example, which is not followed" in str(first.stopped_by)


def test_a_write_that_is_redirected_is_not_taken_for_done(begin: Begin, expected: Outcome) -> None:
    day = begin()
    day.redirect(STEPS["write"], "/api/v2/stages")
    day.ends_well(expected)
    assert "HTTP 302" in str(day.results[0].stopped_by)


def test_after_the_first_page_of_a_block_no_call_is_made(begin: Begin, expected: Outcome) -> None:
    day = begin()
    blocked = day.sandbox.faults.add("BLOCKED", path=STEPS["participants"][1], times=0)
    result = day.run()
    assert "blocks calls from here" in str(result.error)
    assert blocked.seen == 1
    assert day.sandbox.requests[-1].status == 403, "the last call of all"
    day.sandbox.faults.clear()
    day.ends_well(expected)


def test_a_day_without_tokens_is_over_at_once_and_the_next_one_goes_on(
    begin: Begin, expected: Outcome
) -> None:
    day = begin()
    day.meet(STEPS["write"], lambda: day.sandbox.limits.consume(day.sandbox.limits.left))
    result = day.run()
    assert result.push is not None
    assert "by all integrations together" in str(result.push.error)
    assert [it.status for it in day.sandbox.requests].count(429) == 1, "it is not asked again"
    day.sandbox.clock.advance(timedelta(days=1))
    day.run_until_well()
    assert day.crm() == expected.crm
    assert set(day.writes.values()) == {1}


SIGN_INS: Mapping[str, Script] = {
    "renewed": {"effect": "delay"},
    "renewed after an answer was lost": {"effect": "drop_after"},
    "renewed by an answer that is cut": {"effect": "malformed"},
    "not renewed for long": {"effect": "UNAVAILABLE", "times": 0},
    "refused": {"effect": "respond", "status": 400, "body": '{"error": "invalid_grant"}', "times": 0},
}


@pytest.mark.parametrize(("step", "fault"), at_every_step(SIGN_INS))
def test_an_access_token_that_ends_on_the_way_leaves_no_trace(
    begin: Begin, expected: Outcome, step: tuple[str, str], fault: Script
) -> None:
    day = begin(app=True)

    def end() -> None:
        day.sandbox.faults.add(**{**fault, "path": "/oauth/token"})
        day.sandbox.expire_access_tokens()

    day.meet(step, end)
    day.ends_well(expected)
    assert 401 in {request.status for request in day.sandbox.requests}


def test_a_refresh_token_that_is_refused_is_told_once_and_nothing_is_lost(
    begin: Begin, expected: Outcome
) -> None:
    day = begin(app=True)
    refused = day.sandbox.faults.add(**SIGN_INS["refused"], path="/oauth/token")
    first = day.run()
    assert first.exit_code is ExitCode.UNREACHABLE
    assert "invalid_grant" in str(first.error)
    assert refused.seen == 1, "credentials that are refused are not tried again"
    day.sandbox.faults.clear()
    day.ends_well(expected)


def test_a_refusal_concerns_its_deal_alone(begin: Begin, expected: Outcome) -> None:
    day = begin()
    refused = day.deals[0]
    day.sandbox.faults.add("REQUIRED", record=refused, message="Source is required", status=400, times=0)
    result = day.run()
    assert result.push is not None
    assert [it.id for it in result.push.refused] == [refused]
    assert "Source is required" in result.push.refused[0].message
    crm = {**expected.crm, refused: dict.fromkeys(OURS)}
    assert day.outcome() == Outcome(crm, expected.cache)
    assert refused not in day.writes
    assert set(day.writes.values()) == {1}
    day.run()
    assert set(day.writes.values()) == {1}


GOING: Mapping[str, Callable[[Company, int], Any]] = {
    "deleted": lambda company, deal: company.delete("deals", deal),
    "archived": lambda company, deal: company.update("deals", deal, {"is_archived": True}),
    "merged into another": lambda company, deal: company.merge_deals(deal, 5),
}


@pytest.mark.parametrize("step", ["reading back", "write"])
@pytest.mark.parametrize("going", GOING)
def test_a_deal_that_goes_between_pull_and_write_holds_up_no_other(
    begin: Begin, expected: Outcome, going: str, step: str
) -> None:
    day = begin()
    gone = "22"  # flagged, and neither the first nor the last that is written
    day.meet(STEPS[step], partial(GOING[going], day.sandbox.company, int(gone)))
    first = day.run()
    assert first.push is not None
    assert first.push.error is None
    told = [(it.id, it.code) for it in first.push.refused]
    assert told == (
        [(gone, "ERR_DEAL_ARCHIVED" if step == "write" else "ARCHIVED")] if going == "archived" else []
    )
    day.run_until_well()
    day.run()
    others = {id_: row for id_, row in expected.crm.items() if id_ != gone}
    assert {id_: row for id_, row in day.crm().items() if id_ != gone} == others
    assert gone not in day.writes
    assert set(day.writes.values()) == {1}
    held = {row[1] for row in day.outcome().cache["opportunity"]}
    assert (gone in held) == (going == "archived")


def test_an_archived_deal_costs_no_call_and_is_told_with_the_reason(begin: Begin) -> None:
    day = begin()
    day.sandbox.company.update("deals", 22, {"is_archived": True})
    result = day.run()
    assert result.push is not None
    [refused] = result.push.refused
    assert "archived deals cannot be edited" in refused.message
    assert not day.asked("PATCH", "/deals/22$")
    assert result.exit_code is ExitCode.OK, "it is left alone on purpose"


@pytest.mark.parametrize("lost", ["an option", "a field"])
def test_what_an_admin_deletes_during_a_run_stops_no_other_field(
    begin: Begin, expected: Outcome, lost: str
) -> None:
    """The fields are asked for once a day; the first refusal looks again, and the next run goes by what is there."""
    day = begin()
    fields = day.sandbox.company.fields
    code = fields.by_name("deals", "Pipelint flags")["field_code"]

    def delete() -> None:
        if lost == "a field":
            fields.delete("deals", code)
            return
        [option] = [it for it in fields.get("deals", code)["options"] if it["label"] == "amount-missing"]
        fields.delete_options("deals", code, [{"id": option["id"]}])

    day.meet(STEPS["write"], delete)
    first = day.run()
    assert first.push is not None
    assert all("pipelint setup --apply" in it.message for it in first.push.refused)
    assert [it.status for it in day.sandbox.requests].count(400) == 1, "one refusal tells enough"
    second = day.run()
    assert second.push is not None
    assert not second.push.refused
    assert second.plan is not None
    assert any("Pipelint flags" in it for it in second.plan.trouble)
    list(setup(day.project, apply=True))
    day.run_until_well()
    assert day.crm() == expected.crm


@pytest.mark.parametrize("done", [True, False], ids=["which Pipedrive did", "which Pipedrive never saw"])
def test_a_process_that_is_killed_at_a_write_is_continued_and_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    with PipedriveSandbox(size=0, burst=0) as sandbox:
        for n in range(6):
            sandbox.company.create("deals", {"title": f"Deal {n}"})
        project_in(tmp_path, sandbox)
        list(setup(open_project(tmp_path), apply=True))
        day = PipedriveDay(sandbox, tmp_path)
        count_writes(day, monkeypatch)
        control: Any = sandbox._control
        work = control._work
        over = threading.Event()

        def die(request: Request) -> Response:
            if request.method != "PATCH" or over.is_set() or sum(day.writes.values()) < 2:
                return work(request)  # type: ignore[no-any-return]
            response = work(request) if done else Response()
            process.kill()
            over.set()
            return response

        monkeypatch.setattr(control, "_work", die)
        process = subprocess.Popen([sys.executable, "-m", "pipelint", "--project", str(tmp_path), "run"])
        assert over.wait(30)
        process.wait()
        assert sum(day.writes.values()) == 2 + done
        run(open_project(tmp_path))
        assert {row["Pipelint severity"] for row in day.crm().values()} == {"error"}
        assert set(day.writes.values()) == {1}, "nothing is written twice"
        with open_project(tmp_path).cache() as cache:
            killed = runs(cache)[-1].id
        undo(open_project(tmp_path), killed)
        assert sum(row["Pipelint severity"] is None for row in day.crm().values()) == 2 + done


def test_an_undo_that_runs_out_of_tokens_is_finished_by_another_the_next_day(begin: Begin) -> None:
    day = begin()
    day.run()
    with day.project.cache() as cache:
        written = runs(cache)[0].id
    day.meet(STEPS["write"], lambda: day.sandbox.limits.consume(day.sandbox.limits.left - 12))
    stopped = undo(day.project, written).connections["acme"]
    assert "by all integrations together" in str(stopped.stopped_by)
    assert 0 < sum(row["Pipelint severity"] is not None for row in day.crm().values()) < len(day.writes)
    day.sandbox.clock.advance(timedelta(days=1))
    assert undo(day.project, written).exit_code is ExitCode.OK
    assert all(row == dict.fromkeys(OURS) for row in day.crm().values())


def test_a_field_of_ours_that_is_renamed_is_written_and_taken_back_as_before(begin: Begin) -> None:
    day = begin()
    day.run()
    with day.project.cache() as cache:
        first = runs(cache)[0].id
    fields = day.sandbox.company.fields
    code = fields.by_name("deals", "Pipelint hygiene")["field_code"]
    fields.change("deals", code, {"field_name": "How clean it is"})
    day.sandbox.clock.advance(timedelta(days=1))
    day.sandbox.company.update("deals", 2, {"value": 700})
    result = day.run()
    assert result.plan is not None
    assert result.plan.trouble == []
    assert day.sandbox.company.get(DEAL_TABLE, 2)["custom_fields"][code] == 100
    undone = undo(day.project, first).connections["acme"]
    assert {it.id for it in undone.skipped} == {"2"}, "which was written again since"
