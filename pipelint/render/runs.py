"""The results of `runs` and `undo`."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent
from typing import Any

from pipelint.engine.runs import RunRow, Written
from pipelint.engine.saved import as_json
from pipelint.engine.undo import UndoneConnection, UndoResult, summary
from pipelint.render.documents import as_text
from pipelint.render.errors import render_error
from pipelint.render.run import locked_text, plan_lines, refused_lines
from pipelint.render.table import plural, table

_SHOWN = 50


def render_runs(found: Sequence[RunRow], form: str, *, color: bool) -> str:
    """The latest runs, newest first."""
    if form == "json":
        return as_text({"schema": "pipelint.runs/1", "runs": [_document(row) for row in found]})
    if not found:
        return "No run has been recorded yet."
    rows = [
        (
            row.id,
            row.mode,
            # One at a time can be under way, so only the newest may be that one.
            "unfinished" if row.finished_at is None and row is found[0] else row.outcome,
            _seconds(row),
            _sum(row, "flagged"),
            f"{row.written:,}",
            _sum(row, "api_calls"),
        )
        for row in found
    ]
    headers = ("run", "mode", "outcome", "seconds", "flagged", "written", "API calls")
    return table(headers, rows, color=color, right=(3, 4, 5, 6))


def render_run(row: RunRow, written: Sequence[Written], form: str) -> str:
    """One run: what it came to, and every value it wrote or meant to write."""
    if form == "json":
        journal = [
            {"connection": w.connection, "kind": w.kind, "id": w.id, "field": w.field, "old": w.old, "new": w.new,
             "status": w.status, "code": w.code, "message": w.message}
            for w in written
        ]  # fmt: skip
        return as_text({"schema": "pipelint.run-journal/1", **_document(row), "journal": journal})
    end = f", ended {row.finished_at:%H:%M:%S} UTC" if row.finished_at else ", did not end"
    lines = [f"{row.id}  {row.mode}  {row.outcome}  started {row.started_at:%Y-%m-%d %H:%M:%S} UTC{end}"]
    if row.finished_at is None:
        lines.append(f"{plural(row.written, 'record')} written, as the journal tells")
    for name, told in row.summary.get("connections", {}).items():
        facts = [
            f"{told[key]:,} {key}"
            for key in ("pulled", "flagged", "planned", "written", "skipped")
            if key in told
        ]
        lines.append(f"{name}: {', '.join(facts)} ({plural(told.get('api_calls', 0), 'API call')})")
        lines += [
            f"  refused {each['id']}: {each['message']} ({each['code']})" for each in told.get("refused", ())
        ]
        if told.get("error"):
            lines.append(f"  stopped: {told['error']['message']}")
    lines += [
        f"  {w.status:<8} {w.kind}/{w.id} {w.field}: {_short(w.old)} → {_short(w.new)}"
        for w in written[:_SHOWN]
    ]
    if len(written) > _SHOWN:
        lines.append(f"  … and {len(written) - _SHOWN:,} more values: --format json shows all")
    return "\n".join(lines)


def render_undo(result: UndoResult, form: str, *, planned: bool) -> str:
    """What an undo would restore and leave, or did."""
    if form == "json":
        return as_text(_undone(result))
    lines = []
    for name, done in result.connections.items():
        lines += _connection(name, done, planned=planned)
    if not result.connections:
        return "That run wrote nothing."
    if any(done.push for done in result.connections.values()):
        lines.append(
            f"Undone as run {result.run}; nothing more is written here before: pipelint push --resume"
        )
    return "\n".join(lines)


def _connection(name: str, done: UndoneConnection, *, planned: bool) -> list[str]:
    if done.error is not None and not done.plan.records:
        return [f"{name}: stopped", indent(render_error(done.error, color=False), "  ")]
    some = plural(len(done.plan.records), "record") + " to restore"
    left = f", {plural(len(done.skipped), 'value')} left alone" if done.skipped else ""
    lines = [f"{name}: {some if done.plan.records else 'nothing left to restore'}{left}"]
    if planned and done.plan.records:
        lines += plan_lines(done.plan.records)
    lines += [
        f"  left alone {each.kind}/{each.id} {each.field}: {each.why}" for each in done.skipped[:_SHOWN]
    ]
    if len(done.skipped) > _SHOWN:
        lines.append(f"  … and {len(done.skipped) - _SHOWN:,} more left alone: --format json shows all")
    if done.push is not None:
        lines.append(f"  {plural(done.push.written, 'record')} restored")
        lines += refused_lines(done.push.refused)
        if done.push.locked:
            lines.append(f"  {locked_text(done.push.locked, 'another undo')}")
    if done.stopped_by is not None:
        lines += ["  stopped:", indent(render_error(done.stopped_by, color=False), "    ")]
    return lines


def _undone(result: UndoResult) -> dict[str, object]:
    """The document of an undo with every value: `changes` as in a plan, and what stays as it is."""
    document: dict[str, Any] = summary(result)
    for name, done in result.connections.items():
        document["connections"][name] |= {
            "changes": as_json([done.plan]).changes,
            "left_alone": done.skipped,
        }
    return document


def _document(row: RunRow) -> dict[str, object]:
    ended = row.finished_at.isoformat() if row.finished_at else None
    started = row.started_at.isoformat()
    return {"run": row.id, "mode": row.mode, "pack": row.pack, "started_at": started, "finished_at": ended,
            "outcome": row.outcome, "written": row.written,
            "connections": row.summary.get("connections", {})}  # fmt: skip


def _seconds(row: RunRow) -> str:
    return f"{(row.finished_at - row.started_at).total_seconds():.1f}" if row.finished_at else ""


def _sum(row: RunRow, key: str) -> str:
    return f"{sum(told.get(key, 0) for told in row.summary.get('connections', {}).values()):,}"


def _short(value: object) -> str:
    if value is None:
        return "(blank)"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value).replace("\n", " / ")
    return text if len(text) <= 80 else f"{text[:79]}…"
