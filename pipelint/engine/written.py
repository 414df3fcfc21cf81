"""From the findings of one record to the values of our fields in the CRM (architecture §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from pipelint.connectors.base import OwnField, WriteValue
from pipelint.engine.finding import Finding
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.pack import Severity

POINTS: Mapping[Severity, int] = {"error": 20, "warning": 8, "info": 0}
"""What one flag takes from the 100 of hygiene."""
UNSCORED: Mapping[str, int | str | None] = {}


class Part(msgspec.Struct, frozen=True):
    """One flag as the CRM tells it."""

    rule: str
    title: str
    severity: Severity
    message: str
    fix: str
    since: date
    items: tuple[str, ...] = ()
    """What it lists as missing."""

    def rests_on(self, finding: Finding) -> bool:
        """Whether the finding lacks the data for something that this flag tells."""
        if not self.items or not finding.unsynced_items:
            return finding.keeps
        return not set(self.items).isdisjoint(finding.unsynced_items)


def parts_of(
    found: Iterable[Finding], shown: Sequence[Part], titles: Mapping[str, str], today: date
) -> tuple[Part, ...]:
    """The flags of one record, worst first.

    `titles` name the rules that may be written at all, `shown` are the flags that the CRM shows now. A rule
    that could not be checked for lack of data keeps its flag, word for word: a connection that loses a field must
    not make anything look clean. An item that was never known keeps nothing.
    """
    known = {part.rule: part for part in shown}
    parts = []
    for finding in found:
        if finding.rule not in titles:
            continue
        before = known.get(finding.rule)
        if before is not None and before.rests_on(finding) and (finding.keeps or finding.written):
            parts.append(before)
        elif finding.status == "flagged" and finding.written:
            parts.append(
                Part(
                    finding.rule,
                    titles[finding.rule],
                    finding.severity,
                    finding.message,
                    finding.fix,
                    finding.since or today,
                    finding.items,
                )
            )
    return tuple(sorted(parts, key=lambda part: (-SEVERITY_NUMBER[part.severity], part.rule)))


def values_of(
    parts: Sequence[Part],
    fields: Iterable[OwnField],
    show_at_most: int,
    scored: Mapping[str, int | str | None] = UNSCORED,
) -> dict[str, WriteValue]:
    """The value of each of our fields, by its name in the CRM.

    `scored` are totals and grades by key; a field of a score that is not among them stays as it is.
    """
    values: dict[str, WriteValue] = {
        **scored,
        "flags": tuple(sorted(part.rule for part in parts)),
        "severity": parts[0].severity if parts else "clean",
        "hygiene": max(0, 100 - sum(POINTS[part.severity] for part in parts)),
        "flagged_since": min((part.since for part in parts), default=None),
    }
    for field in fields:
        if field.key == "summary":
            values["summary"] = _summary(parts, field.length)
        elif field.key == "details":
            values["details"] = _details(parts, show_at_most, field.length)
    return {field.name: values[field.key] for field in fields if field.key in values}


def _summary(parts: Sequence[Part], length: int) -> str:
    """As many titles as fit."""
    for count in range(len(parts), 0, -1):
        rest = len(parts) - count
        more = [f"+{rest} more"] if rest else []
        text = "; ".join([*(part.title for part in parts[:count]), *more])
        if len(text) <= length:
            return text
    return _cut(parts[0].title, length) if parts else ""


def _details(parts: Sequence[Part], at_most: int, length: int) -> str:
    """As many flags as fit, with their messages; the others by name."""
    paragraphs = [
        "\n".join(filter(None, (f"{part.rule} ({part.severity}): {part.message}", part.fix)))
        for part in parts[:at_most]
    ]
    for count in range(len(paragraphs), 0, -1):
        rest = [part.rule for part in parts[count:]]
        more = [f"+{len(rest)} more: {', '.join(rest)}"] if rest else []
        text = "\n\n".join([*paragraphs[:count], *more])
        if len(text) <= length:
            return text
    return _cut(paragraphs[0], length) if paragraphs else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
