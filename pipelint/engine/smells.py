"""What the data says about the rules: those that fire nearly everywhere or nowhere, say the same, or see nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipelint.engine.bench import filled
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import sources
from pipelint.engine.findings import findings
from pipelint.engine.overlaps import overlaps
from pipelint.engine.prepare.words import StageRow, stage_rows, stages_in_use
from pipelint.engine.project import Project
from pipelint.engine.tallies import Tallies, Tally
from pipelint.errors import Place, Problem
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile_condition import Moment
from pipelint.rules.conditions import tests_in
from pipelint.rules.contradictions import contradictions
from pipelint.rules.fields import Origin
from pipelint.rules.pack import Pack, Rule

_MUCH = 0.6
_FEW = 10
"""On fewer records a share says nothing."""
_MOSTLY = 0.9


def smells(cache: Cache, project: Project) -> list[Problem]:
    """A warning for everything in the pack that the cache makes look odd; nothing where nothing was pulled."""
    by_kind: dict[RecordKind, Tallies] = {}
    for connection in project.connections():
        for source in sources(cache, project, connection, project.clock()):
            by_kind.setdefault(source.compiled.kind, Tallies()).add(cache, source)
    moment = Moment(project.pack.settings.calendar, project.clock())
    told = frozenset(
        frozenset({rule.name, other.name}) for rule, other in contradictions(project.pack, moment)
    )
    found: list[Problem] = []
    for kind, tallies in by_kind.items():
        if tallies.total >= _FEW:
            smelt = _Smelt(cache, project.pack, tallies, filled(cache, project, kind))
            rules = [rule for rule in project.pack.live_rules(kind) if not rule.built_in]
            found += [problem for rule in rules for problem in smelt.of(rule)]
            found += overlaps(cache, rules, tallies, told)
    return [*found, *_unmapped(cache, project)]


class _Smelt:
    """The rules that people wrote, one by one; the generated ones speak for themselves."""

    def __init__(self, cache: Cache, pack: Pack, tallies: Tallies, shares: Mapping[str, float]) -> None:
        self.cache = cache
        self.pack = pack
        self.tallies = tallies
        self.shares = shares
        self.required = {f.name for p in pack.pipelines for member in p.stages for f in member.required}

    def of(self, rule: Rule) -> Iterator[Problem]:
        tally, total = self.tallies.by_rule.get(rule.name, Tally()), self.tallies.total
        flagged, unchecked = tally.flagged.bit_count(), tally.unchecked.bit_count()
        if flagged / total > _MUCH:
            share = f"{flagged / total:.0%} of {total:,} records"
            what = f"{rule.name} flags {share}: what is nearly always so is soon ignored"
            yield _warning(rule.place, what, "narrow its scope or its settings")
        elif not flagged and unchecked < total:
            what = f"{rule.name} flags none of {total:,} records"
            yield _warning(rule.place, what, "fine for a rare mistake; otherwise look at its condition")
        if unchecked > total / 2:
            for name, count in self.blank(rule).most_common(1):
                if count > total / 2 and self.optional(rule, name):
                    what = f"{rule.name} could not be checked on {count:,} of {total:,} records because {name} is blank"
                    yield _warning(rule.place, what, f"no stage requires {name}: require it, or use if_blank")
        for name in self.scope(rule):
            if self.shares.get(name, 1.0) < _MOSTLY:
                missing = round((1 - self.shares[name]) * total)
                what = f"the scope of {rule.name} leaves out {missing:,} of {total:,} records: their {name} is blank"
                yield _warning(rule.place, what, f"no stage requires {name}: require it, or use if_blank")

    def blank(self, rule: Rule) -> Counter[str]:
        """On how many records each field was blank where the rule could not be checked."""
        blank: Counter[str] = Counter()
        for source in self.tallies.sources():
            mine = tuple(check for check in source.compiled.checks if check.rule.name == rule.name)
            alone = replace(source, compiled=replace(source.compiled, checks=mine))
            for finding in findings(self.cache, alone, language="en", ages=False):
                if finding.status == "could_not_check":
                    blank.update({e.field for e in finding.evidence if not e.lack})
        return blank

    def optional(self, rule: Rule, name: str) -> bool:
        """Whether people fill the field in, and no stage asks them to."""
        known = self.pack.known[rule.kind].get(name)
        return (
            known is not None and known.origin in {Origin.RECORD, Origin.CUSTOM} and name not in self.required
        )

    def scope(self, rule: Rule) -> list[str]:
        """The optional fields whose blank takes a record out of the rule's scope."""
        scopes = [check.scope for check in rule.checks if check.scope is not None]
        return [
            name
            for name in dict.fromkeys(
                test.field.name
                for scope in scopes
                for test in tests_in(scope)
                if test.name not in {"blank", "present"} and test.if_blank is None
            )
            if self.optional(rule, name)
        ]


def _unmapped(cache: Cache, project: Project) -> Iterator[Problem]:
    """Records in a stage that no pipeline maps."""
    for connection in project.connections():
        used = stages_in_use(cache.db, connection.name)
        for row in stage_rows(cache.db, project.pack, connection.name, connection.crm, used):
            if row.number is None and not row.ignored:
                count = _records_in(cache, connection.name, row)
                if count:
                    where = f' of pipeline "{row.native_pipeline}"' if row.native_pipeline else ""
                    label = _label(cache, connection.name, row)
                    some = "1 opportunity" if count == 1 else f"{count:,} opportunities"
                    what = (
                        f'{some} of {connection.name} in stage "{row.native_stage}"{label}{where}, which no'
                        " pipeline maps: flagged unknown-value, stage rules could not be checked"
                    )
                    place = next((p.place for p in project.pack.pipelines), Place(project.file.rules.name))
                    yield _warning(place, what, "map it in a pipeline's from:, or write ignore: yes")


def _records_in(cache: Cache, connection: str, row: StageRow) -> int:
    query = "SELECT count(*) FROM opportunity WHERE connection = ? AND pipeline IS ? AND stage = ?"
    values = (connection, row.native_pipeline, row.native_stage)
    return int(cache.db.execute(query, values).fetchone()[0])


def _label(cache: Cache, connection: str, row: StageRow) -> str:
    query = "SELECT label FROM stage WHERE connection = ? AND id = ? AND pipeline IN (?, '') AND label <> id"
    found = cache.db.execute(query, (connection, row.native_stage, row.native_pipeline or "")).fetchone()
    return f' ("{found[0]}")' if found else ""


def _warning(place: Place, what: str, hint: str) -> Problem:
    return Problem(place, what, hint, "", "warning")
