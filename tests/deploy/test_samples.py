"""The samples of deploy/: what they call exists, and the tools that read them accept them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.test_examples import parse

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())


def calls() -> list[tuple[str, str]]:
    """Every line of the samples that calls pipelint: file and arguments."""
    return [
        (file.name, found[1])
        for file in sorted(DEPLOY.rglob("*"))
        if file.is_file() and file.suffix != ".md"
        for found in re.finditer(r"/opt/pipelint/bin/pipelint ([^>\n]+)", file.read_text(encoding="utf-8"))
    ]


def test_there_is_a_call_in_the_service_and_one_in_the_table_of_cron() -> None:
    assert [name for name, _ in calls()] == ["pipelint", "pipelint@.service"]


@pytest.mark.parametrize(("name", "arguments"), calls())
def test_the_calls_are_well_formed(name: str, arguments: str, tmp_path: Path) -> None:
    parse(shlex.split(arguments.replace("%i", "acme")))


def test_a_line_of_cron_has_times_a_user_and_a_command_without_percent_signs() -> None:
    lines = (DEPLOY / "cron" / "pipelint").read_text(encoding="utf-8").splitlines()
    jobs = [line for line in lines if line and not re.match(r"#|[A-Z]+=", line)]
    assert len(jobs) == 1
    assert re.fullmatch(r"(?:[\d*/,-]+ ){5}pipelint .+", jobs[0])
    assert "%" not in jobs[0], "cron takes it for the end of a line"


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """With the paths of a machine on which everything is installed: those of the sample are not on this one."""
    systemd_analyze = shutil.which("systemd-analyze")
    if systemd_analyze is None:
        pytest.skip("there is no systemd-analyze here")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/pipelint/bin/pipelint", "/bin/true")
        (tmp_path / unit.name.replace("@", "@acme")).write_text(text, encoding="utf-8")
    names = [str(tmp_path / unit.name.replace("@", "@acme")) for unit in UNITS]
    done = subprocess.run(
        [systemd_analyze, "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_sample_is_described() -> None:
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert {file.parent.name for file in DEPLOY.rglob("*") if file.is_file()} == {"deploy", "systemd", "cron"}
    assert all(f"## {name}\n" in readme for name in ("systemd", "cron"))
