"""One run of a project at a time: a lock file that says who holds it, since when, and on which machine."""

from __future__ import annotations

import errno
import getpass
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from pipelint.engine.clock import Clock
from pipelint.errors import CacheUnusable, RunInProgress


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock; kept in it as JSON."""

    owner: str
    host: str
    pid: int
    since: datetime


# A process number alone cannot tell a lock of this process from one of a dead process that had the same
# number, as happens at every restart of a container.
_held: set[Path] = set()


@contextmanager
def run_lock(path: Path, *, clock: Clock) -> Iterator[None]:
    """Hold the project's lock for the length of a block; `RunInProgress` says who has it already."""
    path = path.absolute()
    ours = msgspec.json.encode(Holder(_user(), socket.gethostname(), os.getpid(), clock()))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not _created(path, ours):
            _clear_stale(path, clock())
    except OSError as error:
        raise CacheUnusable(
            f"The lock {path} cannot be written: {error.strerror or error}",
            hint="Free some space and run again."
            if error.errno == errno.ENOSPC
            else "Check that this user may write to its folder.",
        ) from error
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        # Somebody may have deleted it by hand and begun another run: that lock is not ours to remove.
        with suppress(FileNotFoundError):
            if path.read_bytes() == ours:
                path.unlink()


def _created(path: Path, content: bytes) -> bool:
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(file, content)
    except OSError:
        path.unlink()  # a lock that names nobody would never be found stale
        raise
    finally:
        os.close(file)
    return True


def _clear_stale(path: Path, now: datetime) -> None:
    """Remove the lock of a dead process; raise if the holder may be alive."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return
    try:
        holder = msgspec.json.decode(found, type=Holder)
    except msgspec.MsgspecError:
        raise _in_progress(path, "by somebody unknown") from None
    if not _dead(holder, path):
        who = f"by {holder.owner} on {holder.host} (process {holder.pid}) for {_age(now - holder.since)}"
        raise _in_progress(path, who)
    # Two processes may find the same lock stale. Only one can move it aside, and what it moved shows whether
    # the other had put its own in the place meanwhile.
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):
        path.rename(aside)
        if aside.read_bytes() == found:
            aside.unlink()
        else:
            aside.rename(path)


def _dead(holder: Holder, path: Path) -> bool:
    if holder.host != socket.gethostname():
        return False
    if holder.pid == os.getpid():
        return path not in _held
    if sys.platform == "win32":
        return False  # there, os.kill(pid, 0) does not ask: it interrupts the process
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _in_progress(path: Path, who: str) -> RunInProgress:
    hint = f"Wait for it to end. If that run is gone for certain, delete {path}."
    return RunInProgress(f"A run of this project is under way: held {who}", hint=hint)


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{seconds // length} {unit}{'' if seconds // length == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return str(os.getuid()) if sys.platform != "win32" else "unknown"
