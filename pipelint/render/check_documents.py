"""The result of `check` for programs: JSON and CSV (architecture §5), with findings on disk until all are known."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipelint.engine.check import CheckTotals, NotSynced
from pipelint.engine.drift import as_json as drift_document
from pipelint.engine.finding import Finding
from pipelint.engine.scores import Score
from pipelint.render.documents import encoded, exact, number, streamed
from pipelint.render.scratch import Scratch
from pipelint.render.waivers import waiver_document

_COLUMNS = (
    "connection", "kind", "id", "name", "url", "owner", "pipeline", "stage", "amount", "rule", "severity", "status",
    "items", "message", "fix", "since",
)  # fmt: skip


class JsonDocument:
    """`pipelint.check/1`. Its summary comes before the findings and is known after them."""

    def __init__(self) -> None:
        self._findings = Scratch()
        self._scores = Scratch()

    def close(self) -> None:
        self._findings.close()
        self._scores.close()

    def finding(self, found: Finding, /) -> None:
        self._findings.write(encoded(finding_document(found)) + "\n")

    def score(self, score: Score, /) -> None:
        self._scores.write(encoded(score_document(score)) + "\n")

    def pieces(self, totals: CheckTotals) -> Iterator[str]:
        """The text of the document, in order."""
        yield from streamed(parts(totals, self._findings.lines(), self._scores.lines()))
        yield "\n"


class CsvDocument:
    """One line per finding."""

    def __init__(self) -> None:
        self._lines = Scratch()
        self._writer = csv.writer(self._lines, lineterminator="\n")
        self._writer.writerow(_COLUMNS)

    def close(self) -> None:
        self._lines.close()

    def finding(self, found: Finding, /) -> None:
        told = finding_document(found) | {"items": ", ".join(found.items)}
        self._writer.writerow(["" if told.get(name) is None else _harmless(told[name]) for name in _COLUMNS])

    def score(self, score: Score, /) -> None:
        """Scores are no lines of it."""

    def pieces(self, _: CheckTotals) -> Iterator[str]:
        """The lines, in order."""
        yield from self._lines.lines()


def parts(totals: CheckTotals, findings: object, scores: object) -> Iterator[tuple[str, Any]]:
    """The parts of `pipelint.check/1`, in order."""
    yield "schema", "pipelint.check/1"
    yield "as_of", _instant(totals.as_of)
    yield "pack", {"name": totals.pack_name, "hash": totals.pack_hash}
    yield "summary", _summary(totals)
    yield "findings", findings
    yield (
        "not_synced",
        [_not_synced_document(each, totals.known_from.get(each.connection)) for each in totals.not_synced],
    )
    yield "scores", scores
    yield (
        "notices",
        [
            *(drift_document(each) for each in totals.drift),
            *(
                {"level": each.level, "place": str(each.place), "message": each.what, "hint": each.hint}
                for each in totals.notices
            ),
        ],
    )


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


def _summary(totals: CheckTotals) -> dict[str, Any]:
    """How many records, and how many of them are flagged, waived, on trial or could not be checked."""
    records = totals.tally.records
    return {
        "opportunities": totals.records["opportunity"],
        "leads": totals.records["lead"],
        "flagged": records["flagged"],
        "waived": records["waived"],
        "trial": records["trial"],
        "could_not_check": records["could_not_check"],
        "in_grace": totals.in_grace,
        "by_rule": dict(totals.tally.flagged.most_common()),
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


def _harmless(value: object) -> object:
    """A cell that a spreadsheet would run as a formula gets a quote in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
