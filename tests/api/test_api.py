"""The public Python API, as a program would use it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pipelint

CONFIG = """\
pipelint: 1
connections:
  export:
    crm: files
    path: .
    streams: {opportunities: {file: deals.csv}}
"""
RULES = """\
pipelint: 1
stages: [{name: proposal, kind: open, group: late}]
pipelines: {sales: {stages: {proposal: {}}}}
rules:
  late:
    flag_when: {close_date: {before: today}}
    severity: error
    message: "Was due {close_date:date}."
"""
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "pipelint.yaml").write_text(CONFIG)
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    (tmp_path / "deals.csv").write_text(
        "id,name,stage,close_date\n1,Acme,proposal,2026-11-01\n2,Bolt,proposal,2026-12-01\n"
    )
    return tmp_path


def test_a_program_pulls_and_checks(folder: Path) -> None:
    project = pipelint.open_project(folder, clock=lambda: NOON)
    (pulled,) = project.pull()
    assert pulled.stored == 2
    (finding,) = [each for each in project.check().findings if each.status == "flagged"]
    assert (finding.id, finding.rule, finding.message) == ("1", "late", "Was due 1 Nov 2026.")


def test_the_moment_is_an_argument(folder: Path) -> None:
    project = pipelint.open_project(folder, clock=lambda: NOON)
    project.pull()
    later = project.check(datetime(2026, 12, 24, tzinfo=UTC))
    assert [each.id for each in later.findings if each.status == "flagged"] == ["1", "2"]


def test_preview_refuses_to_push(folder: Path) -> None:
    project = pipelint.open_project(folder, clock=lambda: NOON)
    with pytest.raises(pipelint.PipelintError, match="preview"):
        project.push()


def test_mistakes_are_raised_with_their_places(folder: Path) -> None:
    (folder / "rules" / "rules.yaml").write_text(RULES.replace("close_date: {before", "close_dat: {before"))
    with pytest.raises(pipelint.PipelintError) as raised:
        pipelint.open_project(folder)
    assert "close_date" in raised.value.problems[0].hint  # type: ignore[attr-defined]


def test_importing_pipelint_imports_nothing_else() -> None:
    code = "import sys, pipelint; print(sorted(m for m in sys.modules if m.startswith('pipelint')))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['pipelint']"


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nothing_here"):
        pipelint.nothing_here  # noqa: B018
