"""The results of `run` and `push`, and the plan of a dry run (architecture §5)."""

from __future__ import annotations

import json
from textwrap import indent
from typing import Any

from pipelint.connectors.base import WriteValue
from pipelint.engine.run import ConnectionResult, RunResult
from pipelint.render.errors import render_error
from pipelint.render.table import plural

_SHOWN = 20


def render(result: RunResult, form: str, *, dry_run: bool) -> str:
    """The result as text or JSON; a dry run shows its plan."""
    if form == "json":
        found = plan_document(result) if dry_run else document(result)
        return json.dumps(found, ensure_ascii=False, indent=2)
    parts = [_connection(each, dry_run) for each in result.connections.values()]
    return "\n\n".join(parts)


def document(result: RunResult) -> dict[str, Any]:
    """`pipelint.run/1`."""
    return {
        "schema": "pipelint.run/1",
        "run": result.run,
        "mode": result.mode,
        "connections": {name: connection_document(each) for name, each in result.connections.items()},
    }


def connection_document(each: ConnectionResult) -> dict[str, Any]:
    """What one connection came to."""
    refused = each.push.refused if each.push else []
    return {
        "pulled": each.pulled.stored if each.pulled else 0,
        "deleted": each.pulled.deleted if each.pulled else 0,
        "evaluated": each.evaluated,
        "flagged": len({(f.kind, f.id) for f in each.findings if f.status == "flagged"}),
        "written": each.push.written if each.push else 0,
        "unchanged": each.push.unchanged if each.push else (each.plan.unchanged if each.plan else 0),
        "refused": [{"id": one.id, "code": one.code, "message": one.message} for one in refused],
        "api_calls": each.api_calls,
        "seconds": round(each.seconds, 2),
        "error": _error(each),
    }


def plan_document(result: RunResult) -> dict[str, Any]:
    """`pipelint.plan/1`: what would be written, field by field."""
    changes = [
        {
            "connection": change.connection,
            "kind": change.kind,
            "id": change.id,
            "name": change.name,
            "field": change.field,
            "old": _plain(change.old),
            "new": _plain(change.new),
        }
        for each in result.connections.values()
        if each.plan
        for record in each.plan.records
        for change in record.changes
    ]
    errors = {name: _error(each) for name, each in result.connections.items() if _error(each)}
    return {"schema": "pipelint.plan/1", "changes": changes, "errors": errors}


def _error(each: ConnectionResult) -> str | None:
    error = each.error or (each.push.error if each.push else None)
    return error.message if error else None


def _plain(value: WriteValue) -> object:
    if value is None or isinstance(value, str | int):
        return value
    return list(value) if isinstance(value, tuple) else str(value)


def _connection(each: ConnectionResult, dry_run: bool) -> str:
    lines = [_summary(each)]
    if each.plan is not None:
        lines += [f"  {trouble}" for trouble in each.plan.trouble]
        if dry_run:
            lines += _plan(each)
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
    flagged = len({(f.kind, f.id) for f in each.findings if f.status == "flagged"})
    facts = []
    if each.pulled is not None:
        gone = f", {each.pulled.deleted:,} gone" if each.pulled.deleted else ""
        facts.append(f"{each.pulled.stored:,} pulled{gone}")
    facts += [f"{each.evaluated:,} checked", f"{flagged:,} flagged"]
    if each.push is not None:
        facts.append(f"{each.push.written:,} written")
        if each.push.refused:
            facts.append(f"{len(each.push.refused):,} refused")
    return (
        f"{each.connection}: {', '.join(facts)} ({plural(each.api_calls, 'API call')}, {each.seconds:.1f} s)"
    )


def _plan(each: ConnectionResult) -> list[str]:
    if each.plan is None or not each.plan.records:
        return ["  nothing to write"]
    lines = [f"  {plural(len(each.plan.records), 'record')} would be written:"]
    for record in each.plan.records[:_SHOWN]:
        lines.append(f"  {record.kind}/{record.id}  {record.changes[0].name if record.changes else ''}")
        lines += [
            f"    {change.field}: {_short(change.old)} → {_short(change.new)}" for change in record.changes
        ]
    if len(each.plan.records) > _SHOWN:
        lines.append(f"  … and {len(each.plan.records) - _SHOWN:,} more: --format json shows all")
    return lines


def _short(value: WriteValue) -> str:
    if value is None:
        return "(blank)"
    text = ", ".join(value) if isinstance(value, tuple) else str(value).replace("\n", " / ")
    return text if len(text) <= 100 else f"{text[:99]}…"
