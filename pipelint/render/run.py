"""The results of `run` and `push`, and the plan of a dry run (architecture §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from textwrap import indent

from pipelint.connectors.base import WriteValue
from pipelint.engine.drift import as_json as drift_json
from pipelint.engine.plan import Plan, PlannedRecord
from pipelint.engine.rationed import Ration
from pipelint.engine.refusals import as_json as refusals_json
from pipelint.engine.run_document import summary
from pipelint.engine.run_result import ConnectionResult, RunResult
from pipelint.engine.runs import error_json
from pipelint.engine.saved import as_json
from pipelint.errors import PipelintError
from pipelint.render.documents import as_text
from pipelint.render.errors import render_error, render_problems
from pipelint.render.table import plural

_SHOWN = 20
_RESUME = "pipelint push --resume"
_RETRY = "retry with: pipelint push --retry-refused"


def render(result: RunResult, form: str, *, dry_run: bool) -> str:
    """The result as text or JSON; a dry run shows its plan."""
    if form == "json":
        return as_text(_plan_document(result) if dry_run else summary(result))
    parts = [_connection(each, dry_run) for each in result.connections.values()]
    return "\n\n".join(parts)


def _plan_document(result: RunResult) -> dict[str, object]:
    """The document `pipelint.plan/1`: a saved plan, and what is told beside it."""
    plans = [each.plan for each in result.connections.values() if each.plan]
    refused = [
        {"connection": plan.connection, **told} for plan in plans for told in refusals_json(plan.refused)
    ]
    connections = {
        name: {
            "trouble": each.plan.trouble if each.plan else [],
            "drift": [drift_json(one) for one in each.drift],
            "held_by": each.held_by,
            "limit": error_json(each.limit),
            "allowance": _allowance(each.ration) if each.ration else None,
            "error": error_json(each.stopped_by),
        }
        for name, each in result.connections.items()
    }
    plan = as_json(plans)
    return {"schema": plan.schema, "changes": plan.changes, "refused": refused, "connections": connections}


def _allowance(ration: Ration) -> dict[str, int]:
    return {
        "tokens": ration.tokens,
        "left": ration.budget.left,
        "daily": ration.budget.daily,
        "now": ration.now,
        "seconds": int(ration.takes.total_seconds()),
        "carried_over": ration.carried,
        "days": ration.days,
    }


def _connection(each: ConnectionResult, dry_run: bool) -> str:
    if each.error is not None and not each.evaluated:
        return f"{each.connection}: stopped\n{indent(render_error(each.error, color=False), '  ')}"
    lines = [_summary(each)]
    if each.drift:
        lines.append(indent(render_problems([one.problem for one in each.drift], color=False), "  "))
    if each.off:
        lines.append("  nothing is written here: 'write_back: off'")
    if each.plan is not None:
        lines += _planned(each, each.plan, dry_run)
    lines += refused_lines(refusals_json(each.refused))
    if each.push and each.push.unknown:
        lines.append(
            f"  {plural(each.push.unknown, 'record')} of unknown outcome: the next run reads them back"
        )
    if each.push and each.push.locked:
        lines.append(f"  {locked_text(each.push.locked)}")
    if each.stopped_by is not None:
        lines += ["  stopped:", _indented(each.stopped_by)]
    return "\n".join(lines)


def _planned(each: ConnectionResult, plan: Plan, dry_run: bool) -> list[str]:
    """How far the plan reaches, what it is, and what stands in its way."""
    lines = []
    if plan.pilot:
        lines.append(f"  a pilot: 'first_push' lets {plan.in_scope:,} of these be written to")
    lines += [f"  {trouble}" for trouble in plan.trouble]
    count = plural(plan.differing, "record")
    if each.held_by:
        lines.append(f"  {held_text(each.held_by)}")
    if dry_run and (plan.records or not each.error):
        lines += plan_lines(plan.records)
    elif each.push is None and plan.differing and not each.error:
        why = (
            f"will be written after {_RESUME}"
            if each.held_by
            else "would be written; 'mode: preview' holds them back (see push --dry-run)"
        )
        lines.append(f"  {count} {why}")
    if each.ration and each.ration.records:
        lines.append(f"  {_ration(each.ration)}")
    if each.limit and each.limit is not each.error:
        lines += ["  a limit stands in its way:", _indented(each.limit)]
    return lines


def _ration(ration: Ration) -> str:
    """What the writing takes from the CRM's allowance, and what is left for later."""
    left = f"{ration.budget.left:,} are left for writing, and {ration.budget.daily:,} a day are sure"
    told = f"{ration.tokens:,} API tokens needed, {left}: {plural(ration.now, 'record')} now"
    if ration.now:
        told += f" ({_length(ration.takes)})"
    if ration.carried:
        days = plural(ration.days, "day", "days")
        told += f", {ration.carried:,} carried over, new errors first; all are written within about {days}"
    return told


def _length(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"about {round(seconds / 60)} min"


def _indented(error: PipelintError) -> str:
    return indent(render_error(error, color=False), "    ")


def held_text(undo: str) -> str:
    """About a connection that an undo holds."""
    return f"held since the undo {undo}: nothing is written before {_RESUME}"


def locked_text(count: int, again: str = "the next run") -> str:
    """About records that somebody else was writing to."""
    return f"{plural(count, 'record')} locked by somebody else's change: tried again in {again}"


def refused_lines(refused: Sequence[Mapping[str, str | None]]) -> list[str]:
    """What the CRM refused now, and by day what it refused earlier, from the entries of a document."""
    lines = []
    ordered = sorted(refused, key=lambda each: (each["since"] or "", each["id"] or ""))
    for day, same in groupby(ordered[:_SHOWN], lambda each: each["since"]):
        lines.append(f"  still refused since {day}, not tried again ({_RETRY}):" if day else "  refused:")
        for each in same:
            shown = "  ".join(filter(None, (f"{each['kind']}/{each['id']}", each["name"], each["url"])))
            lines.append(f"    {shown}: {each['message']} ({each['code']})")
    if len(refused) > _SHOWN:
        lines.append(f"  … and {len(refused) - _SHOWN:,} more refused")
    return lines


def _summary(each: ConnectionResult) -> str:
    facts = []
    if each.pulled is not None:
        gone = f", {each.pulled.deleted:,} gone" if each.pulled.deleted else ""
        facts.append(f"{each.pulled.stored:,} pulled{gone}")
    facts += [f"{each.evaluated:,} checked", f"{each.flagged:,} flagged"]
    if each.push is not None:
        facts.append(f"{each.push.written:,} written")
        if each.push.newly_refused:
            facts.append(f"{each.push.newly_refused:,} refused")
    if still := sum(refusal.since is not None for refusal in each.refused):
        facts.append(f"{still:,} still refused")
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
