"""A month on the Salesforce sandbox, with a clock that moves: after each run the CRM shows what a fresh start demands.

Beside every run the project is evaluated from scratch: an empty cache, everything pulled, the same rules, the same
moment. What the CRM shows differs from that only where the run itself says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors.base import WriteValue
from pipelint.engine.check import check
from pipelint.engine.init import init
from pipelint.engine.plan import PlannedRecord
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import setup
from pipelint.engine.run import push, run
from pipelint.engine.run_result import ConnectionResult, RunResult
from pipelint.engine.runs import written_by
from pipelint.engine.stopping import Stopping
from pipelint.engine.undo import undo
from pipelint.errors import ExitCode
from pipelint.sandbox.salesforce import SalesforceSandbox

from .month import Colleagues

START = datetime(2026, 11, 2, 7, tzinfo=UTC)
SINCE = "Pipelint_Flagged_Since__c"
DECIDING = ("Pipelint_Flags__c", "Pipelint_Severity__c", "Pipelint_Hygiene__c")
State = dict[str, dict[str, object]]


@dataclass
class Demanded:
    """What an evaluation from scratch would write, by record, and which rules are broken there.

    A rule is flagged, or hidden by another one that says the same.
    """

    records: dict[str, PlannedRecord]
    broken: Mapping[tuple[str, str], str]


@dataclass
class Month:
    """The organisation, its colleagues, the project, and what was seen so far."""

    folder: Path
    sandbox: SalesforceSandbox
    colleagues: Colleagues
    since: dict[tuple[str, str], str] = field(default_factory=dict)
    writes: int = 0
    latest: str = ""
    held: bool = False
    scratches: int = 0

    def project(self, folder: Path | None = None) -> Project:
        stopping = Stopping(sleep=lambda seconds: None)
        return open_project(folder or self.folder, clock=self.sandbox.clock.now, stopping=stopping)

    def scratch(self) -> Demanded:
        """What an evaluation from scratch would write."""
        self.scratches += 1
        folder = self.folder.with_name(f"scratch{self.scratches}")
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".pipelint"))
        project = self.project(folder)
        [result] = run(project, dry_run=True).connections.values()
        assert result.error is None
        assert result.plan is not None
        with project.cache() as cache:
            found = check(cache, project, project.clock()).findings
        shutil.rmtree(folder)
        wanted = {record.id: record for record in result.plan.records if _differs(record)}
        written = {name for name, rule in project.pack.rules.items() if rule.status == "on"}
        true = {(each.id, each.rule): each.status for each in found if each.rule in written}
        true = {key: status for key, status in true.items() if status in {"flagged", "hidden"}}
        return Demanded(wanted, true)

    def holds(self) -> State:
        """Our fields of every opportunity and lead, as they are stored."""
        store = self.sandbox.org.store
        return {
            str(row["Id"]): {name: value for name, value in row.items() if name.startswith("Pipelint_")}
            for name in ("Opportunity", "Lead")
            for row in store.find_all(store.schema[name])
            if not row["IsDeleted"]
        }

    def run(self, command: Callable[[Project], RunResult] = run) -> ConnectionResult:
        """A run, or another command, and that it did what it had to and nothing else."""
        demanded = self.scratch()
        before = self.holds()
        whole = command(self.project())
        self.latest = whole.run
        [result] = whole.connections.values()
        assert result.error is None, result.error
        assert result.plan is not None
        after = self.holds()
        with self.project().cache() as cache:
            lines = written_by(cache, whole.run)
        written = {line.id for line in lines if line.status == "written"}
        assert {id_ for id_ in after if after[id_] != before[id_]} == written
        wanted = demanded.records
        only_since = written - wanted.keys()
        assert not only_since, f"written without need: {only_since}"
        for id_ in written:
            told = {
                change.field: _stored(change.new) for change in wanted[id_].changes if change.field != SINCE
            }
            assert told == {name: value for name, value in after[id_].items() if name in told}, id_
        left = wanted.keys() - written
        listed = {refusal.id for refusal in result.refused} | {
            line.id for line in lines if line.status == "locked"
        }
        deferred = set() if result.held_by else left - listed
        for id_ in deferred:
            moved = {change.field for change in wanted[id_].changes}
            assert not moved & {*DECIDING}, f"{id_} should have been written: {wanted[id_].changes}"
        assert len(deferred) <= result.plan.deferred
        self.writes += len(written)
        self.check_since(demanded.broken, after, left)
        return result

    def check_since(self, broken: Mapping[tuple[str, str], str], after: State, left: set[str]) -> None:
        """The day since when a record is flagged is that of its oldest flag that it still has."""
        today = str(self.sandbox.clock.now().date())
        self.since = {key: self.since.get(key, today) for key in broken}
        oldest: dict[str, str] = {}
        for key, day in self.since.items():
            if broken[key] == "flagged":
                oldest[key[0]] = min(oldest.get(key[0], day), day)
        told = {id_: fields[SINCE] for id_, fields in after.items() if SINCE in fields and id_ not in left}
        assert told == {id_: oldest.get(id_) for id_ in told}

    def pack(self, text: str) -> None:
        """The admin changes the rules, and the options of our fields with them."""
        (self.folder / "rules" / "own.yaml").write_text(text, encoding="utf-8")
        list(setup(self.project(), apply=True))

    def refuse(self) -> None:
        """A validation rule takes no change of some deals any more."""
        for deal in self.colleagues.rows("Opportunity")[:12]:
            self.sandbox.faults.add(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                record=str(deal["Id"]),
                message="Name a sponsor.",
                times=0,
            )

    def lock(self) -> None:
        """A batch job of somebody else holds some deals."""
        for deal in self.colleagues.rows("Opportunity")[12:24]:
            self.sandbox.faults.add("UNABLE_TO_LOCK_ROW", record=str(deal["Id"]), times=0)

    def accept(self) -> None:
        """All is taken again."""
        self.sandbox.faults.clear()

    def change_rules(self) -> None:
        self.pack(STRICTER)

    def rename_a_rule(self) -> None:
        self.pack(RENAMED)
        self.since = {
            (id_, "large-without-plan" if rule == "big-without-plan" else rule): day
            for (id_, rule), day in self.since.items()
        }

    def take_back(self) -> None:
        """Undo the latest run: what it wrote is as it was, and held."""
        result = undo(self.project(), self.latest)
        assert result.exit_code is ExitCode.OK
        self.held = True

    def resume(self) -> None:
        self.run()
        self.run(lambda project: push(project, resume=True))
        self.held = False


def _stored(value: WriteValue) -> object:
    """As the organisation keeps it."""
    if isinstance(value, tuple):
        return ";".join(value) or None
    return float(value) if isinstance(value, Decimal | int) else value


def _differs(record: PlannedRecord) -> bool:
    """From scratch, every flag begins today."""
    return any(change.field != SINCE for change in record.changes)


@contextmanager
def a_month(folder: Path, size: int, seed: int) -> Iterator[Month]:
    with pytest.MonkeyPatch.context() as patch, SalesforceSandbox(size=size, seed=seed, now=START) as sandbox:
        patch.setenv("SF_CLIENT_ID", sandbox.client_id)
        patch.setenv("SF_CLIENT_SECRET", sandbox.client_secret)
        project = folder / "acme"
        init(project)
        file = project / "pipelint.yaml"
        text = file.read_text(encoding="utf-8").replace("https://acme.my.salesforce.com", sandbox.base_url)
        text = text.replace("mode: preview", "mode: on").replace("max_share: 40%", "max_share: 100%")
        file.write_text(text, encoding="utf-8")
        made = Month(project, sandbox, Colleagues(sandbox, seed))
        made.pack(MILD)
        yield made


OWN = """\
pipelint: 1
rules:
  {name}:
    title: Large, and nothing is planned
    applies_to: default-open
    flag_when: {{all: [{{amount: {{at_least: {least}}}}}, {{next_step: blank}}]}}
    severity: {severity}
    message: "{{amount:money}} without a next step."
    fix: Agree on one.
    {more}
