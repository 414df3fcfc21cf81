"""How errors read, and what a command tells the shell."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelint.config.masking import masker
from pipelint.errors import (
    Busy,
    ExitCode,
    LimitExceeded,
    PipelintError,
    Place,
    Problem,
    ProblemsFound,
    RecordGone,
    SignInRefused,
    Unreachable,
    UsageError,
)
from pipelint.render.errors import Doorstep, handle, render_error

PROBLEMS = [
    Problem(
        Place("rules/stages.yaml", 107, 19),
        "'>' and '>=' cannot start a value in YAML",
        "write a word instead, e.g. {at_least: 5}",
        "      discount: > 25",
    ),
    Problem(Place("pipelint.yaml", 3, 10), "'x' is not known", "", "name: 商談\t{x: 1}"),
    Problem(Place("pipelint.yaml", 4, 10), "'y' is not known", "", "cafe\u0301: \t\t{y: 1}"),
    Problem(Place("pipelint.yaml"), "the file is empty", "run `pipelint init`"),
    Problem(Place("rules/a.yaml", 1, 1), "no rule uses this fact", "", "facts:", "warning"),
]

ERRORS: dict[str, PipelintError] = {
    "problems": ProblemsFound(PROBLEMS),
    "error": UsageError("there is no pipelint.yaml in /work", hint="run `pipelint init`"),
    "without a hint": Unreachable("no answer from acme.example within 30 s"),
    "control characters": SignInRefused("refused: \x1b[2Jbad\r\nclient"),
}


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.replace(" ", "-"))
@pytest.mark.parametrize("color", [False, True], ids=["plain", "colour"])
def test_an_error_reads_well(case: str, color: bool, snapshot) -> None:
    text = render_error(ERRORS[case], color=color)
    snapshot(text.replace("\x1b", "<esc>"))


def test_a_secret_does_not_leave_in_an_error() -> None:
    masker.register("geheim-4721")
    assert render_error(Busy("geheim-4721", hint="geheim-4721"), color=False) == "error: ***\n  = ***"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ProblemsFound(PROBLEMS), 2),
        (SignInRefused("x"), 3),
        (Busy("x"), 3),
        (LimitExceeded("x"), 4),
        (RecordGone("x"), 0),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_ends_with_its_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: Doorstep) -> int:
        raise error

    assert handle(run) == code
    assert not capsys.readouterr().out


def test_a_command_that_ends_well_ends_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert handle(lambda _: ExitCode.FINDINGS) == 1
    assert capsys.readouterr() == ("", "")


def bug(project: Path) -> int:
    masker.register("geheim-4722")

    def run(doorstep: Doorstep) -> int:
        doorstep.project = project
        return int("geheim-4722")

    return handle(run)


@pytest.mark.parametrize("has_project", [True, False], ids=["in a project", "elsewhere"])
def test_a_bug_leaves_one_line_and_a_masked_log(
    has_project: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    if has_project:
        (tmp_path / "pipelint.yaml").write_text("pipelint: 1\n", encoding="utf-8")
    assert bug(tmp_path) == ExitCode.BUG
    (line,) = capsys.readouterr().err.splitlines()
    (log,) = tmp_path.rglob("bug-*.log")
    assert log.parent == (tmp_path / ".pipelint" / "logs" if has_project else temporary)
    assert log.name in line
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text(encoding="utf-8")
    assert "ValueError" in text
    assert "pydantic 2" in text
    assert "geheim" not in text + line


def test_a_bug_in_a_project_that_cannot_be_written_is_logged_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (tmp_path / "pipelint.yaml").write_text("pipelint: 1\n", encoding="utf-8")
    (tmp_path / ".pipelint").write_text("in the way", encoding="utf-8")
    assert bug(tmp_path) == ExitCode.BUG
    assert len(list(temporary.iterdir())) == 1


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ}
    ).stdout


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(
        "import sys\n"
        "from pipelint.render.errors import handle\n"
        "sys.exit(handle(lambda _: [print('line') for _ in range(100_000)] and 0))\n",
        encoding="utf-8",
    )
    command = f"{sys.executable} {script} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", command], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "line\n", "")


def test_the_doorstep_does_not_wait_for_what_it_may_not_need() -> None:
    heavy = python(
        "import sys, pipelint.render.errors, pipelint.render.logs\n"
        "print(*{'pydantic', 'ruamel', 'click', 'rich', 'requests', 'sqlite_utils'} & {*sys.modules})"
    )
    assert heavy.split() == []
