"""The rows that runs leave behind, and what they tell afterwards: counts, calls, durations, every write."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from pipelint.config.problems import did_you_mean
from pipelint.engine.cache.encode import instant, microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.values import Plain, one_from_json
from pipelint.errors import PipelintError, UsageError
from pipelint.rules.pack import Pack


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, push or undo; `summary` is its document as it was printed, empty where it did not end.

    `written` are the records that it wrote: of a run that did not end, those in its journal.
    """

    id: str
    started_at: datetime
    finished_at: datetime | None
    pack: str
    mode: str
    summary: Mapping[str, Any]
    written: int = 0

    @property
    def outcome(self) -> str:
        """In a word: ok, held, stopped, refused with a number, incomplete, or killed."""
        if self.finished_at is None:
            return "killed"
        told = self.summary.get("connections", {}).values()
        if any(each.get("error") for each in told):
            return "stopped"
        refused = sum(not each.get("since") for one in told for each in one.get("refused", ()))
        if refused:
            return f"refused {refused:,}"
        if self.summary.get("exit_code"):
            return "incomplete"
        return "held" if any(each.get("held_by") for each in told) else "ok"


@dataclass(frozen=True, slots=True)
class Written:
    """One line of the journal."""

    connection: str
    kind: str
    id: str
    field: str
    old: Plain
    new: Plain
    status: str
    code: str
    message: str


def error_json(error: PipelintError | None) -> dict[str, str] | None:
    """An error as every document holds it."""
    return {"message": error.message, "hint": error.hint} if error else None


def new_id(db: sqlite3.Connection, started: datetime) -> str:
    """The time at which a run started, which people can type; a number is added within the same second."""
    base = started.strftime("%Y%m%d-%H%M%S")
    taken = {name for (name,) in db.execute("SELECT id FROM run WHERE id LIKE ? || '%'", (base,))}
    number = 1
    while (name := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return name


def begin(cache: Cache, run: str, at: datetime, pack: Pack, mode: str) -> None:
    """A run has begun."""
    row = (run, microseconds(at), microseconds(at), pack.settings.name, pack.hash, mode)
    with cache.transaction() as db:
        db.execute(
            "INSERT INTO run (id, started_at, as_of, pack, pack_hash, mode) VALUES (?, ?, ?, ?, ?, ?)", row
        )


def finish(cache: Cache, run: str, at: datetime, summary: Mapping[str, object]) -> None:
    """A run has ended, with this to tell."""
    text = msgspec.json.encode(summary).decode()
    with cache.transaction() as db:
        db.execute("UPDATE run SET finished_at = ?, summary = ? WHERE id = ?", (microseconds(at), text, run))


def runs(cache: Cache, limit: int = 20) -> list[RunRow]:
    """The latest runs, newest first."""
    query = (
        "SELECT id, started_at, finished_at, pack, mode, summary FROM run"
        " ORDER BY started_at DESC, id DESC LIMIT ?"
    )
    return [_row(cache.db, *row) for row in cache.db.execute(query, (limit,)).fetchall()]


def last_run(cache: Cache) -> RunRow:
    """The latest run.

    Raises:
        UsageError: there is none.
    """
    latest = runs(cache, 1)
    if not latest:
        raise UsageError("no run has been recorded yet", hint="begin with: pipelint run")
    return latest[0]


def find_run(cache: Cache, run: str) -> RunRow:
    """One run by its id.

    Raises:
        UsageError: there is none.
    """
    query = "SELECT id, started_at, finished_at, pack, mode, summary FROM run WHERE id = ?"
    row = cache.db.execute(query, (run,)).fetchone()
    if row is None:
        known = [name for (name,) in cache.db.execute("SELECT id FROM run ORDER BY started_at DESC LIMIT 20")]
        hint = did_you_mean(run, known) or "see 'pipelint runs'"
        raise UsageError(f"there is no run '{run}'", hint=hint)
    return _row(cache.db, *row)


def written_by(cache: Cache, run: str) -> list[Written]:
    """Every line of a run's journal, in the order of writing."""
    query = """
        SELECT connection, kind, record, field, old, new, status, coalesce(code, ''), coalesce(message, '')
        FROM journal WHERE run = ? ORDER BY id
    """
    return [
        Written(
            connection, kind, record, field, one_from_json(old), one_from_json(new), status, code, message
        )
        for connection, kind, record, field, old, new, status, code, message in cache.db.execute(
            query, (run,)
        )
    ]


def _row(
    db: sqlite3.Connection,
    run: str,
    started: int,
    finished: int | None,
    pack: str,
    mode: str,
    summary: str | None,
) -> RunRow:
    told = msgspec.json.decode(summary) if summary else {}
    written = sum(each.get("written", 0) for each in told.get("connections", {}).values())
    return RunRow(
        run,
        instant(started),
        None if finished is None else instant(finished),
        pack,
        mode,
        told,
        written if summary else _in_journal(db, run),
    )


def _in_journal(db: sqlite3.Connection, run: str) -> int:
    """The records that a run is known to have written; what it sent last is found out by the next run."""
    query = """
        SELECT count(*) FROM (
          SELECT DISTINCT connection, kind, record FROM journal WHERE run = ? AND status = 'written'
        )
    """
    return int(db.execute(query, (run,)).fetchone()[0])
