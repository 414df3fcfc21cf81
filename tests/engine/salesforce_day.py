"""A day of one Salesforce org and one project: run after run, and what the CRM and the cache hold in the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.project import open_project
from pipelint.engine.run import run
from pipelint.engine.run_result import ConnectionResult
from pipelint.errors import ExitCode
from pipelint.records import Stream
from pipelint.sandbox.salesforce import SalesforceSandbox

from .salesforce_org import PACK

RUNS = 4
OURS = ("Pipelint_Flags__c", "Pipelint_Severity__c", "Pipelint_Summary__c", "Pipelint_Hygiene__c")
STREAMS = (Stream.OPPORTUNITIES, Stream.ACCOUNTS, Stream.OWNERS, Stream.ACTIVITIES, Stream.STAGE_CHANGES)
MOVING = {"modified_at", "pull", "url"}
"""Columns that tell when and where something was read or written, not what it is."""

SETTINGS = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  acme:
    crm: salesforce
    base_url: {url}
    auth: {{flow: client_credentials, client_id: "${{file:client}}", client_secret: "${{file:secret}}"}}
    bulk_above: {bulk_above}
write_back: {{mode: "on", max_share: 100%}}
"""


@dataclass
class Outcome:
    """What the CRM and the cache hold in the end."""

    crm: Mapping[str, Mapping[str, object]]
    cache: Mapping[str, list[tuple[object, ...]]]


@dataclass
class Day:
    """One org and one project, run again and again."""

    sandbox: SalesforceSandbox
    folder: Path
    writes: Counter[str] = field(default_factory=Counter)
    results: list[ConnectionResult] = field(default_factory=list)

    def run(self) -> ConnectionResult:
        result = run(open_project(self.folder, clock=self.sandbox.clock.now)).connections["acme"]
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

    @property
    def deals(self) -> list[str]:
        return [str(row["Id"]) for row in self.sandbox.org.query("SELECT Id FROM Opportunity ORDER BY Id")]

    def outcome(self) -> Outcome:
        store = self.sandbox.org.store
        rows = store.find_all(store.schema["Opportunity"], IsDeleted=0)
        crm = {str(row["Id"]): {name: row[name] for name in OURS} for row in rows}
        with closing(Cache.open(self.folder / "cache.db")) as cache:
            held = {it.value: _rows(cache, it.value) for it in STREAMS}
        return Outcome(crm, held)


def _rows(cache: Cache, table: str) -> list[tuple[object, ...]]:
    columns = [row[1] for row in cache.db.execute(f"PRAGMA table_info({table})") if row[1] not in MOVING]
    listed = ", ".join(f'"{name}"' for name in columns)
    return sorted((tuple(row) for row in cache.db.execute(f"SELECT {listed} FROM {table}")), key=repr)


def project_in(folder: Path, sandbox: SalesforceSandbox, bulk_above: int) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    text = SETTINGS.format(url=sandbox.base_url, bulk_above=bulk_above)
    (folder / "pipelint.yaml").write_text(text, encoding="utf-8")
    (folder / "client").write_text(sandbox.client_id, encoding="utf-8")
    (folder / "secret").write_text(sandbox.client_secret, encoding="utf-8")


def count_writes(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is really written, whether or not the answer arrives."""
    writer = day.sandbox.org.writer
    update = writer.update

    def counted(access: Any, sobject: Any, record_id: str, given: Mapping[str, object]) -> None:
        update(access, sobject, record_id, given)
        if any(name.startswith("Pipelint_") for name in given):
            day.writes[record_id] += 1

    monkeypatch.setattr(writer, "update", counted)


def meet(day: Day, step: tuple[str, str], action: Callable[[], None]) -> None:
    """Do something right before the first request of this kind is answered."""
    control = day.sandbox._control
    work = control._work
    done: list[bool] = []

    def first(request: Any) -> Any:
        if request.method == step[0] and re.search(step[1], request.path) and not done:
            done.append(True)
            action()
        return work(request)

    control._work = first  # type: ignore[method-assign]
