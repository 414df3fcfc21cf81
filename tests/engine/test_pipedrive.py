"""The whole job against the Pipedrive sandbox: within its share of tokens, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import pytest

from pipelint.connectors.pipedrive import client, endpoints
from pipelint.engine.commands import pull_all
from pipelint.engine.init import init
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import diagnose, setup
from pipelint.engine.rationed import Ration
from pipelint.engine.run import push, run
from pipelint.engine.run_result import ConnectionResult
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode, PermissionMissing, PipelintError, QuotaExhausted
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import DEALS
from tests.sandbox.pipedrive.openapi import Witness, needs_specs, operation

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
URGENCY = ("error", "warning", "info", "clean")


@dataclass
class Company:
    folder: Path
    sandbox: PipedriveSandbox
    spent: list[tuple[datetime, int]] = field(default_factory=list)
    """When, and the tokens that a run took, as the CRM counts them."""
    last: str = ""
    """The id of the last run."""

    @property
    def project(self) -> Project:
        return open_project(self.folder, clock=self.sandbox.clock.now)

    def settle(self, **settings: str) -> None:
        """Change lines of pipelint.yaml."""
        file = self.folder / "pipelint.yaml"
        text = file.read_text(encoding="utf-8")
        for key, value in settings.items():
            [line] = [line for line in text.splitlines() if line.strip().startswith(f"{key}:")]
            text = text.replace(line, f"{line[: len(line) - len(line.lstrip())]}{key}: {value}")
        file.write_text(text, encoding="utf-8")

    def run(self) -> ConnectionResult:
        left = self.sandbox.limits.left
        whole = run(self.project)
        self.last = whole.run
        self.spent.append((self.sandbox.clock.now(), left - self.sandbox.limits.left))
        return whole.connections["sales"]

    def severities(self, deals: Iterable[str]) -> list[str]:
        """What these deals show, those left out that show nothing."""
        field = self.sandbox.company.fields.by_name("deals", "Pipelint severity")
        labels = {option["id"]: option["label"] for option in field["options"]}
        held = [
            self.sandbox.company.get(DEALS, deal)["custom_fields"].get(field["field_code"]) for deal in deals
        ]
        return [labels[option] for option in held if option is not None]

    def deals(self) -> list[str]:
        """The ids of all deals."""
        return [str(deal["id"]) for deal in self.sandbox.company.store.select(DEALS)]

    def pull(self) -> PipelintError | None:
        """The error that ended the pull, if one did."""
        [result] = pull_all(self.project)
        return result.error

    def held(self, table: str) -> int:
        """How many records of a kind the cache holds."""
        with self.project.cache() as cache:
            [[count]] = cache.db.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(count)

    def there(self, table: str) -> int:
        """How many records of a kind the CRM holds."""
        [[count]] = self.sandbox.company.store.rows(f"SELECT count(*) FROM {table} WHERE NOT is_deleted")
        return int(count)

    def healthy(self) -> Iterator[str]:
        """The ids of the open deals that were made without a fault."""
        deals = map(self.sandbox.company.get, repeat(DEALS), self.sandbox.illnesses["healthy"])
        return (str(deal["id"]) for deal in deals if deal["status"] == "open")

    def written(self) -> list[str]:
        """The ids of the deals and leads that were written, in order."""
        return [
            request.path.rpartition("/")[2] for request in self.sandbox.requests if request.method == "PATCH"
        ]


def make_company(folder: Path, sandbox: PipedriveSandbox, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A project as `init` leaves it, in `mode: on`, whose stages were imported and whose fields were made."""
    from pipelint.engine.import_stages import propose, write

    monkeypatch.setenv("PIPEDRIVE_TOKEN", sandbox.token())
    init(folder, "pipedrive")
    company = Company(folder, sandbox)
    company.settle(base_url=sandbox.base_url, mode="on", max_changes="100000", max_share="100%")
    write(company.project, propose(company.project, "sales"))
    list(setup(company.project, apply=True))
    return company


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    with PipedriveSandbox(size=60, now=NOW) as sandbox:
        yield make_company(tmp_path, sandbox, monkeypatch)


