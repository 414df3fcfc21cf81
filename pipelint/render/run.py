"""The results of `run` and `push`, and the plan of a dry run (architecture §5)."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

from pipelint.connectors.base import WriteValue
from pipelint.engine.plan import PlannedRecord
from pipelint.engine.run import ConnectionResult, RunResult, summary
from pipelint.engine.saved import as_json
from pipelint.render.documents import as_text
from pipelint.render.errors import render_error
from pipelint.render.table import plural

_SHOWN = 20


def render(result: RunResult, form: str, *, dry_run: bool) -> str:
    """The result as text or JSON; a dry run shows its plan."""
    if form == "json":
        plans = (each.plan for each in result.connections.values() if each.plan)
        return as_text(as_json(plans) if dry_run else summary(result))
    parts = [_connection(each, dry_run) for each in result.connections.values()]
    return "\n\n".join(parts)


def _connection(each: ConnectionResult, dry_run: bool) -> str:
    lines = [_summary(each)]
    if each.plan is not None:
        lines += [f"  {trouble}" for trouble in each.plan.trouble]
        if each.held_by:
            lines.append(f"  held since {each.held_by}: nothing is written before pipelint push --resume")
        if dry_run:
            lines += plan_lines(each.plan.records)
        elif each.push is None and each.plan.records and not each.error:
            count = plural(len(each.plan.records), "record")
            lines.append(f"  {count} would be written; 'mode: preview' holds them back (see push --dry-run)")
    if each.push:
        for refusal in each.push.refused[:_SHOWN]:
            lines.append(f"  refused {refusal.id}: {refusal.message} ({refusal.code})")
        if len(each.push.refused) > _SHOWN:
            lines.append(f"  … and {len(each.push.refused) - _SHOWN} more refused")
        if each.push.unknown:
            lines.append(
                f"  {plural(each.push.unknown, 'record')} of unknown outcome: the next run reads them back"
            )
    error = each.error or (each.push.error if each.push else None)
    if error is not None:
        lines.append(indent(f"stopped:\n{render_error(error, color=False)}", "  "))
    return "\n".join(lines)


def _summary(each: ConnectionResult) -> str:
    facts = []
    if each.pulled is not None:
        gone = f", {each.pulled.deleted:,} gone" if each.pulled.deleted else ""
        facts.append(f"{each.pulled.stored:,} pulled{gone}")
    facts += [f"{each.evaluated:,} checked", f"{each.flagged:,} flagged"]
    if each.push is not None:
        facts.append(f"{each.push.written:,} written")
        if each.push.refused:
            facts.append(f"{len(each.push.refused):,} refused")
    return (
        f"{each.connection}: {', '.join(facts)} ({plural(each.api_calls, 'API call')}, {each.seconds:.1f} s)"
    )


def plan_lines(records: Sequence[PlannedRecord]) -> list[str]:
    """The changes of a plan, old and new, field by field."""
    if not records:
        return ["  nothing to write"]
    lines = [f"  {plural(len(records), 'record')} would be written:"]
    for record in records[:_SHOWN]:
        lines.append(f"  {record.kind}/{record.id}  {record.changes[0].name if record.changes else ''}")
        lines += [
            f"    {change.field}: {_short(change.old)} → {_short(change.new)}" for change in record.changes
        ]
    if len(records) > _SHOWN:
        lines.append(f"  … and {len(records) - _SHOWN:,} more: --format json shows all")
    return lines


def _short(value: WriteValue) -> str:
    if value is None:
        return "(blank)"
    text = ", ".join(value) if isinstance(value, tuple) else str(value).replace("\n", " / ")
    return text if len(text) <= 100 else f"{text[:99]}…"
