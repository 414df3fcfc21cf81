"""Waivers as people read them: what is waived, why, by whom, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipelint.engine.findings import Finding
from pipelint.render.table import table
from pipelint.rules.waivers import Waiver


def waived(waiver: Waiver) -> str:
    """One waiver in a line."""
    by = f" by {waiver.approved_by}" if waiver.approved_by else " in the CRM"
    done = "snoozed" if waiver.snoozed else "waived"
    return f"{done} until {waiver.until:%-d %b %Y}{by}: {waiver.reason}"


def waiver_document(waiver: Waiver | None) -> dict[str, Any] | None:
    """One waiver for JSON."""
    if waiver is None:
        return None
    return {
        "reason": waiver.reason,
        "approved_by": waiver.approved_by or None,
        "until": waiver.until.isoformat(),
        "snoozed": waiver.snoozed,
    }


def waivers_table(findings: Iterable[Finding], color: bool) -> str:
    """One line for each rule and waiver that suppresses something."""
    counts = Counter(
        (finding.rule, finding.waiver.reason, _by(finding.waiver), finding.waiver.until)
        for finding in findings
        if finding.waiver
    )
    rows = [
        (rule, f"{count:,}", f"{until:%-d %b %Y}", f"{reason} ({by})")
        for (rule, reason, by, until), count in counts.items()
    ]
    headers = ("waived rule", "records", "until", "reason")
    return table(headers, rows, color=color, right=(1,)) if rows else ""


def _by(waiver: Waiver) -> str:
    if not waiver.snoozed:
        return waiver.approved_by
    return f"snoozed by {waiver.approved_by}" if waiver.approved_by else "snoozed in the CRM"
