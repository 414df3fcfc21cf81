"""`run --every`: it stays, tells what fails, and leaves when asked to."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipelint.cli.ending import ends_gently
from pipelint.engine import project
from pipelint.engine.stopping import Stopping
from pipelint.errors import StopRequested

from .conftest import NOW, Command


@dataclass
class Quarters:
    """What happens in the waits between runs; after the last of them SIGTERM comes."""

    between: list[Callable[[], object]] = field(default_factory=list)
    now: datetime = NOW
    begun: int = 0

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now < NOW + timedelta(minutes=15) * (self.begun + 1):
            return
        self.begun += 1
        if self.begun > len(self.between):
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self.between[self.begun - 1]()


@pytest.fixture
def quarters(acme: Command, monkeypatch: pytest.MonkeyPatch) -> Quarters:
    made = Quarters()
    monkeypatch.setattr("pipelint.cli.ending.Stopping", lambda: Stopping(made.wait))
    defaults = {"clock": lambda: made.now, "stopping": None}
    monkeypatch.setattr(project.open_project, "__kwdefaults__", defaults)
    monkeypatch.setattr("pipelint.engine.schedule.repeat.__kwdefaults__", {"chance": lambda: 0.0})
    return made


def nothing() -> None:
    """A quiet quarter of an hour."""


def test_it_runs_again_and_again_until_sigterm(acme: Command, quarters: Quarters) -> None:
    quarters.between = [nothing, nothing]
    answer = acme("run", "--every", "15m")
    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if " UTC, run " in line] == [
        "2026-11-20 09:00:00 UTC, run 20261120-090000",
        "2026-11-20 09:15:00 UTC, run 20261120-091500",
        "2026-11-20 09:30:00 UTC, run 20261120-093000",
    ]
    assert answer.err == ""


def test_without_a_time_the_settings_say_how_often(acme: Command, quarters: Quarters, tmp_path: Path) -> None:
    file = tmp_path / "pipelint.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "schedule: 30m\n", encoding="utf-8")
    quarters.between = [nothing, nothing]
    answer = acme("run", "--every", "--format", "json")
    assert answer.out.count('"schema"') == 2, "at 9:00 and 9:30; at 9:45 it ended"


def test_a_mistake_made_meanwhile_is_told_and_its_cure_is_taken_up(
    acme: Command, quarters: Quarters, tmp_path: Path
) -> None:
    file = tmp_path / "pipelint.yaml"
    right = file.read_text(encoding="utf-8")
    quarters.between = [
        lambda: file.write_text(right + "schedul: 5m\n", encoding="utf-8"),
        lambda: file.write_text(right, encoding="utf-8"),
    ]
    answer = acme("run", "--every", "15m")
    assert answer.code == 0
    assert "'schedul' is not known" in answer.err
    assert answer.out.count(" UTC, run ") == 2


def test_a_mistake_at_the_start_is_told_at_once(acme: Command, quarters: Quarters, tmp_path: Path) -> None:
    (tmp_path / "pipelint.yaml").write_text("pipelint: 1\n", encoding="utf-8")
    answer = acme("run", "--every", "15m")
    assert (answer.code, answer.out) == (2, "")
    assert "connections" in answer.err


@pytest.mark.parametrize("period", ["5s", "often"])
def test_a_period_that_makes_no_sense_is_refused(acme: Command, period: str) -> None:
    answer = acme("run", "--every", period)
    assert answer.code == 2
    assert answer.err.startswith(f"error: --every {period}: ")


def hold(folder: Path) -> Path:
    """A run of somebody else, on another machine."""
    lock = folder / ".pipelint" / "lock"
    since = (NOW - timedelta(minutes=3)).isoformat()
    lock.write_text(json.dumps({"owner": "ann", "host": "crm-jobs-2", "pid": 4711, "since": since}))
    return lock


def test_a_run_of_somebody_else_is_waited_for(acme: Command, quarters: Quarters, tmp_path: Path) -> None:
    lock = hold(tmp_path)
    quarters.between = [lock.unlink]
    answer = acme("run", "--every", "15m")
    assert answer.code == 0
    assert "held by ann on crm-jobs-2 (process 4711) for 3 minutes" in answer.err
    assert answer.out.count(" UTC, run ") == 1


def test_a_single_run_that_finds_another_under_way_says_whose(
    acme: Command, tmp_path: Path, snapshot: Callable[..., None]
) -> None:
    lock = hold(tmp_path)
    answer = acme("run")
    assert answer.code == 3
    snapshot(answer.err.replace(str(lock), "LOCK"))


def test_what_fails_is_a_line_of_the_log_where_programs_read_it(
    acme: Command, quarters: Quarters, tmp_path: Path
) -> None:
    hold(tmp_path)
    answer = acme("--log-format", "json", "-v", "run", "--every", "15m")
    lines = [json.loads(line) for line in answer.err.splitlines()]
    failed = next(line for line in lines if line["event"] == "failed")
    assert failed["exit_code"] == 3
    assert failed["why"].startswith("A run of this project is under way: held by ann")
    assert [line["event"] for line in lines[-2:]] == ["waiting", "ended on request"]


def test_a_single_run_finishes_its_step_after_sigterm(acme: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Stopping) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        monkeypatch.undo()
        self.check()

    monkeypatch.setattr(Stopping, "check", asked)
    answer = acme("run")
    assert answer.code == 0
    assert "asked to end" in answer.out


def test_a_second_sigterm_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ends_gently() as stopping:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopRequested):
            stopping.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_interrupts_a_wait(acme: Command, quarters: Quarters) -> None:
    quarters.between = [lambda: os.kill(os.getpid(), signal.SIGINT)]
    answer = acme("run", "--every", "15m")
    assert answer.code == 130
    assert answer.err.strip().endswith("interrupted")
