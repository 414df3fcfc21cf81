"""Taking back what a run wrote, wherever the value is still ours; itself journalled, and so undoable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelint.connectors.base import Connector, WriteValue
from pipelint.engine import shown as memory
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.hold import hold
from pipelint.engine.journal import settle
from pipelint.engine.lock import run_lock
from pipelint.engine.own_fields import as_named
from pipelint.engine.plan import Plan, PlannedChange, PlannedRecord
from pipelint.engine.project import Project
from pipelint.engine.push import PushResult, push
from pipelint.engine.refusals import as_json as refusals_json
from pipelint.engine.runs import Written, begin, error_json, find_run, finish, new_id, written_by
from pipelint.engine.shown import Shown
from pipelint.engine.values import Plain, one_from_json, plain, typed
from pipelint.errors import CacheUnusable, ExitCode, PipelintError, UsageError
from pipelint.rules.catalogue import RECORD_STREAM, RecordKind

_READ = 2000
GONE = "the record is gone"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A value that stays as it is, and why."""

    kind: str
    id: str
    field: str
    why: str


@dataclass(slots=True)
class UndoneConnection:
    """What is, or was, taken back on one connection."""

    plan: Plan
    skipped: list[Skipped] = field(default_factory=list)
    push: PushResult | None = None
    error: PipelintError | None = None
    api_calls: int = 0
    seconds: float = 0.0

    @property
    def stopped_by(self) -> PipelintError | None:
        """What ended its work early."""
        return self.error or (self.push.error if self.push else None)


@dataclass(slots=True)
class UndoResult:
    """What an undo would do, or did; `run` is its own id, empty while it is only planned."""

    of: str
    run: str = ""
    connections: dict[str, UndoneConnection] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """The highest that a connection reached."""
        codes = [ExitCode.OK]
        for each in self.connections.values():
            codes += [each.stopped_by.exit_code] if each.stopped_by else []
            if each.push and each.push.incomplete:
                codes.append(ExitCode.INCOMPLETE)
        return max(codes)


def undo(project: Project, run: str, *, dry_run: bool = False) -> UndoResult:
    """Restore what a run wrote; a dry run shows what would be restored, what not, and why.

    Each connection that it restores something in is held afterwards: its runs write nothing until
    `push --resume`.

    Raises:
        UsageError: there is no such run.
    """
    project.file.paths.create()
    with run_lock(project.file.paths.lock, clock=project.clock), project.cache() as cache:
        find_run(cache, run)
        result = UndoResult(run)
        started = project.clock()
        if not dry_run:
            result.run = new_id(cache.db, started)
            begin(cache, result.run, started, project.pack, f"undo {run}")
        by_connection: dict[str, list[Written]] = {}
        for line in written_by(cache, run):
            by_connection.setdefault(line.connection, []).append(line)
        for name in by_connection:
            done = result.connections[name] = UndoneConnection(Plan(name))
            begun = project.clock()
            try:
                _connection(cache, project, name, result, dry_run=dry_run)
            except CacheUnusable:
                raise
            except PipelintError as error:
                done.error = error
            done.seconds = (project.clock() - begun).total_seconds()
        if not dry_run:
            finish(cache, result.run, project.clock(), summary(result))
    return result


def summary(result: UndoResult) -> dict[str, object]:
    """What is kept of an undo beside its journal."""
    told = {
        name: {
            "planned": len(done.plan.records),
            "written": done.push.written if done.push else 0,
            "skipped": len(done.skipped),
            "api_calls": done.api_calls,
            "seconds": round(done.seconds, 3),
            "refused": refusals_json(done.push.refused if done.push else ()),
            "unknown": done.push.unknown if done.push else 0,
            "locked": done.push.locked if done.push else 0,
            "error": error_json(done.stopped_by),
        }
        for name, done in result.connections.items()
    }
    return {
        "schema": "pipelint.undo/1",
        "run": result.run,
        "undo": result.of,
        "exit_code": int(result.exit_code),
        "connections": told,
    }


def _connection(cache: Cache, project: Project, name: str, result: UndoResult, *, dry_run: bool) -> None:
    done = result.connections[name]
    [connection] = project.connections([name])
    if not connection.writes:
        raise UsageError(
            f"'write_back: off' at {name} in pipelint.yaml forbids to write there, to restore something too",
            hint="take it out, and say 'mode: preview' under write_back: then nothing but this undo writes",
        )
    with project.connect(connection) as connector:
        try:
            _restore(cache, project, connector, result, dry_run=dry_run)
        finally:
            done.api_calls = connector.api_calls


