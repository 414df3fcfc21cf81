"""The public Python API: a project's commands as methods; errors are those of `pipelint.errors`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelint.engine.check import CheckResult
from pipelint.engine.check import check as _check
from pipelint.engine.clock import Clock, system_clock
from pipelint.engine.commands import pull_all
from pipelint.engine.finding import Finding
from pipelint.engine.plan import Plan
from pipelint.engine.project import Project as _Project
from pipelint.engine.project import open_project as _open
from pipelint.engine.pull import PullResult
from pipelint.engine.run import push as _push
from pipelint.engine.run import run as _run
from pipelint.engine.run_result import RunResult
from pipelint.errors import PipelintError

__all__ = [
    "CheckResult",
    "Finding",
    "PipelintError",
    "Plan",
    "Project",
    "PullResult",
    "RunResult",
    "open_project",
]


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose files have been read and checked; `only` names connections, none means all."""

    _project: _Project

    def pull(self, *, full: bool = False, only: Sequence[str] = ()) -> list[PullResult]:
        """Bring what changed in the CRMs (or everything) into the cache; a connection's error is in its result."""
        return pull_all(self._project, only, full=full)

    def check(self, as_of: datetime | None = None, *, only: Sequence[str] = ()) -> CheckResult:
        """Evaluate the rules on the cache, now or at an aware instant; nothing is recorded.

        All findings and scores are in the result, in memory; the command line streams them instead.

        The records of a CRM are rebuilt as they were at a past instant; exported files know one state only.
        """
        with self._project.cache() as cache:
            return _check(
                cache,
                self._project,
                as_of or self._project.clock(),
                only=tuple(only),
                rebuild=as_of is not None,
            )

    def plan(self, *, only: Sequence[str] = ()) -> RunResult:
        """What `push` would write, in each connection's `plan`; nothing is written or recorded."""
        return _push(self._project, dry_run=True, only=only)

    def push(self, *, only: Sequence[str] = ()) -> RunResult:
        """Write flags and scores into the CRMs, within the limits; refused in `mode: preview`."""
        return _push(self._project, only=only)

    def run(self, *, dry_run: bool = False, only: Sequence[str] = ()) -> RunResult:
        """Pull, evaluate, record, and write where `mode: on` allows it."""
        return _run(self._project, dry_run=dry_run, only=only)


def open_project(folder: str | Path = ".", *, clock: Clock = system_clock) -> Project:
    """Open the project of a folder.

    Raises:
        ProblemsFound: with every mistake in its files, each at file:line:column.
        UsageError: there is no project in the folder.
    """
    return Project(_open(Path(folder), clock=clock))
