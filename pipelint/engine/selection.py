"""Which findings a command shows, and at what moment it looks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from pipelint.config.problems import did_you_mean
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import CheckResult
from pipelint.engine.findings import Finding
from pipelint.engine.identity import candidates, matches
from pipelint.engine.project import Project
from pipelint.engine.recorded import Recorded
from pipelint.errors import UsageError
from pipelint.rules.catalogue import RECORD_STREAM
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.renames import rule_hint


def moment_of(project: Project, as_of: str | None) -> datetime:
    """The instant at which to evaluate; a day means its noon, but where records are rebuilt a past one its end.

    Raises:
        UsageError: it cannot be read.
    """
    now = project.clock()
    if as_of is None:
        return now
    calendar = project.pack.settings.calendar
    try:
        if len(as_of.strip()) != 10:
            at = datetime.fromisoformat(as_of.strip())
            return at.astimezone(UTC) if at.tzinfo else calendar.instant(at)
        day = date.fromisoformat(as_of.strip())
    except ValueError:
        raise UsageError(
            f"'{as_of}' is not a day or a time", hint="write 2026-11-20 or '2026-11-20 10:00'"
        ) from None
    if all(each.crm == "files" for each in project.file.connections.values()):
        return calendar.instant(datetime.combine(day, time(12)))
    begins, noon, ends = (calendar.instant(datetime.combine(day, at)) for at in (time(), time(12), time.max))
    if begins <= now <= ends:
        return now
    return ends if ends < now else noon


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
        """The result with the chosen findings only.

        Raises:
            UsageError: nothing was pulled yet, or a filter names what does not exist.
        """
        if result.not_pulled and not any(result.records.values()) and not _pulled(cache):
            raise UsageError("nothing has been pulled yet", hint="run 'pipelint pull' first")
        self._known(self.only_rules, self.skip)
        self._known_pipelines(result)
        owners = self._owner_names(cache, result)
        for given in self.ids:
            gone = any(matches(given, finding) for finding in result.findings)
            if not gone and not candidates(cache, given):
                raise UsageError(f"there is no record '{given}' in the cache", hint="pull, and check the id")
        before = Recorded(cache, self.project.pack) if self.new else None
        chosen = [
            finding
            for finding in result.findings
            if self._wanted(finding, owners) and not (before and before.has(finding))
        ]
        flagged = sum(finding.status == "flagged" for finding in result.findings)
        filtered = any((self.only_rules, self.skip, self.owner, self.pipeline, self.ids, self.new))
        return replace(result, findings=chosen, chosen_from=flagged if filtered else None, only_new=self.new)

    def _known_pipelines(self, result: CheckResult) -> None:
        pipelines = dict.fromkeys(pipeline.name for pipeline in self.project.pack.pipelines)
        pipelines |= dict.fromkeys(finding.pipeline for finding in result.findings if finding.pipeline)
        for name in self.pipeline:
            if not _among(name, tuple(pipelines)):
                hint = did_you_mean(name, pipelines) or f"known are: {', '.join(pipelines)}"
                raise UsageError(f"there is no pipeline named '{name}'", hint=hint)

    def _owner_names(self, cache: Cache, result: CheckResult) -> set[str]:
        """The names of the wanted owners, who may be given by name, id or email address."""
        known: dict[str, set[str]] = {}
        for name, *others in cache.db.execute("SELECT name, id, email FROM owner"):
            for word in (name, *others):
                if word:
                    known.setdefault(str(word).casefold(), set()).add(str(name or ""))
        for finding in result.findings:
            known.setdefault(finding.owner.casefold(), set()).add(finding.owner)
        for given in self.owner:
            if given.casefold() not in known:
                hint = did_you_mean(given, {name for names in known.values() for name in names})
                raise UsageError(
                    f"there is no owner '{given}'", hint=hint or "give a name, id or email address"
                )
        return {name for given in self.owner for name in known[given.casefold()]}

    def _wanted(self, finding: Finding, owners: Collection[str]) -> bool:
        return (
            _among(finding.rule, self.only_rules)
            and not (self.skip and finding.rule in self.skip)
            and (not self.owner or finding.owner in owners)
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


def _pulled(cache: Cache) -> bool:
    return any(
        cache.db.execute(f"SELECT 1 FROM {stream.value} LIMIT 1").fetchone()
        for stream in RECORD_STREAM.values()
    )


def _among(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value.casefold() in {word.casefold() for word in wanted}


def reaches(result: CheckResult, severity: str) -> bool:
    """Whether a flagged finding or a drift is at least this severe; 'never' is never reached."""
    if severity == "never":
        return False
    least = SEVERITY_NUMBER[severity]  # type: ignore[index]  # the command offers these words only
    levels = [finding.severity for finding in result.findings if finding.status == "flagged"]
    levels += [drift.problem.level for drift in result.drift]
    return any(SEVERITY_NUMBER[level] >= least for level in levels)
