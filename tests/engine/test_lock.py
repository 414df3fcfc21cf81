"""One run of a project at a time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from stat import S_IMODE

import pytest

from pipelint.engine import lock
from pipelint.engine.lock import run_lock
from pipelint.errors import CacheUnusable, ExitCode, RunInProgress

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def clock() -> datetime:
    return NOW


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".pipelint" / "run.lock"


def left_behind(path, **changes) -> None:
    """A lock that somebody else wrote."""
    holder = {"owner": "ann", "host": socket.gethostname(), "pid": 1, "since": "2026-03-01T11:48:00Z"}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(holder | changes))


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_lock_says_who_holds_it_and_goes_with_the_run(path):
    with run_lock(path, clock=clock):
        holder = json.loads(path.read_text())
        assert holder["host"] == socket.gethostname()
        assert holder["pid"] == os.getpid()
        assert holder["since"] == "2026-03-01T12:00:00Z"
        assert holder["owner"]
        assert S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == []


def test_the_lock_goes_when_the_run_fails(path):
    with pytest.raises(ZeroDivisionError), run_lock(path, clock=clock):
        _ = 1 / 0
    assert not path.exists()


def test_a_second_run_is_refused_and_does_not_disturb_the_first(path):
    with run_lock(path, clock=clock):
        with pytest.raises(RunInProgress), run_lock(path, clock=clock):
            pass
        assert path.exists()


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=12), "12 minutes"),
        (timedelta(hours=1, minutes=59), "1 hour"),
        (timedelta(days=3), "3 days"),
        (timedelta(hours=-1), "0 seconds"),
    ],
)
def test_a_refusal_names_the_owner_the_machine_and_the_age(path, age, words):
    left_behind(path, host="elsewhere", pid=4711, since=(NOW - age).isoformat())
    with pytest.raises(RunInProgress) as caught, run_lock(path, clock=clock):
        pass
    assert caught.value.message == (
        f"A run of this project is under way: held by ann on elsewhere (process 4711) for {words}"
    )
    assert str(path) in caught.value.hint
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_living_process_of_this_machine_keeps_its_lock(path):
    left_behind(path, pid=os.getppid())
    with pytest.raises(RunInProgress), run_lock(path, clock=clock):
        pass


def test_a_process_that_we_may_not_signal_is_alive(path, monkeypatch):
    def forbidden(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    left_behind(path)
    with pytest.raises(RunInProgress), run_lock(path, clock=clock):
        pass


def test_the_lock_of_a_dead_process_is_taken_over(path):
    left_behind(path, pid=dead_pid())
    with run_lock(path, clock=clock):
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert list(path.parent.iterdir()) == []


def test_after_a_restart_of_a_container_our_own_number_is_that_of_a_dead_process(path):
    left_behind(path, pid=os.getpid())
    with run_lock(path, clock=clock):
        pass
    assert not path.exists()


def test_of_two_that_find_the_same_stale_lock_only_one_takes_it(path, monkeypatch):
    """The other has put its own lock in the place between our look and our move."""
    left_behind(path, pid=dead_pid())
    look = lock._dead

    def overtaken(holder, where):
        dead = look(holder, where)
        if dead:
            left_behind(path, host="elsewhere")
        return dead

    monkeypatch.setattr(lock, "_dead", overtaken)
    with pytest.raises(RunInProgress, match="elsewhere"), run_lock(path, clock=clock):
        pass
    assert json.loads(path.read_text())["host"] == "elsewhere"


def test_a_lock_that_cannot_be_read_is_respected(path):
    path.parent.mkdir()
    path.write_text("")
    with pytest.raises(RunInProgress, match="somebody unknown"), run_lock(path, clock=clock):
        pass


def test_a_lock_that_somebody_else_took_meanwhile_is_not_removed(path):
    with run_lock(path, clock=clock):
        left_behind(path, host="elsewhere")
    assert path.exists()


def test_a_lock_that_goes_while_we_look_is_ours(path, monkeypatch):
    create, tries = lock._created, iter([False])
    monkeypatch.setattr(lock, "_created", lambda *what: next(tries, True) and create(*what))
    with run_lock(path, clock=clock):
        assert path.exists()


def test_a_user_without_a_name_is_known_by_number(path, monkeypatch):
    def nameless():
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nameless)
    with run_lock(path, clock=clock):
        assert json.loads(path.read_text())["owner"] == str(os.getuid())


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheUnusable), run_lock(tmp_path / "file" / "run.lock", clock=clock):
        pass


def test_a_disk_too_full_for_the_lock_leaves_none_behind(path, monkeypatch):
    def full(file, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CacheUnusable, match="No space") as error, run_lock(path, clock=clock):
        pass
    assert error.value.hint == "Free some space and run again."
    assert not path.exists()
