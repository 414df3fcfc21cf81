"""A small project that reads a file, and the command line as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.cli.app import run
from pipelint.engine import project

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)

PROJECT = """\
pipelint: 1
connections:
  sales:
    crm: files
    path: exports/
    streams:
      opportunities: {file: opportunities.csv}
      owners: {file: owners.csv}
"""
PACK = """\
pipelint: 1

pack:
  name: acme
  time_zone: Europe/Paris
  blank_words: [tbd]

stages:
  - {name: discovery, kind: open, group: mid}
  - {name: proposal, kind: open, group: late}
  - {name: won, kind: won}
  - {name: lost, kind: lost}

pipelines:
  new-business:
    stages:
      discovery: {from: {files: Discovery}}
      proposal: {from: {files: Proposal}, required: [next_step, amount]}
      won: {from: {files: Won}}
      lost: {from: {files: Lost}}

fields:
  champion: {label: Champion, type: text, from: {files: champion}}

conditions:
  open: {stage_kind: open}

rules:
  close-date-passed:
    title: The close date has passed
    applies_to: open
    flag_when: {close_date: {before: today}}
    severity: error
    message: "The close date {close_date:date} has passed ({close_date:ago})."
    fix: Agree on a new date with the customer, or close the opportunity.
  champion-missing:
    title: Nobody speaks for us
    applies_to: open
    flag_when: {champion: blank}
    severity: info
    message: "No champion for {amount:money}."
  quiet:
    title: Nothing was done for two weeks
    applies_to: open
    flag_when: {last_touch: {older_than: 14 days}}
    severity: warning
    message: "Last touched {last_touch:ago}."
  big:
    title: Large
    status: trial
    flag_when: {amount: {at_least: 40000}}
    severity: info
    message: "Worth {amount:money}."
"""
OPPORTUNITIES = """\
id,name,amount,currency,stage,close_date,created_at,next_step,owner,champion
A1,Globex roll-out,42000.50,EUR,Proposal,2026-11-01,2026-08-03,tbd,kim,Dana
A2,Initech renewal,,EUR,Proposal,2026-12-15,2026-09-01,Send the offer,kim,
A3,Umbrella pilot,9000,EUR,Won,2026-10-31,2026-07-20,,lee,
A4,Hooli extension,1200,EUR,Discovery,2027-01-31,2026-11-02,Call,lee,Sam
A5,Vehement merger,800,EUR,Legal review,2027-01-31,2026-11-02,Call,lee,
"""
OWNERS = "id,name\nkim,Kim Doe\nlee,Lee Roe\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("check", "--new")` in an empty folder, on a terminal of 100 columns, on 20 November 2026."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(project.open_project, "__kwdefaults__", {"clock": lambda: NOW, "stopping": None})

    def execute(*arguments: str) -> Answer:
        capsys.readouterr()
        code = run(arguments)
        return Answer(int(code), *capsys.readouterr())

    return execute


@pytest.fixture
def acme(command: Command, tmp_path: Path) -> Command:
    """The same in a project whose file was pulled."""
    for name, text in {
        "pipelint.yaml": PROJECT,
        "rules/pack.yaml": PACK,
        "exports/opportunities.csv": OPPORTUNITIES,
        "exports/owners.csv": OWNERS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert command("pull").code == 0
    return command
