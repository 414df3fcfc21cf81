"""A small project on a CRM in memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from pipelint.connectors import registry
from pipelint.engine.own_fields import own_fields
from pipelint.engine.project import Project, open_project
from pipelint.engine.pull import pull
from pipelint.engine.run import push, run
from pipelint.engine.run_result import ConnectionResult, RunResult
from pipelint.records import Owner

from .fake_crm import START, FakeCrm, FakePackage, set_up

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris, languages: [en], show_at_most: 2}
overrides: {duplicate-open-opportunities: {status: off}, thin-evidence: {status: off}}   # about other things
stages:
  - {name: open, kind: open, group: early}
  - {name: won, kind: won}
pipelines:
  new-business: {from: {acme: new}, stages: {open: {from: {acme: open}}, won: {from: {acme: won}}}}
  renewal: {from: {acme: renewal}, stages: {open: {from: {acme: open}}, won: {from: {acme: won}}}}
facts:
  recent_activities: {count: activities, where: {happened_at: {within_last: 30 days}}}
conditions:
  still-open: {stage_kind: open}
"""
RULES = """\
pipelint: 1
rules:
  amount-missing:
    title: The amount is missing
    applies_to: still-open
    flag_when: {amount: blank}
    severity: error
    message: No amount.
    fix: Enter one.
  close-date-past:
    title: The close date has passed
    applies_to: still-open
    flag_when: {close_date: {before: today}}
    severity: warning
    raise_to: {error: {close_date: {older_than: 7 days}}}
    message: "The close date {close_date:ago} has passed; the amount is {amount}."
    fix: Agree on a new one.
  next-step-missing:
    title: The next step is missing
    applies_to: still-open
    flag_when: {next_step: blank}
    severity: warning
    message: "No next step after {recent_activities} activities in 30 days."
    fix: Enter it.
"""


@dataclass
class Acme:
    """A project, its CRM, and what one does with them."""

    folder: Path
    crm: FakeCrm

    @property
    def project(self) -> Project:
        return open_project(self.folder, clock=self.crm.clock)

    def pack(self, rules: str = RULES) -> None:
        (self.folder / "rules" / "rules.yaml").write_text(rules, encoding="utf-8")

    def settings(self, write_back: str) -> None:
        text = f"pipelint: 1\nconnections: {{acme: {{crm: fake}}}}\nwrite_back: {write_back}\n"
        (self.folder / "pipelint.yaml").write_text(text, encoding="utf-8")

    def setup(self) -> None:
        set_up(self.crm, own_fields(self.project.pack, "acme", "fake", "opportunity"))

    def run(self, *, dry_run: bool = False) -> ConnectionResult:
        return self.whole(run(self.project, dry_run=dry_run))

    def pull(self) -> None:
        project = self.project
        with project.cache() as cache, project.connect(project.file.connections["acme"]) as connector:
            pull(cache, connector, {}, clock=self.crm.clock, stopping=project.stopping)

    def push(self, *, dry_run: bool = False) -> ConnectionResult:
        return self.whole(push(self.project, dry_run=dry_run))

    def whole(self, result: RunResult) -> ConnectionResult:
        return result.connections["acme"]

    def events(self, *columns: str) -> list[tuple[object, ...]]:
        with self.project.cache() as cache:
            query = f"SELECT {', '.join(columns)} FROM finding_event ORDER BY id"
            return [tuple(row) for row in cache.db.execute(query)]

    def journal(self) -> list[tuple[object, ...]]:
        with self.project.cache() as cache:
            query = "SELECT record, field, old, new, status FROM journal ORDER BY id"
            return [tuple(row) for row in cache.db.execute(query)]


def make_acme(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    """The project as `setup --apply` left it, in `mode: on`, with one healthy deal."""
    crm = FakeCrm()
    monkeypatch.setitem(cast("dict[str, str]", registry.BUILT_IN), "fake", "fake_crm_package")
    monkeypatch.setitem(sys.modules, "fake_crm_package", cast("ModuleType", FakePackage(crm)))
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    made = Acme(folder, crm)
    made.settings("{mode: on}")
    made.pack()
    made.setup()
    crm.owners = {
        "u1": Owner("u1", START, "Kim Doe", "kim@acme.example", True),
        "u2": Owner("u2", START, "Ann Roe", "ann@acme.example", True),
    }
    crm.deal("d0")
    return made


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    return make_acme(tmp_path, monkeypatch)