def test_flags_reach_the_deals_and_a_second_run_writes_nothing(company: Company) -> None:
    first = company.run()
    assert first.exit_code == ExitCode.OK
    assert first.push is not None
    assert first.push.written > 0
    assert len(set(company.written())) == first.push.written
    assert first.ration is not None
    spent = company.sandbox.limits.by_operation
    writing = {operation: tokens for operation, tokens in spent.items() if operation.startswith("PATCH")}
    assert len(writing) == 2, "to deals and to leads, which cost more"
    assert first.ration.tokens == sum(writing.values()), "what the plan said"
    company.sandbox.clock.advance(timedelta(minutes=15))
    second = company.run()
    assert second.push is not None
    assert second.push.written == 0


def test_an_undo_takes_everything_back_and_a_resumed_push_writes_it_again(company: Company) -> None:
    company.run()
    shown = company.severities(company.deals())
    assert {"error", "clean"} <= set(shown)
    undone = undo(company.project, company.last).connections["sales"]
    assert (undone.skipped, company.severities(company.deals())) == ([], [])
    push(company.project, resume=True)
    assert company.severities(company.deals()) == shown


def test_a_field_of_ours_that_was_deleted_and_made_anew_is_filled_again(company: Company) -> None:
    company.run()
    shown = company.severities(company.deals())
    fields = company.sandbox.company.fields
    fields.delete("deals", fields.by_name("deals", "Pipelint severity")["field_code"])
    list(setup(company.project, apply=True))
    assert company.severities(company.deals()) == []
    company.run()
    assert company.severities(company.deals()) == shown


def test_our_own_writes_cause_no_further_calls(company: Company) -> None:
    company.run()
    company.sandbox.clock.advance(HOUR)
    company.run()  # sees its own writes
    company.sandbox.clock.advance(HOUR)
    company.run()
    (_, echo), (_, quiet) = company.spent[-2:]
    assert quiet <= 120
    assert echo - quiet <= 10  # the names of the companies of the leads that were written


def test_deals_that_met_a_right_that_was_missing_altogether_are_written_once_it_is_there(
    company: Company,
) -> None:
    company.sandbox.faults.add_json({"effect": "FORBIDDEN", "method": "PATCH", "path": "/deals/", "times": 0})
    done = company.run()
    assert done.push is not None
    assert isinstance(done.push.error, PermissionMissing)
    assert done.push.refused == []
    company.sandbox.faults.clear()
    company.sandbox.clock.advance(HOUR)
    done = company.run()
    assert done.push is not None
    assert done.push.refused == []
    company.sandbox.clock.advance(HOUR)
    done = company.run()
    assert done.push is not None
    assert done.push.written == 0


def test_leads_that_may_not_be_written_keep_nothing_from_the_deals(company: Company) -> None:
    company.sandbox.faults.add_json(
        {"effect": "SCOPE_MISMATCH", "method": "PATCH", "path": "/leads/", "times": 0}
    )
    done = company.run()
    assert done.push is not None
    assert isinstance(done.push.error, PermissionMissing)
    written = company.written()
    company.sandbox.faults.clear()
    company.sandbox.clock.advance(HOUR)
    company.run()
    rest = company.written()[len(written) :]
    assert sum(not id_.isdecimal() for id_ in written) == 1  # and none after the first that was refused
    assert len(written) > 1
    assert rest
    assert not any(id_.isdecimal() for id_ in rest)


RULE = """\
pipelint: 1
rules:
  deal-too-small:
    {title: Too small, flag_when: {amount: {less_than: 100}}, severity: info, message: Small., fix: Raise it.}
"""


@needs_specs
def test_all_that_is_asked_and_answered_in_a_whole_job_is_as_the_specification_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PipedriveSandbox(size=30, now=NOW) as sandbox, Witness(sandbox) as witness:
        company = make_company(tmp_path, sandbox, monkeypatch)
        assert not [it for _, it in diagnose(company.project) if it.level == "problem"]
        first = company.run()
        (tmp_path / "rules" / "small.yaml").write_text(RULE, encoding="utf-8")
        list(setup(company.project, apply=True))
        colleagues(sandbox)
        company.settle(daily_tokens="30000\n    protect_rotting: yes\n    role_field: Role")
        second = company.run()
        assert first.push is not None
        assert second.push is not None
        assert min(first.push.written, second.push.written) > 0
        sandbox.clock.advance(timedelta(hours=25))
        undo(company.project, company.last)
    assert witness.problems == []
    assert witness.met == {operation(it.method, it.path).name for it in endpoints.ALL}


