"""The results of `rules show`, `rules try` and `rules diff`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from pipelint.engine.finding import worst_first
from pipelint.engine.rule_page import RulePage
from pipelint.engine.rules_diff import Change, Flip, RulesDiff
from pipelint.engine.try_rule import Tried
from pipelint.render.check_documents import finding_document
from pipelint.render.documents import as_text, exact
from pipelint.render.table import amount, plural, table
from pipelint.rules.pack import Rule
from pipelint.rules.sections import SHIPPED

_SHOWN = 25
_CHANGES: tuple[Change, ...] = ("gains", "loses", "severity", "score")


# rules try


def render_tried(tried: Tried, form: str, *, color: bool) -> str:
    """What one rule finds over the cache."""
    if form == "json":
        return as_text(tried_document(tried))
    found = tried.having("flagged") + tried.having("pending")
    parts = []
    if found:
        rows = [
            (f.severity, f.name or f.id, f.owner, f.stage, amount(f.amount), f.message)
            for f in worst_first(found)[:_SHOWN]
        ]
        headers = ("", tried.rule.kind, "owner", "stage", "amount", "message")
        parts.append(table(headers, rows, color=color, right=(4,), style=0))
        if len(found) > _SHOWN:
            parts.append(f"… and {len(found) - _SHOWN:,} more; --format json has all of them")
    parts.append("\n".join(_told(tried)))
    return "\n\n".join(parts)


def tried_document(tried: Tried) -> dict[str, Any]:
    """`pipelint.try/1`."""
    return {
        "schema": "pipelint.try/1",
        "rule": tried.rule.name,
        "status": tried.rule.status,
        "records": tried.records,
        "flagged": len(tried.having("flagged")),
        "pending": len(tried.having("pending")),
        "could_not_check": len(tried.having("could_not_check")),
        "seconds": round(tried.seconds, 3),
        "findings": [finding_document(finding) for finding in tried.findings],
    }


def _told(tried: Tried) -> Iterator[str]:
    flagged = tried.having("flagged")
    rule, kind = tried.rule, tried.rule.kind
    share = f" ({len(flagged) / tried.records:.0%})" if tried.records else ""
    worth = sum(finding.amount or 0 for finding in flagged)
    value = f", {amount(worth)} at stake" if worth else ""
    status = "" if rule.status == "on" else f"; its status is {rule.status}"
    of = plural(tried.records, kind)
    yield f"{rule.name} flags {len(flagged):,} of {of}{share}{value}, in {tried.seconds:.1f} s{status}."
    pending = tried.having("pending")
    if pending:
        yield f"{len(pending):,} more will be flagged if they last for {rule.grace}, their time of grace."
    unknown = tried.having("could_not_check")
    if unknown:
        fields = Counter(field for f in unknown for field in dict.fromkeys(e.field for e in f.evidence))
        named = ", ".join(f"{field} ({count:,})" for field, count in fields.most_common(8))
        yield f"{plural(len(unknown), kind)} could not be checked; blank or not synced: {named}."
    if tried.not_pulled:
        yield f"Nothing was pulled yet from {', '.join(tried.not_pulled)}: run 'pipelint pull' first."


# rules show


def render_page(page: RulePage, language: str, form: str, *, color: bool) -> str:
    """All there is to know about one rule."""
    if form == "json":
        return as_text(page_document(page, language))
    rule = page.rule
    texts = (("Message", rule.message), ("Fix", rule.fix), ("Why", rule.why))
    said = [(head, text.say(language)) for head, text in texts if text is not None]
    about = [
        ("For", rule.kind + (f", where {page.applies_to}" if page.applies_to else "")),
        ("Flagged when", page.condition or "made by pipelint from the stages and the data"),
        *said,
        ("Playbook", rule.playbook),
        ("Grace", str(rule.grace or "")),
        ("Since", rule.since.isoformat() if rule.since else ""),
        ("Formerly", ", ".join(rule.formerly)),
        ("Owner", rule.owner),
        ("Hides", ", ".join(rule.hides)),
        ("Hidden by", ", ".join(page.hidden_by)),
    ]
    origin = f"{rule.origin}@1" if rule.origin else "this project"
    lines = [f"{rule.name}: {rule.title.say(language)}", f"{rule.place} ({origin})", ""]
    lines += [f"{head:<13} {text}" for head, text in about if text]
    rows = [(value.name, value.where, value.value, str(value.place)) for value in page.values]
    parts = ["\n".join(lines), table(("setting", "where", "value", "written at"), rows, color=color)]
    parts.append("\n".join(_tests(page)))
    if page.tried is not None:
        parts.append("\n".join(_told(page.tried)))
    return "\n\n".join(parts)


def page_document(page: RulePage, language: str) -> dict[str, Any]:
    """`pipelint.rule/1`."""
    rule = page.rule
    return {
        "schema": "pipelint.rule/1",
        "rule": rule.name,
        "title": rule.title.say(language),
        "for": rule.kind,
        "severity": rule.severity,
        "status": rule.status,
        "origin": rule.origin or "this project",
        "place": str(rule.place),
        "applies_to": page.applies_to,
        "condition": page.condition,
        **{key: _say(rule, key, language) for key in ("message", "fix", "why")},
        "playbook": rule.playbook,
        "hides": list(rule.hides),
        "hidden_by": list(page.hidden_by),
        "values": [
            {"name": v.name, "where": v.where, "value": v.value, "place": str(v.place)} for v in page.values
        ],
        "tests": [{"name": case.name, "place": str(case.place)} for case in page.tests],
        "now": None if page.tried is None else _now(page.tried),
    }


def _say(rule: Rule, key: str, language: str) -> str:
    text = {"message": rule.message, "fix": rule.fix, "why": rule.why}[key]
    return text.say(language) if text is not None else ""


def _now(tried: Tried) -> dict[str, Any]:
    counts = {status: len(tried.having(status)) for status in ("flagged", "pending", "could_not_check")}
    return {"records": tried.records, **counts}


def _tests(page: RulePage) -> Iterator[str]:
    origin = page.rule.origin
    if not page.tests:
        own = f"; its pack's own run with 'pipelint rules test --pack {origin}'" if origin in SHIPPED else ""
        yield f"No test of this project names this rule{own}."
    for case in page.tests:
        yield f"Test: {case.name} ({case.place})"


# rules diff


def render_diff(diff: RulesDiff, form: str, *, color: bool) -> str:
    """What changes for whom."""
    if form == "json":
        return as_text(diff_document(diff))
    parts = []
    if diff.flips:
        parts += [_counts(diff.flips, head, color) for head in ("rule", "owner", "stage")]
        rows = [
            (f.change, _level(f), f.name or f.id, f.owner, f.stage, amount(f.amount), f.rule)
            for f in diff.flips[:_SHOWN]
        ]
        headers = ("", "severity", "record", "owner", "stage", "amount", "rule")
        parts.append(table(headers, rows, color=color, right=(5,)))
        if len(diff.flips) > _SHOWN:
            parts.append(f"… and {len(diff.flips) - _SHOWN:,} more; --format json has all of them")
    counts = Counter(flip.change for flip in diff.flips)
    said = {"gains": "gained", "loses": "lost", "severity": "with another severity", "score": "scores moved"}
    told = ", ".join(f"{counts[change]:,} {said[change]}" for change in _CHANGES if counts[change])
    records = len({(flip.connection, flip.kind, flip.id) for flip in diff.flips})
    changed = f"{plural(len(diff.flips), 'change')} on {plural(records, 'record')} ({told})"
    parts.append(
        f"{diff.old} → {diff.new}: {changed if diff.flips else 'nothing changes'}, of {diff.records:,} records."
    )
    if diff.not_pulled:
        parts.append(f"Nothing was pulled yet from {', '.join(diff.not_pulled)}: run 'pipelint pull' first.")
    return "\n\n".join(parts)


def diff_document(diff: RulesDiff) -> dict[str, Any]:
    """`pipelint.diff/1`."""
    return {
        "schema": "pipelint.diff/1",
        "old": diff.old,
        "new": diff.new,
        "records": diff.records,
        "summary": {change: sum(f.change == change for f in diff.flips) for change in _CHANGES},
        "changes": [asdict(flip) | {"amount": exact(flip.amount)} for flip in diff.flips],
    }


def _counts(flips: Sequence[Flip], head: str, color: bool) -> str:
    by: dict[str, Counter[str]] = {}
    value: Counter[str] = Counter()
    for flip in flips:
        name = getattr(flip, head) or "(none)"
        by.setdefault(name, Counter())[flip.change] += 1
        value[name] += flip.amount or 0
    changes = [change for change in _CHANGES if any(counts[change] for counts in by.values())]
    ordered = sorted(by.items(), key=lambda each: (-each[1].total(), each[0]))[:_SHOWN]
    rows = [
        (name, *(f"{counts[change]:,}" for change in changes), amount(value[name]))
        for name, counts in ordered
    ]
    right = tuple(range(1, len(changes) + 2))
    return table((head, *changes, "amount"), rows, color=color, right=right)


def _level(flip: Flip) -> str:
    if flip.before and flip.after:
        return f"{flip.before} → {flip.after}"
    return flip.before or flip.after
