"""Which findings a command shows, and at what moment it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import CheckResult
from pipelint.engine.findings import Finding
from pipelint.engine.identity import matches
from pipelint.engine.project import Project
from pipelint.engine.record import recorded_rules
from pipelint.errors import UsageError
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.renames import rule_hint


def moment_of(project: Project, as_of: str | None) -> datetime:
    """The instant at which to evaluate; a day means its noon, which lies in that day in the pack's zone.

    Raises:
        UsageError: it cannot be read, or it is a past day of a CRM whose history we do not rebuild.
    """
    now = project.clock()
    if as_of is None:
        return now
    calendar = project.pack.settings.calendar
    try:
        if len(as_of.strip()) == 10:
            local = datetime.combine(date.fromisoformat(as_of.strip()), time(12))
        else:
            local = datetime.fromisoformat(as_of.strip())
    except ValueError:
        raise UsageError(
            f"'{as_of}' is not a day or a time", hint="write 2026-11-20 or '2026-11-20 10:00'"
        ) from None
    at = local.astimezone(UTC) if local.tzinfo else calendar.instant(local)
    live = [each.name for each in project.file.connections.values() if each.crm != "files"]
    if live and calendar.today(at) < calendar.today(now):
        raise UsageError(
            f"{', '.join(live)} cannot be looked at as of a past day yet: its earlier state is not rebuilt",
            hint="leave --as-of out, or check a project that reads files",
        )
    return at


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters of `check`; each that is empty lets everything through."""

    project: Project
    new: bool = False
    only_rules: Sequence[str] = ()
    skip: Sequence[str] = ()
    owner: Sequence[str] = ()
    pipeline: Sequence[str] = ()
    ids: Sequence[str] = ()

    def apply(self, cache: Cache, result: CheckResult) -> CheckResult:
        """The result with the chosen findings only."""
        self._known(self.only_rules, self.skip)
        before = recorded_rules(cache) if self.new else frozenset()
        chosen = [
            finding
            for finding in result.findings
            if self._wanted(finding)
            and (finding.connection, finding.kind, finding.id, finding.rule) not in before
        ]
        return replace(result, findings=chosen)

    def _wanted(self, finding: Finding) -> bool:
        return (
            _among(finding.rule, self.only_rules)
            and not (self.skip and finding.rule in self.skip)
            and _among(finding.owner, self.owner)
            and _among(finding.pipeline, self.pipeline)
            and (not self.ids or any(matches(given, finding) for given in self.ids))
        )

    def _known(self, *given: Sequence[str]) -> None:
        rules = self.project.pack.rules
        for name in (name for names in given for name in names):
            if name not in rules:
                raise UsageError(
                    f"there is no rule named '{name}'",
                    hint=rule_hint(name, rules, self.project.pack.renames, "see 'pipelint rules list'"),
                )


def _among(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value.casefold() in {word.casefold() for word in wanted}


def reaches(findings: Iterable[Finding], severity: str) -> bool:
    """Whether a flagged finding is at least this severe; 'never' is never reached."""
    if severity == "never":
        return False
    least = SEVERITY_NUMBER[severity]  # type: ignore[index]
    return any(f.status == "flagged" and SEVERITY_NUMBER[f.severity] >= least for f in findings)
