"""What a run costs between the first of a local day and the next: a quiet one, and one after 1,000 changes.

    python benchmarks/runs.py [OPPORTUNITIES]

A CRM in memory delivers only what changed, as real ones do. All figures of one call share the machine's mood:
compare ratios, not seconds. Memory is the highest that the process reached so far. Nothing is written here, so
that memory holds a plan of nearly all records.

20,000 opportunities, 60,000 activities, the default pack, seconds of one busy core:

    first run: pull and judge all         20.08 s   157 MB
    first run of a day                    18.06 s   163 MB
    quiet run                              0.18 s   163 MB
    run after 1,000 changes                3.16 s   163 MB    (3,000 looked at: accounts have three each)
"""

# ruff: noqa: ARG002 - a connector is asked for more than this one needs to know
from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import cast

from pydantic import BaseModel

from pipelint.connectors import registry
from pipelint.connectors.base import (
    ConnectContext,
    Diagnosis,
    FieldInfo,
    Kind,
    OwnField,
    Page,
    Supply,
    WriteLimits,
    WriteValue,
)
from pipelint.connectors.files.read_only import ReadOnly
from pipelint.engine.project import Project, open_project
from pipelint.engine.run import run
from pipelint.records import (
    RECORD_TYPES,
    Activity,
    ActivityLink,
    ContactRole,
    Opportunity,
    Owner,
    Record,
    StageChange,
    Stream,
)

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
CHANGED = 1000
_PAGE = 2000
_PACK = """\
pipelint: 1
pack: {name: bench, time_zone: Europe/Paris, languages: [en]}
uses: [default@1]
stages:
  - {name: qualify, kind: open, group: early}
  - {name: propose, kind: open, group: late}
  - {name: won, kind: won}
pipelines: {sales: {stages: {qualify: {}, propose: {}, won: {}}}}
"""
_PROJECT = """\
pipelint: 1
connections: {bench: {crm: bench}}
write_back: {mode: preview}
"""


@dataclass
class Crm:
    """The organisation, and which of its opportunities changed since the last pull."""

    size: int
    now: datetime = START
    changed: list[int] = field(default_factory=list)
    pulled: bool = False

    def clock(self) -> datetime:
        return self.now

    def records(self, stream: Stream) -> Iterator[Record]:
        numbers = self.changed if self.pulled else range(self.size)
        match stream:
            case Stream.OWNERS:
                yield from (
                    ()
                    if self.pulled
                    else (Owner(f"u{n}", START, f"Owner {n}", active=True) for n in range(50))
                )
            case Stream.OPPORTUNITIES:
                yield from map(self.opportunity, numbers)
            case Stream.CONTACT_ROLES:
                yield from (ContactRole(f"r{n}", START, f"o{n}", f"c{n}", "Decision Maker") for n in numbers)
            case Stream.STAGE_CHANGES:
                at = START - timedelta(days=60)
                yield from (
                    StageChange(f"s{n}", f"o{n}", None, "qualify", at) for n in numbers if not self.pulled
                )
            case Stream.ACTIVITIES:
                for n in numbers:
                    for number in range(3):
                        name = f"t{n}-{number}"
                        done = START - timedelta(days=n % 40 + number)
                        yield Activity(name, START, "call", "outbound", f"Call {n}", happened_at=done)
                        yield ActivityLink("opportunity", f"o{n}", name)

    def opportunity(self, n: int) -> Opportunity:
        return Opportunity(
            id=f"o{n}",
            modified_at=self.now,
            name=f"Opportunity {n}",
            amount=None if n % 10 == 0 else Decimal(1000 + n + (self.now - START).days),
            pipeline="sales",
            stage=("qualify", "propose", "won")[n % 3],
            is_open=n % 3 < 2,
            close_date=(START + timedelta(days=n % 120 - 5)).date(),
            created_at=START - timedelta(days=60),
            next_step=None if n % 7 == 0 else f"Call them about {self.now}",
            owner=f"u{n % 50}",
            account=f"a{n // 3}",
            source="Web",
            type="New",
        )


class Settings(BaseModel):
    crm: str


class Package:
    """What the registry loads for `crm: bench`."""

    Settings = Settings

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def connect(self, name: str, settings: BaseModel, context: ConnectContext) -> Connector:
        return Connector(name, self.crm)


class Connector(ReadOnly):
    """Pulls what changed; offers our fields; a preview never writes."""

    crm = "bench"
    write_limits = WriteLimits(200)  # how many a plan would write together
    api_calls = 0
    calls_left = None

    def __init__(self, name: str, crm: Crm) -> None:
        self.name = name
        self.org = crm

    def streams(self) -> Sequence[Stream]:
        return (
            Stream.OWNERS,
            Stream.OPPORTUNITIES,
            Stream.CONTACT_ROLES,
            Stream.ACTIVITIES,
            Stream.STAGE_CHANGES,
        )

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        return Supply(stream, frozenset(RECORD_TYPES[stream]._fields))

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        full = cursor is None
        records = self.org.records(stream)
        first = True
        while batch := list(islice(records, _PAGE)):
            yield Page(stream, batch, "next", begins_full=full and first)
            first = False
        yield Page(stream, (), "next", begins_full=full and first, ends_full=full)

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        return ()

    def diagnose(self, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
        return iter(())

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        return ((record, {}) for record in ids)

    def close(self) -> None:
        """Nothing to give back."""


def project(folder: Path, crm: Crm) -> Project:
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(_PACK, encoding="utf-8")
    (folder / "pipelint.yaml").write_text(_PROJECT, encoding="utf-8")
    cast("dict[str, str]", registry.BUILT_IN)["bench"] = "bench_package"
    sys.modules["bench_package"] = cast("ModuleType", Package(crm))
    return open_project(folder, clock=crm.clock)


def timed(name: str, job: Project, crm: Crm) -> float:
    started = time.process_time()
    result = run(job).connections["bench"]
    seconds = time.process_time() - started
    crm.pulled, crm.changed = True, []
    assert result.error is None, result.error
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:34} {seconds:8.2f} s   {result.flagged:9,} flagged   {peak:7.0f} MB", flush=True)
    return seconds


def main(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        crm = Crm(size)
        job = project(Path(folder), crm)
        timed("first run: pull and judge all", job, crm)
        crm.now += timedelta(days=1)
        full = timed("first run of a day", job, crm)
        crm.now += timedelta(minutes=15)
        quiet = timed("quiet run", job, crm)
        crm.now += timedelta(minutes=15)
        crm.changed = list(range(0, size, max(1, size // CHANGED)))[:CHANGED]
        some = timed(f"run after {len(crm.changed):,} changes", job, crm)
        print(f"first run of a day = {full / quiet:.0f} quiet ones = {full / some:.1f} with changes")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
