"""The result of `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelint.engine.causes import Happened
from pipelint.engine.events import Event
from pipelint.engine.evidence import UNSYNCED
from pipelint.engine.explain import Decided, Explained, RecordExplained
from pipelint.render.documents import as_text
from pipelint.render.scores import explained_document, explained_lines
from pipelint.render.table import STYLES, some
from pipelint.render.waivers import waived, waiver_document

_EVENTS: Mapping[Event, str] = {
    "pending": "first seen",
    "flagged": "flagged, {}",
    "waived": "waived",
    "hidden": "hidden",
    "severity": "became {}",
    "resolved": "ended",
    "gone": "gone",
    "renamed": "renamed",
}


def render(explained: RecordExplained, form: str, *, color: bool) -> str:
    """The explanation as text or JSON."""
    if form == "json":
        return as_text(document(explained))
    head = f"{explained.name}  {explained.connection}:{explained.kind}/{explained.id}"
    facts = ", ".join(part for part in (explained.stage, explained.owner) if part)
    lines = [head, *([facts] if facts else []), *([explained.url] if explained.url else [])]
    if not explained.rules and not explained.scores and not explained.not_synced:
        lines += ["", "Nothing is flagged, and nothing could not be checked."]
    for rule in explained.rules:
        lines += ["", *_rule(rule, color)]
    for score in explained.scores:
        lines += ["", *explained_lines(score, color=color)]
    if explained.not_synced:
        lines += ["", _not_synced(explained)]
    return "\n".join(lines)


def document(explained: RecordExplained) -> dict[str, Any]:
    """`pipelint.explain/1`."""
    return {
        "schema": "pipelint.explain/1",
        "connection": explained.connection,
        "kind": explained.kind,
        "id": explained.id,
        "name": explained.name,
        "url": explained.url,
        "rules": [
            {
                "rule": rule.rule,
                "status": rule.status,
                "severity": rule.severity,
                "message": rule.message,
                "fix": rule.fix,
                "since": rule.since.isoformat() if rule.since else None,
                "due": rule.due.isoformat() if rule.due else None,
                "hidden_by": rule.hidden_by or None,
                "decided": [_test(each) for each in rule.decided],
                "in_scope": [_test(each) for each in rule.in_scope],
                "items": list(rule.items),
                "waiver": waiver_document(rule.waiver),
                "history": [_happened(each) for each in rule.history],
            }
            for rule in explained.rules
        ],
        "scores": [explained_document(score) for score in explained.scores],
        "not_synced": list(explained.not_synced),
    }


def _not_synced(explained: RecordExplained) -> str:
    said = "1 rule says" if len(explained.not_synced) == 1 else f"{len(explained.not_synced):,} rules say"
    return (
        f"For lack of data from {explained.connection} {said} nothing: {some(explained.not_synced)}. "
        "What one lacks: name it behind the id."
    )


def _test(each: Decided) -> dict[str, Any]:
    return {"field": each.field, "value": each.value, "test": each.test, "because": list(each.because)}


def _said(each: Decided) -> str:
    return f"{each.test} [{'; '.join(each.because)}]" if each.because else each.test


def _happened(each: Happened) -> dict[str, Any]:
    return {
        "event": each.event,
        "severity": each.severity,
        "day": each.day.isoformat(),
        "run": each.run,
        "pack": each.pack_hash,
        "causes": [{"why": cause.why, "text": cause.text} for cause in each.causes],
    }


def _rule(rule: Explained, color: bool) -> list[str]:
    said = "IN GRACE" if rule.status == "pending" else rule.status.replace("_", " ").upper()
    if rule.due:
        said += f" until {rule.due:%-d %b %Y} ({rule.severity})"
    elif rule.status in {"flagged", "trial", "waived", "hidden"}:
        said += f" ({rule.severity}{f', since {rule.since:%-d %b %Y}' if rule.since else ''})"
    lines = [f"{_painted(rule.rule, rule.severity, color)}   {said}   {rule.place}"]
    if rule.message:
        lines.append(f"  {rule.message}")
    width = max((len(each.field) for each in rule.decided), default=0)
    values = max((len(each.value) for each in rule.decided), default=0)
    lines += [
        f"  {each.field:<{width}}  {each.value:<{min(values, 40)}}  {_said(each)}" for each in rule.decided
    ]
    if rule.in_scope:
        link = "if" if any(each.value == f"({UNSYNCED})" for each in rule.in_scope) else "because"
        lines.append(
            f"  in scope {link} " + ", ".join(f"{each.field} {_said(each)}" for each in rule.in_scope)
        )
    if rule.waiver:
        lines.append(f"  {waived(rule.waiver)}")
    if rule.hidden_by:
        lines.append(f"  hidden by {rule.hidden_by}")
    lines += list(_history(rule.history))
    if rule.fix:
        lines.append(f"  to clear it: {rule.fix}")
    if rule.why:
        lines.append(f"  why: {rule.why}")
    if rule.playbook:
        lines.append(f"  playbook: {rule.playbook}")
    return lines


def _history(history: Sequence[Happened]) -> Iterator[str]:
    """A line for each transition: the day, what happened, why, and the run that recorded it."""
    days = [f"{each.day:%-d %b %Y}" for each in history]
    events = [_EVENTS[each.event].format(each.severity) for each in history]
    for day, event, each in zip(days, events, history, strict=True):
        why = "; ".join(cause.text for cause in each.causes)
        yield f"  {day:>{max(map(len, days))}}  {event:<{max(map(len, events))}}  {why} (run {each.run})"


def _painted(text: str, severity: str, color: bool) -> str:
    code = {"bold red": "1;31", "yellow": "33", "cyan": "36"}.get(STYLES.get(severity, ""), "1")
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
