"""The result of `check`: a table for people, documents for programs (architecture §5)."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from pipelint.engine.check import CheckResult, NotSynced
from pipelint.engine.drift import as_json as drift_document
from pipelint.engine.evidence import TOO_RECENT, UNMAPPED
from pipelint.engine.findings import Finding, worst_first
from pipelint.engine.scores import Score
from pipelint.render.documents import as_text, exact, number
from pipelint.render.errors import render_problems
from pipelint.render.scores import scores_table
from pipelint.render.table import amount, plural, some, table
from pipelint.render.waivers import waiver_document, waivers_table

_SHOWN = 25
_COLUMNS = (
    "connection", "kind", "id", "name", "url", "owner", "pipeline", "stage", "amount", "rule", "severity", "status",
    "items", "message", "fix", "since",
)  # fmt: skip
_ADVICE = {
    TOO_RECENT: " History grows with each pull.",
    UNMAPPED: " Map its values in the rules; 'stages import' proposes stages.",
}


def render(result: CheckResult, form: str, *, color: bool) -> str:
    """The result as text, JSON or CSV."""
    if form == "json":
        return as_text(document(result))
    if form == "csv":
        return as_csv(result)
    return text(result, color=color)


def document(result: CheckResult) -> dict[str, Any]:
    """`pipelint.check/1`."""
    return {
        "schema": "pipelint.check/1",
        "as_of": _instant(result.as_of),
        "pack": {"name": result.pack_name, "hash": result.pack_hash},
        "summary": summary(result),
        "findings": [finding_document(finding) for finding in result.findings],
        "not_synced": [
            _not_synced_document(each, result.known_from.get(each.connection)) for each in result.not_synced
        ],
        "scores": [score_document(score) for score in result.scores],
        "notices": [
            *(drift_document(each) for each in result.drift),
            *(
                {"level": each.level, "place": str(each.place), "message": each.what, "hint": each.hint}
                for each in result.notices
            ),
        ],
    }


def _not_synced_document(told: NotSynced, known_from: Mapping[str, datetime] | None) -> dict[str, Any]:
    """A rule that lacks data; `known_from` only where a past day was looked at."""
    found: dict[str, Any] = {
        "connection": told.connection,
        "kind": told.kind,
        "rule": told.rule,
        "fields": list(told.fields),
    }
    if known_from is not None:
        found["known_from"] = {name: _instant(known_from[name]) for name in told.fields if name in known_from}
    return found


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def summary(result: CheckResult) -> dict[str, Any]:
    """How many records, and how many of them are flagged, waived, on trial or could not be checked."""
    records: dict[str, set[tuple[str, str, str]]] = {}
    for finding in result.findings:
        records.setdefault(finding.status, set()).add((finding.connection, finding.kind, finding.id))
    by_rule = Counter(finding.rule for finding in result.findings if finding.status == "flagged")
    counted = {name: len(records.get(name, ())) for name in ("flagged", "waived", "trial", "could_not_check")}
    return {
        "opportunities": result.records["opportunity"],
        "leads": result.records["lead"],
        **counted,
        "in_grace": result.in_grace,
        "by_rule": dict(by_rule.most_common()),
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding; `items` only where it lists what is missing."""
    found: dict[str, Any] = {
        "connection": finding.connection,
        "crm": finding.crm,
        "kind": finding.kind,
        "id": finding.id,
        "name": finding.name,
        "url": finding.url,
        "owner": finding.owner,
        "pipeline": finding.pipeline,
        "stage": finding.stage,
        "amount": exact(finding.amount),
        "rule": finding.rule,
        "severity": finding.severity,
        "status": finding.status,
        "message": finding.message,
        "fix": finding.fix,
        "since": finding.since.isoformat() if finding.since else None,
        "evidence": [{"field": e.field, "value": e.value, "test": e.test} for e in finding.evidence],
    }
    if finding.items:
        found["items"] = list(finding.items)
    if finding.waiver:
        found["waiver"] = waiver_document(finding.waiver)
    return found


def score_document(score: Score) -> dict[str, Any]:
    """One score of one record."""
    return {
        "connection": score.connection,
        "kind": score.kind,
        "id": score.id,
        "name": score.name,
        "score": score.score,
        "total": score.total,
        "grade": score.grade,
        "categories": {name: number(value) for name, value in score.categories.items()},
        "reasons": list(score.reasons),
        "not_known": list(score.not_known),
    }


