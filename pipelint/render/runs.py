"""The results of `runs` and `undo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

from pipelint.engine.refusals import as_json as refusals_json
from pipelint.engine.runs import RunRow, Written
from pipelint.engine.saved import as_json
from pipelint.engine.undo import GONE, Skipped, UndoneConnection, UndoResult, summary
from pipelint.render.documents import as_text
from pipelint.render.errors import render_error
from pipelint.render.run import held_text, locked_text, plan_lines, refused_lines
from pipelint.render.table import plural, table

_SHOWN = 50
_IF_ANY = {
    "skipped": "values left alone",
    "carried_over": "carried over",
    "gone": "gone meanwhile",
    "locked": "locked",
    "unknown": "of unknown outcome",
}


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
    outcome, end = row.outcome, f"ended {row.finished_at:%H:%M:%S} UTC" if row.finished_at else ""
    if row.finished_at is None:
        outcome, end = "unfinished", f"{plural(row.written, 'record')} written, as the journal tells"
    lines = [f"{row.id}  {row.mode}  {outcome}  started {row.started_at:%Y-%m-%d %H:%M:%S} UTC, {end}"]
    for name, told in row.summary.get("connections", {}).items():
        lines += _told(name, told)
    lines += [
        f"  {w.status:<8} {w.kind}/{w.id} {w.field}: {_short(w.old)} → {_short(w.new)}"
        for w in written[:_SHOWN]
    ]
    if len(written) > _SHOWN:
        lines.append(f"  … and {len(written) - _SHOWN:,} more values: --format json shows all")
    return "\n".join(lines)


def _told(name: str, told: Mapping[str, Any]) -> list[str]:
    """What one connection came to, from the document of its run."""
    facts = [f"{told[key]:,} {key}" for key in ("pulled", "flagged", "planned", "written") if key in told]
    facts += [f"{told[key]:,} {text}" for key, text in _IF_ANY.items() if told.get(key)]
    cost = f"{plural(told['api_calls'], 'API call')}, {told['seconds']:.1f} s"
    lines = [f"{name}: {', '.join(facts)} ({cost})"]
    if told.get("held_by"):
        lines.append(f"  {held_text(told['held_by'])}")
    lines += refused_lines(told["refused"])
    if told["error"]:
        lines += ["  stopped:", f"    error: {told['error']['message']}"]
        lines += [f"      = {told['error']['hint']}"] if told["error"]["hint"] else []
    return lines


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
    alone = _left_alone(done.skipped)
    lines += alone[:_SHOWN]
    if len(alone) > _SHOWN:
        lines.append(f"  … and {len(alone) - _SHOWN:,} more left alone: --format json shows all")
    if done.push is not None:
        lines.append(f"  {plural(done.push.written, 'record')} restored")
        lines += refused_lines(refusals_json(done.push.refused))
        if done.push.locked:
            lines.append(f"  {locked_text(done.push.locked, 'another undo')}")
    if done.stopped_by is not None:
        lines += ["  stopped:", indent(render_error(done.stopped_by, color=False), "    ")]
    return lines


def _left_alone(skipped: Sequence[Skipped]) -> list[str]:
    """One line for the values of a record that are left alone for the same reason."""
    fields: dict[tuple[str, str, str], list[str]] = {}
    for each in skipped:
        fields.setdefault((each.kind, each.id, each.why), []).append(each.field)
    return [
        f"  left alone {kind}/{record}{'' if why == GONE else ' ' + ', '.join(names)}: {why}"
        for (kind, record, why), names in fields.items()
    ]


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
