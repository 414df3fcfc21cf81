"""Which findings a command shows, and at what moment it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from pipelint.config.problems import did_you_mean
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import CheckTotals
from pipelint.engine.finding import Finding
from pipelint.engine.identity import candidates, matches, not_cached
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

    @property
    def filters(self) -> bool:
        return any((self.only_rules, self.skip, self.owner, self.pipeline, self.ids, self.new))


class Choice:
    """Chooses among findings as they come; `settle` tells afterwards whether the filters named what exists."""

    def __init__(self, selection: Selection, cache: Cache) -> None:
        self.selection = selection
        self.cache = cache
        self.before = Recorded(cache, selection.project.pack) if selection.new else None
        self.named = _owners(cache)
        self.owners = {name for given in selection.owner for name in self.named.get(given.casefold(), ())}
        self.owners_given = {given.casefold() for given in selection.owner}
        self.owners_met: set[str] = set()
        self.pipelines_met: dict[str, None] = {}
        self.ids_met: set[str] = set()
        self.flagged = 0

    def wants(self, finding: Finding) -> bool:
        """Whether every filter lets it through."""
        asked = self.selection
        self.owners_met.add(finding.owner)
        self.pipelines_met[finding.pipeline] = None
        ids = [given for given in asked.ids if matches(given, finding)]
        self.ids_met.update(ids)
        self.flagged += finding.status == "flagged"
        return (
            _among(finding.rule, asked.only_rules)
            and not (asked.skip and finding.rule in asked.skip)
            and (not asked.owner or self._owned(finding.owner))
            and _among(finding.pipeline, asked.pipeline)
            and (not asked.ids or bool(ids))
            and not (self.before and self.before.has(finding))
        )

    def settle(self, totals: CheckTotals) -> None:
        """Note in the totals how many were chosen from.

        Raises:
            UsageError: nothing was pulled yet, or a filter names what does not exist.
        """
        if totals.not_pulled and not any(totals.records.values()) and not _pulled(self.cache):
            raise UsageError("nothing has been pulled yet", hint="run 'pipelint pull' first")
        self._known(self.selection.only_rules, self.selection.skip)
        self._known_pipelines()
        self._known_owners()
        for given in self.selection.ids:
            if given not in self.ids_met and not candidates(self.cache, given):
                raise not_cached(self.cache, given)
        totals.chosen_from = self.flagged if self.selection.filters else None
        totals.only_new = self.selection.new

    def _owned(self, owner: str) -> bool:
        return owner in self.owners or owner.casefold() in self.owners_given

    def _known(self, *given: Sequence[str]) -> None:
        pack = self.selection.project.pack
        for name in (name for names in given for name in names):
            if name not in pack.rules:
                raise UsageError(
                    f"there is no rule named '{name}'",
                    hint=rule_hint(name, pack.rules, pack.renames, "see 'pipelint rules list'"),
                )

    def _known_pipelines(self) -> None:
        pipelines = dict.fromkeys(pipeline.name for pipeline in self.selection.project.pack.pipelines)
        pipelines |= {name: None for name in self.pipelines_met if name}
        for name in self.selection.pipeline:
            if not _among(name, tuple(pipelines)):
                hint = did_you_mean(name, pipelines) or f"known are: {', '.join(pipelines)}"
                raise UsageError(f"there is no pipeline named '{name}'", hint=hint)

    def _known_owners(self) -> None:
        known = {**self.named, **{owner.casefold(): {owner} for owner in self.owners_met}}
        for given in self.selection.owner:
            if given.casefold() not in known:
                names = {name for words in (self.named, known) for each in words.values() for name in each}
                raise UsageError(
                    f"there is no owner '{given}'",
                    hint=did_you_mean(given, names) or "give a name, id or email address",
                )


def _owners(cache: Cache) -> dict[str, set[str]]:
    """The names of the owners that a name, id or email address stands for, in lower case."""
    known: dict[str, set[str]] = {}
    for name, *others in cache.db.execute("SELECT name, id, email FROM owner"):
        for word in (name, *others):
            if word:
                known.setdefault(str(word).casefold(), set()).add(str(name or ""))
    return known


def _pulled(cache: Cache) -> bool:
    return any(
        cache.db.execute(f"SELECT 1 FROM {stream.value} LIMIT 1").fetchone()
        for stream in RECORD_STREAM.values()
    )


def _among(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value.casefold() in {word.casefold() for word in wanted}


def reaches(totals: CheckTotals, severity: str) -> bool:
    """Whether a flagged finding or a drift is at least this severe; 'never' is never reached."""
    if severity == "never":
        return False
    least = SEVERITY_NUMBER[severity]  # type: ignore[index]  # the command offers these words only
    levels = [*totals.tally.severities.values(), *(drift.problem.level for drift in totals.drift)]
    return any(SEVERITY_NUMBER[level] >= least for level in levels)