def colleagues(sandbox: PipedriveSandbox) -> None:
    """What happens to deals in a day: new, moved, spoilt, won, archived, deleted and merged."""
    sandbox.clock.advance(timedelta(hours=20))
    company = sandbox.company
    open_deals = [it["id"] for it in company.store.select(DEALS, "status = 'open' AND NOT is_archived")]
    new = company.create("deals", {"title": "Smallest", "value": 5, "person_id": 1})["id"]
    company.add_participant(new, 2)
    changes: list[Mapping[str, object]] = [
        {"stage_id": 3},
        {"value": None},
        {"expected_close_date": "2026-01-01"},
        {"status": "won"},
        {"is_archived": True},
    ]
    for deal, change in zip(open_deals, changes, strict=False):
        company.update("deals", deal, change)
    company.delete("deals", open_deals[-1])
    company.merge_deals(open_deals[-2], open_deals[-3])


def test_the_share_is_never_exceeded_and_all_is_written_over_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PipedriveSandbox(size=120, now=NOW) as sandbox:
        company = make_company(tmp_path, sandbox, monkeypatch)
        company.settle(share="4%")
        a_week(company, hours=28)


def test_a_pull_that_takes_more_than_a_day_has_goes_on_the_next_day_where_it_stopped(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE_ROWS", 10)
    company.settle(share="1.5%")  # 450 tokens, and the activities alone take more
    errors: list[type[PipelintError]] = []
    while (error := company.pull()) is not None and len(errors) < 10:
        errors.append(type(error))
        company.sandbox.clock.advance(timedelta(hours=25))
    assert {*errors} == {QuotaExhausted}
    assert 3 <= len(errors) < 10
    asked = [it.query for it in company.sandbox.requests if it.path == endpoints.ACTIVITIES.path]
    assert len(asked) == len(set(asked)), "no page is asked for twice"
    assert company.held("activity WHERE direction IS NULL") == company.there("activities")
    assert company.held("contact") == company.there("persons")


def test_a_list_whose_mark_is_not_known_any_more_begins_anew(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE_ROWS", 10)
    company.settle(share="1%")
    assert company.pull() is not None
    stopped_at = company.sandbox.requests[-1].path
    company.settle(share="100%")
    company.sandbox.clock.advance(timedelta(hours=25))
    fault = company.sandbox.faults.add(
        "error", code="ERR_SCHEMA_VALIDATION_FAILED", status=400, path=f"{stopped_at}.*cursor="
    )
    assert company.pull() is None
    assert fault.seen > 0
    for kind, table in {"contact": "persons", "account": "organizations"}.items():
        assert company.held(kind) == company.there(table)


@pytest.mark.slow
def test_five_thousand_deals_hourly_for_a_week_on_the_smallest_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PipedriveSandbox(size=5000, now=NOW) as sandbox:
        a_week(make_company(tmp_path, sandbox, monkeypatch), hours=1)


def a_week(company: Company, *, hours: int) -> None:
    """A run every few hours for a week; once all is written, a colleague spoils a healthy deal now and then.

    The share is never exceeded over any 24 hours. The first full write-back begins with the errors, and ends
    within about the days that it announces; after it every run writes all it has to, so that every new error
    reaches the CRM with the next run.
    """
    settings = company.project.settings["sales"]
    share = settings.daily_tokens * settings.share  # type: ignore[attr-defined]  # of a Pipedrive connection
    unspoilt = company.healthy()
    rations: list[Ration] = []
    spoilt: list[str] = []
    for number in range(7 * 24 // hours):
        complete = any(not ration.carried for ration in rations)
        if complete and number % 2 == 0:
            spoilt.append(next(unspoilt))
            bad = {"value": None, "expected_close_date": "2026-01-01"}
            company.sandbox.company.update("deals", spoilt[-1], bad)
        before = len(company.written())
        result = company.run()
        assert result.error is None
        assert result.ration is not None
        rations.append(result.ration)
        if number == 0:
            severities = company.severities(id_ for id_ in company.written() if id_.isdecimal())  # no leads
            assert severities == sorted(severities, key=URGENCY.index)
        if complete:
            assert not result.ration.carried
            assert {*spoilt[-1:]} <= {*company.written()[before:]} or number % 2
        now = company.sandbox.clock.now()
        assert sum(tokens for at, tokens in company.spent if now - at < timedelta(hours=24)) <= share
        company.sandbox.clock.advance(hours * HOUR)
    assert len(spoilt) > 1
    assert rations[0].carried
    ended = next(number for number, ration in enumerate(rations) if not ration.carried)
    assert rations[0].days - 1 <= ended * hours / 24 <= rations[0].days + 1