def as_csv(result: CheckResult) -> str:
    """One line per finding."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for finding in result.findings:
        found = finding_document(finding) | {"items": ", ".join(finding.items)}
        writer.writerow(["" if found.get(name) is None else _harmless(found[name]) for name in _COLUMNS])
    return out.getvalue()


def _harmless(value: object) -> object:
    """A cell that a spreadsheet would run as a formula gets a quote in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def text(result: CheckResult, *, color: bool) -> str:
    """The worst findings, what there is of each rule, and what could not be checked."""
    flagged = [finding for finding in result.findings if finding.status == "flagged"]
    parts = [
        _not_pulled(result),
        render_problems([each.problem for each in result.drift], color=color),
        _findings_table(flagged, color),
        _rules_table(flagged, color),
        waivers_table(result.findings, color),
        scores_table(result.scores, color),
        _on_trial(result),
        _unchecked(result),
        "\n".join(f"{notice.place}: {notice.what}" for notice in result.notices),
        _closing(result, flagged),
    ]
    return "\n\n".join(part for part in parts if part)


def _not_pulled(result: CheckResult) -> str:
    if not result.not_pulled:
        return ""
    return f"Nothing was pulled yet from {', '.join(result.not_pulled)}: run 'pipelint pull' first."


def _findings_table(flagged: list[Finding], color: bool) -> str:
    if not flagged:
        return ""
    rows = [
        (f.severity, f.name or f.id, f.owner, f.stage, amount(f.amount), f"{f.rule}: {f.message}")
        for f in worst_first(flagged)[:_SHOWN]
    ]
    drawn = table(
        ("", "opportunity", "owner", "stage", "amount", "finding"), rows, color=color, right=(4,), style=0
    )
    if len(flagged) > _SHOWN:
        more = f"{len(flagged) - _SHOWN:,} more"
        drawn += f"\n… and {more}: narrow with --owner, --pipeline or --only, or use --format csv"
    return drawn


def _rules_table(flagged: list[Finding], color: bool) -> str:
    if not flagged:
        return ""
    counts = Counter(finding.rule for finding in flagged)
    worst = {finding.rule: finding.severity for finding in reversed(worst_first(flagged))}
    value: Counter[str] = Counter()
    for finding in flagged:
        value[finding.rule] += finding.amount or 0
    rows = [(rule, worst[rule], f"{count:,}", amount(value[rule])) for rule, count in counts.most_common()]
    return table(("rule", "worst", "records", "value at stake"), rows, color=color, right=(2, 3), style=1)


def _unchecked(result: CheckResult) -> str:
    """What could not be checked: for lack of data, once; for lack of history or for a blank, by field."""
    lines = []
    for connection in dict.fromkeys(each.connection for each in result.not_synced):
        mine = [each for each in result.not_synced if each.connection == connection]
        known_from = result.known_from.get(connection, {})
        then = " on that day" if connection in result.known_from else ""
        fields = some(
            [
                f"{name} (known from {known_from[name]:%Y-%m-%d} on)" if name in known_from else name
                for name in sorted({name for each in mine for name in each.fields})
            ]
        )
        rules = sorted(dict.fromkeys(each.rule for each in mine), key=lambda rule: "/" in rule)
        said = "1 rule says" if len(rules) == 1 else f"{len(rules):,} rules say"
        lines.append(f"Not synced from {connection}{then}: {fields}. So {said} nothing there: {some(rules)}.")
    unknown: dict[str, Counter[str]] = {}
    for finding in result.findings:
        if finding.status == "could_not_check":
            for lack, name in sorted({(e.lack, e.field) for e in finding.evidence}):
                unknown.setdefault(lack, Counter())[name] += 1
    for lack, counts in sorted(unknown.items()):
        advice = _ADVICE.get(lack, "")
        lines.append(
            f"Could not be checked because a field is {lack or 'blank'}: {_counted(counts)}.{advice}"
        )
    if any(" more." in line for line in lines):
        lines.append("All of them: --format json.")
    return "\n".join(lines)


def _counted(counts: Counter[str]) -> str:
    return some([f"{name} ({count:,})" for name, count in counts.most_common()])


def _closing(result: CheckResult, flagged: list[Finding]) -> str:
    counts = summary(result)
    records = plural(counts["opportunities"], "opportunity")
    if counts["leads"]:
        records += f" and {plural(counts['leads'], 'lead')}"
    shown = ""
    if result.chosen_from is not None:
        shown = f" Shown: {len(flagged):,} of {plural(result.chosen_from, 'finding')}."
    if result.in_grace:
        shown += f" In their time of grace: {result.in_grace:,}."
    if not flagged:
        return f"{records} checked, nothing {'new' if result.only_new else 'flagged'}.{shown}"
    return f"{records} checked, {counts['flagged']:,} flagged with {plural(len(flagged), 'finding')}.{shown}"


def _on_trial(result: CheckResult) -> str:
    """What rules on trial found, which nobody sees in the CRM."""
    counts = Counter(finding.rule for finding in result.findings if finding.status == "trial")
    if not counts:
        return ""
    named = ", ".join(f"{rule} ({count:,})" for rule, count in counts.most_common(8))
    return f"On trial, never written: {named}; see them with 'pipelint rules try NAME'."