overrides:
  # It counts changes that Salesforce keeps no history of: a fresh start has not seen them.
  next-step-stale: {{status: off}}
  {override}
"""
MILD = OWN.format(name="big-without-plan", least=20_000, severity="info", more="", override="")
STRICTER = OWN.format(
    name="big-without-plan",
    least=900,
    severity="error",
    more="",
    override="close-date-past: {severity: info}",
)
RENAMED = OWN.format(
    name="large-without-plan",
    least=900,
    severity="error",
    more="formerly: big-without-plan",
    override="no-activity: {status: off}",
)


def live(
    month: Month, days: int, runs: int, deeds: int, story: Mapping[int, Callable[[Month], None]]
) -> None:
    """Colleagues work, runs come; on some days something happens after the first run."""
    for day in range(days):
        month.sandbox.clock.set(START + timedelta(days=day))
        for number in range(runs):
            month.colleagues.work(deeds)
            result = month.run()
            assert (result.held_by is not None) == month.held
            month.sandbox.clock.advance(timedelta(hours=3))
            if number == 0 and day in story:
                story[day](month)
    month.run()


SHORT = {0: Month.refuse, 1: Month.change_rules, 2: Month.take_back, 3: Month.resume}
LONG = {
    2: Month.refuse,
    5: Month.accept,
    8: Month.change_rules,
    11: Month.lock,
    12: Month.accept,
    15: Month.take_back,
    17: Month.resume,
    20: Month.rename_a_rule,
    23: Month.refuse,
    25: Month.accept,
}


def test_a_few_days(tmp_path: Path) -> None:
    with a_month(tmp_path, size=20, seed=11) as month:
        live(month, days=4, runs=2, deeds=10, story=SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_month(tmp_path: Path, seed: int) -> None:
    with a_month(tmp_path, size=60, seed=seed) as month:
        live(month, days=30, runs=2, deeds=15, story=LONG)
        assert month.writes > 100
