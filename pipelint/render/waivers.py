"""Waivers as people read them: what is waived, why, by whom, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

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


def waivers_table(counts: Mapping[tuple[str, str, str, bool, date], int], color: bool) -> str:
    """One line for each rule and waiver that suppresses something."""
    rows = [
        (rule, f"{count:,}", f"{until:%-d %b %Y}", f"{reason} ({_by(approved_by, snoozed)})")
        for (rule, reason, approved_by, snoozed, until), count in counts.items()
    ]
    headers = ("waived rule", "records", "until", "reason")
    return table(headers, rows, color=color, right=(1,)) if rows else ""


def _by(approved_by: str, snoozed: bool) -> str:
    if not snoozed:
        return approved_by
    return f"snoozed by {approved_by}" if approved_by else "snoozed in the CRM"
