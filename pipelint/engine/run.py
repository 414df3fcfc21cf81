"""One run: pull, evaluate, record, plan and write, connection by connection, under the project's lock."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from pipelint.config.project import Connection
from pipelint.connectors.base import Connector
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import sources
from pipelint.engine.drift import drift_of
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.engine.hold import held_by, release
from pipelint.engine.journal import settle
from pipelint.engine.judging import choose, flagged_elsewhere
from pipelint.engine.limits import exceeded
from pipelint.engine.lock import run_lock
from pipelint.engine.metrics import publish
from pipelint.engine.plan import Plan
from pipelint.engine.planner import Planner
from pipelint.engine.project import Project
from pipelint.engine.pull import Progress, pull, silent
from pipelint.engine.push import push as write
from pipelint.engine.rationed import affordable, ration
from pipelint.engine.record import Recorder
from pipelint.engine.refusals import refusal_findings
from pipelint.engine.run_document import summary
from pipelint.engine.run_result import ConnectionResult, RunResult
from pipelint.engine.runs import begin, finish, new_id
from pipelint.engine.saved import SavedPlan, load, restrict
from pipelint.engine.scope import Scope
from pipelint.engine.source import Source
from pipelint.engine.telemetry import log_begun, log_connection, log_ended
from pipelint.errors import CacheUnusable, PipelintError, UsageError
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.pack import Severity


def run(
    project: Project,
    *,
    dry_run: bool = False,
    only: Sequence[str] = (),
    retry_refused: bool = False,
    progress: Progress = silent,
) -> RunResult:
    """Do the whole job once; `mode: preview` and a dry run plan without writing, a dry run records nothing.

    `retry_refused` sends once more what the CRM refused earlier: somebody has mended the CRM.
    """
    return _Run(project, dry_run, progress, pulls=True, retry_refused=retry_refused).go(only)


def push(
    project: Project,
    *,
    dry_run: bool = False,
    only: Sequence[str] = (),
    saved: Path | None = None,
    resume: bool = False,
    retry_refused: bool = False,
    progress: Progress = silent,
) -> RunResult:
    """The same on what the cache holds, without pulling first.

    `saved` is a plan that somebody has looked at: exactly that is written, or nothing. `resume` lifts the hold
    that an undo leaves behind.

    Raises:
        UsageError: the project is in `mode: preview`, and this is no dry run; or the saved plan is none.
    """
    if project.file.write_back.mode == "preview" and not dry_run:
        raise UsageError(
            "this project is in preview: nothing is written into a CRM",
            hint="look at the plan with pipelint push --dry-run, then set write_back.mode: on in pipelint.yaml",
        )
    chosen = None if saved is None else load(saved)
    job = _Run(
        project, dry_run, progress, pulls=False, saved=chosen, resume=resume, retry_refused=retry_refused
    )
    return job.go(only)


class _Run:
    def __init__(
        self,
        project: Project,
        dry_run: bool,
        progress: Progress,
        *,
        pulls: bool,
        saved: SavedPlan | None = None,
        resume: bool = False,
        retry_refused: bool = False,
    ) -> None:
        self.project = project
        self.dry_run = dry_run
        self.progress = progress
        self.pulls = pulls
        self.saved = saved
        self.resume = resume
        self.retry_refused = retry_refused
        self.settings = project.file.write_back
        self.writes = self.settings.mode == "on" and not dry_run

    def go(self, only: Sequence[str]) -> RunResult:
        project = self.project
        chosen = project.connections(only)
        project.file.paths.create()
        with run_lock(project.file.paths.lock, clock=project.clock), project.cache() as cache:
            started = project.clock()
            result = RunResult(new_id(cache.db, started), started, self.settings.mode, self.dry_run)
            if not self.dry_run:
                begin(cache, result.run, started, project.pack, result.mode)
            log_begun(result)
            for connection in chosen:
                result.connections[connection.name] = self.connection(cache, connection, result)
            result.finished_at = project.clock()
            if not self.dry_run:
                finish(cache, result.run, result.finished_at, summary(result))
            log_ended(result)
            if project.file.metrics and self.pulls and not self.dry_run:
                publish(result, project.file.metrics)
        return result

    def connection(self, cache: Cache, connection: Connection, whole: RunResult) -> ConnectionResult:
        """One connection from end to end; what fails here does not concern the others."""
        result = ConnectionResult(connection.name, connection.crm, off=not connection.writes)
        started = self.project.clock()
        try:
            self.project.stopping.check()
            with self.project.connect(connection) as connector:
                try:
                    self.steps(cache, connection, connector, whole.run, result)
                finally:
                    result.api_calls = connector.api_calls
                    result.calls_left = connector.calls_left
        except CacheUnusable:
            raise
        except PipelintError as error:
            result.error = error
        result.seconds = (self.project.clock() - started).total_seconds()
        log_connection(result)
        return result

    def steps(
        self, cache: Cache, connection: Connection, connector: Connector, run: str, result: ConnectionResult
    ) -> None:
        project = self.project
        if self.pulls:
            self.pull_changes(cache, connection, connector, result)
        result.drift = drift_of(cache, project.pack, connection.name, connection.crm)
        if self.resume and not self.dry_run:
            release(cache, connection.name)
        result.held_by = held_by(cache.db, connection.name)
        writes = self.writes and result.held_by is None
        if connection.writes and connector.write_limits.batch:
            result.plan = self.empty_plan(connection)
            if writes:
                settle(cache, connector, project.clock())
        # One moment for all kinds of record, so that a run over midnight does not see two days.
        as_of = project.clock()
        for source in sources(cache, project, connection, as_of):
            project.stopping.check()
            plan = result.plan
            planner = None if plan is None else self.planner(plan, cache, connector, source, writes=writes)
            result.evaluated += _count(cache.db, source)
            self.judge(cache, source, planner, run, result)
        if result.plan is not None:
            self.write_back(cache, connector, result.plan, run, result, writes=writes)
        result.findings += refusal_findings(cache, connection.name, connection.crm)

    def pull_changes(
        self, cache: Cache, connection: Connection, connector: Connector, result: ConnectionResult
    ) -> None:
        """What changed; half of it is an error, for it would resolve flags that are still true."""
        project = self.project
        result.pulled = pull(
            cache,
            connector,
            project.custom_fields(connection),
            clock=project.clock,
            stopping=project.stopping,
            progress=self.progress,
        )
        if result.pulled.error:
            raise result.pulled.error

    def planner(
        self, plan: Plan, cache: Cache, connector: Connector, source: Source, *, writes: bool
    ) -> Planner:
        return Planner(
            plan,
            cache,
            connector,
            source,
            self.scope(plan),
            preview=not writes,
            retry_refused=self.retry_refused,
            most=affordable(connector, plan, source.compiled.kind) if self.saved is None else None,
        )

    def write_back(
        self,
        cache: Cache,
        connector: Connector,
        plan: Plan,
        run: str,
        result: ConnectionResult,
        *,
        writes: bool,
    ) -> None:
        """Hold the plan against its limits, and carry it out where this run `writes`."""
        if self.saved is not None:
            restrict(plan, self.saved)
        result.limit = exceeded(plan, self.settings)
        result.ration = ration(plan, connector) if self.saved is None else None
        if not writes:
            return
        if result.limit:
            raise result.limit
        project = self.project
        result.push = write(cache, connector, plan, run, clock=project.clock, stopping=project.stopping)

    def judge(
        self, cache: Cache, source: Source, planner: Planner | None, run: str, result: ConnectionResult
    ) -> None:
        """Record and plan one kind of record; what ends in between is done again by the next run."""
        with cache.transaction() as db:
            carries_out = self.writes or self.dry_run
            judging = choose(cache, source, planner.basis if planner else "", owed=carries_out)
            recorder = None if self.dry_run else Recorder(db, source, run)
            judged = self.judged(cache, source, recorder, result.flagged_by)
            if planner:
                planner.look(judged)
            else:
                deque(judged, maxlen=0)
            if recorder:
                recorder.finish()
            result.flagged_by += flagged_elsewhere(db, source)
        if planner:
            planner.plan()
        if not self.dry_run:
            with cache.transaction() as db:
                if planner:
                    planner.remember(db)
                judging.remember(db)

    def judged(
        self, cache: Cache, source: Source, recorder: Recorder | None, flagged_by: Counter[Severity]
    ) -> Iterator[tuple[str, list[Finding]]]:
        """The findings of each record that has any as the CRM will tell them, recorded on their way."""
        language = source.pack.settings.languages[0]
        found = findings(cache, source, language=language, ages=False, chosen=True)
        for record, of_record in groupby(found, lambda finding: finding.id):
            all_ = list(of_record)
            if recorder:
                recorder.take(record, all_)
            flags = [finding.severity for finding in all_ if finding.status == "flagged"]
            flagged_by.update(flags and [max(flags, key=SEVERITY_NUMBER.__getitem__)])
            yield record, [finding for finding in all_ if finding.status != "pending"]

    def empty_plan(self, connection: Connection) -> Plan:
        """A pilot lasts as long as it stands in the file: nobody else is written to by surprise."""
        return Plan(connection.name, pilot=self.settings.first_push is not None)

    def scope(self, plan: Plan) -> Scope:
        pilot = self.settings.first_push
        return Scope(pilot.pipelines, pilot.owners) if plan.pilot and pilot else Scope()


def _count(db: sqlite3.Connection, source: Source) -> int:
    return int(db.execute(f'SELECT count(*) FROM "{source.table}"').fetchone()[0])
