"""The results of `runs` and `undo`."""

from __future__ import annotations

from collections.abc import Sequence

from pipelint.engine.runs import RunRow, Written
from pipelint.engine.undo import UndoResult, summary
from pipelint.render.documents import as_text
from pipelint.render.errors import render_error
from pipelint.render.run import plan_lines
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
            _seconds(row),
            _sum(row, "flagged"),
            _sum(row, "written"),
            _refused(row),
            _sum(row, "api_calls"),
        )
        for row in found
    ]
    headers = ("run", "mode", "seconds", "flagged", "written", "refused", "API calls")
    return table(headers, rows, color=color, right=(2, 3, 4, 5, 6))


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
    lines = [f"{row.id}  {row.mode}  started {row.started_at:%Y-%m-%d %H:%M:%S} UTC{end}"]
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
        return as_text(summary(result))
    lines = []
    for name, done in result.connections.items():
        lines.append(
            f"{name}: {plural(len(done.plan.records), 'record')} to restore, {plural(len(done.skipped), 'value')} left"
        )
        if planned:
            lines += plan_lines(done.plan.records)
        lines += [f"  left {each.kind}/{each.id} {each.field}: {each.why}" for each in done.skipped[:_SHOWN]]
        if done.push is not None:
            lines.append(f"  {plural(done.push.written, 'record')} restored")
            lines += [f"  refused {each.id}: {each.message} ({each.code})" for each in done.push.refused]
        error = done.error or (done.push.error if done.push else None)
        if error is not None:
            lines.append(render_error(error, color=False))
    if not result.connections:
        return "That run wrote nothing."
    if not planned:
        lines.append(
            f"Undone as run {result.run}; nothing more is written here before: pipelint push --resume"
        )
    return "\n".join(lines)


def _document(row: RunRow) -> dict[str, object]:
    ended = row.finished_at.isoformat() if row.finished_at else None
    started = row.started_at.isoformat()
    return {"run": row.id, "mode": row.mode, "pack": row.pack, "started_at": started, "finished_at": ended,
            "connections": row.summary.get("connections", {})}  # fmt: skip


def _seconds(row: RunRow) -> str:
    return f"{(row.finished_at - row.started_at).total_seconds():.1f}" if row.finished_at else "did not end"


def _sum(row: RunRow, key: str) -> str:
    return f"{sum(told.get(key, 0) for told in row.summary.get('connections', {}).values()):,}"


def _refused(row: RunRow) -> str:
    return f"{sum(len(told.get('refused', ())) for told in row.summary.get('connections', {}).values()):,}"


def _short(value: object) -> str:
    if value is None:
        return "(blank)"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value).replace("\n", " / ")
    return text if len(text) <= 80 else f"{text[:79]}…"
