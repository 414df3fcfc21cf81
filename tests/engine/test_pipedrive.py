"""The whole job against the Pipedrive sandbox: within its share of tokens, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelint.connectors.pipedrive import endpoints
from pipelint.engine.init import init
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import diagnose, setup
from pipelint.engine.run import push, run
from pipelint.engine.run_result import ConnectionResult
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import DEALS
from tests.sandbox.pipedrive.openapi import Witness, needs_specs, operation

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


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

    def severities(self) -> list[str]:
        """What the deals show that show anything."""
        field = self.sandbox.company.fields.by_name("deals", "Pipelint severity")
        labels = {option["id"]: option["label"] for option in field["options"]}
        held = [
            deal["custom_fields"].get(field["field_code"])
            for deal in self.sandbox.company.store.select(DEALS)
        ]
        return [labels[option] for option in held if option is not None]

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
    company.sandbox.clock.advance(timedelta(minutes=15))
    second = company.run()
    assert second.push is not None
    assert second.push.written == 0


def test_an_undo_takes_everything_back_and_a_resumed_push_writes_it_again(company: Company) -> None:
    company.run()
    shown = company.severities()
    assert {"error", "clean"} <= set(shown)
    undone = undo(company.project, company.last).connections["sales"]
    assert (undone.skipped, company.severities()) == ([], [])
    push(company.project, resume=True)
    assert company.severities() == shown


def test_our_own_writes_cause_no_further_calls(company: Company) -> None:
    company.run()
    company.sandbox.clock.advance(HOUR)
    company.run()  # sees its own writes
    company.sandbox.clock.advance(HOUR)
    company.run()
    (_, echo), (_, quiet) = company.spent[-2:]
    assert quiet <= 120
    assert echo - quiet <= 10  # the names of the companies of the leads that were written


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


def test_the_share_is_never_exceeded_and_all_is_written_over_days(company: Company) -> None:
    company.settle(share="5%")
    colleagues = iter(range(1, 40))
    a_week(company, hours=12, colleagues=colleagues)


@pytest.mark.slow
def test_five_thousand_deals_hourly_for_a_week_on_the_smallest_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PipedriveSandbox(size=5000, now=NOW) as sandbox:
        a_week(make_company(tmp_path, sandbox, monkeypatch), hours=1, colleagues=iter(range(1, 5000)))


def healthy(deal: Mapping[str, object]) -> bool:
    """An open deal that has an amount, and is not late."""
    return bool(
        deal["status"] == "open" and deal["value"] and str(deal["expected_close_date"] or "") > "2026-12"
    )


def a_week(company: Company, *, hours: int, colleagues: Iterator[int]) -> None:
    """A run every few hours for a week; once all is written, a colleague spoils an open deal now and then.

    The share is never exceeded over any 24 hours, the first full write-back ends within the week, and after it
    every new error reaches the CRM within two runs.
    """
    settings = company.project.settings["sales"]
    share = settings.daily_tokens * settings.share  # type: ignore[attr-defined]  # of a Pipedrive connection
    runs = 7 * 24 // hours
    complete = False
    waiting: dict[str, int] = {}
    spoilt = 0
    for number in range(runs):
        if complete and number % 2 == 0:
            deal = next(id_ for id_ in colleagues if healthy(company.sandbox.company.get(DEALS, id_)))
            company.sandbox.company.update(
                "deals", deal, {"value": None, "expected_close_date": "2026-01-01"}
            )
            waiting[str(deal)] = number
            spoilt += 1
        before = len(company.written())
        result = company.run()
        assert result.error is None
        for deal_id in set(company.written()[before:]) & waiting.keys():
            assert number - waiting.pop(deal_id) <= 1
        complete = complete or (result.ration is not None and not result.ration.carried)
        now = company.sandbox.clock.now()
        assert sum(tokens for at, tokens in company.spent if now - at < timedelta(hours=24)) <= share
        company.sandbox.clock.advance(hours * HOUR)
    assert spoilt > 1
    assert all(runs - number <= 2 for number in waiting.values())
