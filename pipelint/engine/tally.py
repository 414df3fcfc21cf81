"""What is counted of findings and scores as they come, so that nobody need keep them all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from pipelint.engine.finding import Finding, FindingStatus, worst_first
from pipelint.engine.scores import Score
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.pack import Severity

WORST = 25
"""How many findings are kept to be shown one by one."""
EXTREMES = 3
"""How many records are kept as the best and as the worst of a score."""
_SLACK = 40


@dataclass(slots=True)
class Tally:
    """Counts of the findings taken; the findings of one record must come one after another."""

    records: Counter[FindingStatus] = field(default_factory=Counter)
    """How many records have a finding of this status."""
    flagged: Counter[str] = field(default_factory=Counter)
    """How many findings are flagged, by rule."""
    at_stake: Counter[str] = field(default_factory=Counter)
    """What the flagged records are worth, × 10 000, by rule."""
    severities: dict[str, Severity] = field(default_factory=dict)
    """The worst severity of what is flagged, by rule."""
    on_trial: Counter[str] = field(default_factory=Counter)
    waived: Counter[tuple[str, str, str, bool, date]] = field(default_factory=Counter)
    """By rule, reason, who approved it, whether it is a snooze, and until when."""
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    """How many findings could not be checked for lack of a field: by why it is unknown, then by field."""
    _worst: list[Finding] = field(default_factory=list)
    _last: dict[FindingStatus, tuple[str, RecordKind, str]] = field(default_factory=dict)

    def take(self, finding: Finding) -> None:
        """Count one more."""
        record = (finding.connection, finding.kind, finding.id)
        if self._last.get(finding.status) != record:
            self._last[finding.status] = record
            self.records[finding.status] += 1
        if finding.waiver:
            self.waived[
                finding.rule,
                finding.waiver.reason,
                finding.waiver.approved_by,
                finding.waiver.snoozed,
                finding.waiver.until,
            ] += 1
        if finding.status == "flagged":
            self._take_flagged(finding)
        elif finding.status == "trial":
            self.on_trial[finding.rule] += 1
        elif finding.status == "could_not_check":
            for lack, name in sorted({(each.lack, each.field) for each in finding.evidence}):
                self.unknown.setdefault(lack, Counter())[name] += 1

    def _take_flagged(self, finding: Finding) -> None:
        rule = finding.rule
        self.flagged[rule] += 1
        self.at_stake[rule] += finding.amount or 0
        known = self.severities.setdefault(rule, finding.severity)
        self.severities[rule] = max(known, finding.severity, key=SEVERITY_NUMBER.__getitem__)
        self._worst.append(finding)
        if len(self._worst) >= WORST * _SLACK:
            self._worst = self.worst

    @property
    def worst(self) -> list[Finding]:
        """The worst that are flagged, worst first."""
        return worst_first(self._worst)[:WORST]


@dataclass(slots=True)
class ScoreTally:
    """Counts of one score, and the records at its two ends."""

    records: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    _highest: dict[str, int] = field(default_factory=dict)
    _best: list[Score] = field(default_factory=list)
    _worst: list[Score] = field(default_factory=list)

    def take(self, score: Score) -> None:
        """Count one more record."""
        self.records += 1
        if score.grade is not None:
            self.grades[score.grade] += 1
            self._highest[score.grade] = max(score.total, self._highest.get(score.grade, score.total))
        self._best.append(score)
        self._worst.append(score)
        if len(self._best) >= EXTREMES * _SLACK:
            self._best, self._worst = self.best, _ranked(self._worst)[-EXTREMES:]

    @property
    def best(self) -> list[Score]:
        """The records with the most points."""
        return _ranked(self._best)[:EXTREMES]

    @property
    def worst(self) -> list[Score]:
        """The records with the fewest points, of those that are not among the best."""
        beside = min(EXTREMES, self.records - len(self.best))
        return _ranked(self._worst)[-beside:] if beside else []

    @property
    def by_grade(self) -> dict[str, int]:
        """How many records have each grade, the best grade first."""
        return {grade: self.grades[grade] for grade in sorted(self.grades, key=lambda g: -self._highest[g])}


def _ranked(scores: list[Score]) -> list[Score]:
    return sorted(scores, key=lambda score: (-score.total, score.name, score.id))
