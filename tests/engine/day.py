"""A day of one CRM and one project: run after run, and what the CRM and the cache hold in the end."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.project import Project, open_project
from pipelint.engine.run import run
from pipelint.engine.run_result import ConnectionResult
from pipelint.errors import ExitCode
from pipelint.records import Stream
from pipelint.sandbox.server import Sandbox

RUNS = 4
STREAMS = (
    Stream.OPPORTUNITIES,
    Stream.ACCOUNTS,
    Stream.OWNERS,
    Stream.ACTIVITIES,
    Stream.STAGE_CHANGES,
    Stream.CONTACT_ROLES,
)
MOVING = {"modified_at", "pull", "url"}
"""Columns that tell when and where something was read or written, not what it is."""


S = TypeVar("S", bound=Sandbox)


@dataclass
class Outcome:
    """What the CRM and the cache hold in the end."""

    crm: Mapping[str, Mapping[str, object]]
    cache: Mapping[str, list[tuple[object, ...]]]


@dataclass
class Day(ABC, Generic[S]):
    """One CRM and one project, run again and again."""

    sandbox: S
    folder: Path
    writes: Counter[str] = field(default_factory=Counter)
    results: list[ConnectionResult] = field(default_factory=list)

    @property
    @abstractmethod
    def deals(self) -> list[str]:
        """The ids of all deals, in order."""

    @abstractmethod
    def crm(self) -> Mapping[str, Mapping[str, object]]:
        """Our fields of each deal."""

    @property
    def project(self) -> Project:
        return open_project(self.folder, clock=self.sandbox.clock.now)

    def run(self) -> ConnectionResult:
        result = run(self.project).connections["acme"]
        self.results.append(result)
        self.sandbox.clock.advance(timedelta(minutes=15))
        return result

    def run_until_well(self) -> None:
        """As a schedule would; a fault that does not pass by itself is mended after the first time."""
        for _ in range(RUNS):
            if self.run().exit_code is ExitCode.OK:
                return
            self.sandbox.faults.clear()
        pytest.fail(f"still not well: {[(it.exit_code, it.error) for it in self.results]}")

    def outcome(self) -> Outcome:
        with closing(Cache.open(self.folder / "cache.db")) as cache:
            held = {it.value: _rows(cache, it.value) for it in STREAMS}
        return Outcome(self.crm(), held)

    def ends_well(self, expected: Outcome) -> None:
        self.run_until_well()
        assert self.outcome() == expected
        assert set(self.writes.values()) == {1}, "nothing is written twice"
        self.run()
        assert set(self.writes.values()) == {1}, "and nothing again in the next run"

    def meet(self, step: tuple[str, str], action: Callable[[], None]) -> None:
        """Do something right before the first request of this kind is answered."""
        control: Any = self.sandbox._control
        work = control._work
        done: list[bool] = []

        def first(request: Any) -> Any:
            if request.method == step[0] and re.search(step[1], request.full_path.rstrip("?")) and not done:
                done.append(True)
                action()
            return work(request)

        control._work = first


def _rows(cache: Cache, table: str) -> list[tuple[object, ...]]:
    columns = [row[1] for row in cache.db.execute(f"PRAGMA table_info({table})") if row[1] not in MOVING]
    listed = ", ".join(f'"{name}"' for name in columns)
    return sorted((tuple(row) for row in cache.db.execute(f"SELECT {listed} FROM {table}")), key=repr)