def _restore(
    cache: Cache, project: Project, connector: Connector, result: UndoResult, *, dry_run: bool
) -> None:
    name, done = connector.name, result.connections[connector.name]
    if not dry_run:
        settle(cache, connector, project.clock())
    lines = [
        line for line in written_by(cache, result.of) if line.connection == name and line.status == "written"
    ]
    since = _written_since(cache, name, result.of)
    for kind in ("opportunity", "lead"):
        of_kind = [line for line in lines if line.kind == kind]
        if of_kind:
            _plan(cache, connector, kind, of_kind, since, done)
    if done.plan.records and not dry_run:
        # Before the first write: killed after it, the next run must not write the same again.
        hold(cache, name, result.run, project.clock())
        done.push = push(
            cache, connector, done.plan, result.run, clock=project.clock, stopping=project.stopping
        )


def _plan(
    cache: Cache,
    connector: Connector,
    kind: RecordKind,
    lines: Sequence[Written],
    since: Mapping[tuple[str, str, str], tuple[str, Plain]],
    into: UndoneConnection,
) -> None:
    infos = as_named(connector.fields(kind))
    fields = {line.field for line in lines}
    names = sorted(fields & infos.keys())
    by_record: dict[str, list[Written]] = {}
    for line in lines:
        if line.field in infos:
            by_record.setdefault(line.id, []).append(line)
        else:
            into.skipped.append(Skipped(kind, line.id, line.field, "the field is not there any more"))
    ids = list(by_record)
    for first in range(0, len(ids), _READ):
        some = ids[first : first + _READ]
        current = dict(connector.read(kind, some, names))
        rows = _records(cache, connector.name, kind, some)
        for record in some:
            restored: dict[str, WriteValue] = {}
            for line in by_record[record]:
                if record not in current:
                    why = GONE
                elif plain(current[record][line.field]) != line.new:
                    later, new = since.get((kind, record, line.field), ("", None))
                    ours = later and plain(current[record][line.field]) == new
                    why = f"run {later} has written it since" if ours else "the value has changed since"
                else:
                    restored[line.field] = typed(line.old, infos[line.field].type)
                    continue
                into.skipped.append(Skipped(kind, record, line.field, why))
            if restored:
                held = memory.load(cache.db, connector.name, kind, record) or Shown({})
                into.plan.records.append(
                    _planned(connector.name, kind, record, rows.get(record), current[record], restored, held)
                )


def _written_since(cache: Cache, connection: str, run: str) -> dict[tuple[str, str, str], tuple[str, Plain]]:
    """By kind, record and field, what a later run wrote last, and which."""
    query = """
        SELECT kind, record, field, run, new FROM journal
        WHERE id > (SELECT max(id) FROM journal WHERE run = ?) AND connection = ? AND status = 'written'
        ORDER BY id
    """
    rows = cache.db.execute(query, (run, connection))
    return {(kind, record, field): (later, one_from_json(new)) for kind, record, field, later, new in rows}


def _planned(
    connection: str,
    kind: RecordKind,
    record: str,
    row: tuple[str, str, int] | None,
    current: Mapping[str, WriteValue],
    restored: Mapping[str, WriteValue],
    held: Shown,
) -> PlannedRecord:
    name, group, modified_at = row or ("", "", 0)
    fields = {**held.fields, **{field: plain(value) for field, value in current.items()}}
    wanted = {field: plain(value) for field, value in restored.items()}
    after = {**fields, **wanted}
    return PlannedRecord(
        kind=kind,
        id=record,
        group=group,
        modified_at=modified_at,
        changes=tuple(
            PlannedChange(connection, kind, record, name, field, current[field], value)
            for field, value in restored.items()
        ),
        wanted=wanted,
        holds=Shown(fields, held.parts, held.basis),
        # Without a basis, so that what is true is written again once the hold is lifted.
        shows=Shown(after, held.parts if any(after.values()) else (), ""),
        written_before=True,
    )


def _records(
    cache: Cache, connection: str, kind: RecordKind, ids: Sequence[str]
) -> dict[str, tuple[str, str, int]]:
    """Name, account and modification stamp of some records."""
    account = "account" if kind == "opportunity" else "NULL"
    marks = ", ".join("?" * len(ids))
    query = f"""
        SELECT id, coalesce(name, ''), coalesce({account}, ''), modified_at FROM {RECORD_STREAM[kind].value}
        WHERE connection = ? AND id IN ({marks})
    """
    return {row[0]: (row[1], row[2], row[3]) for row in cache.db.execute(query, (connection, *ids))}
