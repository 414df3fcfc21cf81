"""Our fields in the CRMs: what is missing, creating it, and what `doctor` has to say about a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelint.config.project import Connection
from pipelint.connectors.base import Connector, Diagnosis, OwnField, Packaging, SetupStep
from pipelint.engine import shown
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.crm_schema import fields_now, load
from pipelint.engine.drift import drifts
from pipelint.engine.own_fields import own_fields
from pipelint.engine.prepare.words import Labels, stage_rows, stages_in_use
from pipelint.engine.project import Project
from pipelint.errors import PipelintError, UsageError


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What one connection needs, or got; `clicks` is what only an admin can do."""

    connection: str
    steps: tuple[SetupStep, ...]
    clicks: tuple[str, ...]
    applied: bool

    @property
    def open(self) -> bool:
        """Whether something is left to create."""
        return not self.applied and any(step.action not in {"ready", "conflict"} for step in self.steps)


def wanted_fields(project: Project, connection: Connection) -> tuple[OwnField, ...]:
    """All fields of ours on a connection, for every kind of record."""
    fields: list[OwnField] = []
    for kind in ("opportunity", "lead"):
        fields += own_fields(project.pack, connection.name, connection.crm, kind)
    return tuple(fields)


def setup(project: Project, only: Sequence[str] = (), *, apply: bool = False) -> Iterator[SetupResult]:
    """Plan our fields in each CRM that is written to, and create them where `apply` says so."""
    for connection in project.connections(only):
        if not connection.writes or connection.crm == "files":
            continue
        fields = wanted_fields(project, connection)
        with project.connect(connection) as connector:
            steps = tuple(connector.plan_setup(fields))
            if apply:
                if any(step.action == "create" for step in steps):
                    with project.cache() as cache, cache.transaction() as db:
                        shown.doubt_all(db, connection.name)
                for step in steps:
                    if step.action not in {"ready", "conflict"}:
                        connector.apply_setup(step)
            yield SetupResult(connection.name, steps, tuple(connector.clicks(fields)), apply)


@dataclass(frozen=True, slots=True)
class PackageResult:
    """The files for one connection, where they went, and what an admin does with them."""

    connection: str
    folder: Path
    files: tuple[str, ...]
    clicks: tuple[str, ...]


def package(project: Project, folder: Path, only: Sequence[str] = ()) -> Iterator[PackageResult]:
    """Write our fields as files to deploy, a folder for each connection where there are several.

    Raises:
        UsageError: no connection can be set up by files, or they cannot be written.
    """
    names = [each.name for each in project.connections(only) if each.writes and each.crm != "files"]
    found = False
    for connection in (each for each in project.connections(only) if each.name in names):
        fields = wanted_fields(project, connection)
        with project.connect(connection) as connector:
            if not isinstance(connector, Packaging):
                continue
            found = True
            to = folder / connection.name if len(names) > 1 else folder
            files = connector.package(fields)
            _write_files(to, files)
            clicks = tuple(connector.deploying(fields, str(to))) if files else ()
            yield PackageResult(connection.name, to, tuple(sorted(files)), clicks)
    if not found:
        raise UsageError("no connection's CRM takes packages", hint="run: pipelint setup --apply")


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "name a folder that can be written to"
        raise UsageError(f"{folder} cannot be written: {error.strerror}", hint=hint) from None


def diagnose(project: Project, only: Sequence[str] = ()) -> Iterator[tuple[str, Diagnosis]]:
    """Everything that could keep a connection from working, each with its cure."""
    for connection in project.connections(only):
        found: list[Diagnosis] = []
        try:
            with project.connect(connection) as connector, project.cache() as cache:
                fields = wanted_fields(project, connection) if connection.writes else ()
                found += connector.diagnose(fields)
                if not (found and found[0].level == "problem"):  # signed out, nothing else can be looked at
                    found += drifted(cache, project, connection, connector)
        except PipelintError as error:
            problem = Diagnosis("problem", error.message, error.hint)
            found += [problem] if problem not in found else []
            yield from ((connection.name, diagnosis) for diagnosis in found)
            continue
        yield from ((connection.name, diagnosis) for diagnosis in found)
        with project.cache() as cache:
            for diagnosis in unmapped_stages(cache, project, connection):
                yield connection.name, diagnosis


def drifted(
    cache: Cache, project: Project, connection: Connection, connector: Connector
) -> Iterator[Diagnosis]:
    """What the pack names and the CRM does not offer: fields as they are now, stages as the last pull found them."""
    before = load(cache.db, connection.name)
    now = list(fields_now(connector, before, project.clock()))
    kinds = {each.part for each in now}
    seen = [*now, *(each for each in before if each.part not in kinds)]
    for drift in drifts(project.pack, connection.name, connection.crm, seen):
        level: Literal["problem", "warning"] = "problem" if drift.problem.level == "error" else "warning"
        what = drift.problem.what.removeprefix(f"{connection.name}: ")
        yield Diagnosis(level, f"{drift.problem.place}: {what}", drift.problem.hint)


def unmapped_stages(cache: Cache, project: Project, connection: Connection) -> Iterator[Diagnosis]:
    """Stages in use that no pipeline of the pack maps."""
    used = stages_in_use(cache.db, connection.name)
    rows = stage_rows(cache.db, project.pack, connection.name, connection.crm, used)
    unmapped = [row for row in rows if row.number is None and not row.ignored]
    labels = Labels(cache.db, connection.name)
    for row in unmapped:
        count = cache.db.execute(
            "SELECT count(*) FROM opportunity WHERE connection = ? AND pipeline IS ? AND stage = ?",
            (connection.name, row.native_pipeline, row.native_stage),
        ).fetchone()[0]
        if count:
            stage, pipeline = labels.named(row.native_pipeline, row.native_stage)
            records = "1 record" if count == 1 else f"{count:,} records"
            what = f"the stage {stage} of {pipeline} is not mapped ({records})"
            yield Diagnosis(
                "problem", what, "add it to a pipeline's 'from:' in the rule files, or set 'ignore: yes'"
            )
    if rows and not unmapped:
        yield Diagnosis("ok", f"all {len(rows)} stages in use are mapped")
