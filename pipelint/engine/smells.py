"""What the data says about the rules: those that fire nearly everywhere or nowhere, say the same, or see nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelint.engine.bench import filled
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import sources
from pipelint.engine.findings import findings
from pipelint.engine.prepare.words import StageRow, stage_rows, stages_in_use
from pipelint.engine.project import Project
from pipelint.errors import Place, Problem
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.conditions import tests_in
from pipelint.rules.fields import Origin
from pipelint.rules.pack import Pack, Rule

_MUCH = 0.6
_FEW = 10
"""On fewer records a share says nothing."""
_SAME_FROM = 5
_MOSTLY = 0.9


@dataclass(slots=True)
class _Seen:
    """What one rule did on all records."""

    flagged: set[tuple[str, str]] = field(default_factory=set)
    unchecked: int = 0
    blank: Counter[str] = field(default_factory=Counter)


def smells(cache: Cache, project: Project) -> list[Problem]:
    """A warning for everything in the pack that the cache makes look odd; nothing where nothing was pulled."""
    records: Counter[RecordKind] = Counter()
    seen: dict[str, _Seen] = {}
    for connection in project.connections():
        for source in sources(cache, project, connection, project.clock()):
            count = cache.db.execute(f'SELECT count(*) FROM "{source.table}"').fetchone()[0]
            records[source.compiled.kind] += count
            for finding in findings(cache, source, language="en", ages=False):
                mine = seen.setdefault(finding.rule, _Seen())
                if finding.status != "could_not_check":
                    mine.flagged.add((finding.connection, finding.id))
                    continue
                mine.unchecked += 1
                mine.blank.update({e.field for e in finding.evidence if not e.unsynced})
    smelt = _Smelt(project.pack, records, seen)
    shares = {kind: filled(cache, project, kind) for kind in records}
    found = [problem for rule in smelt.rules() for problem in smelt.of(rule, shares.get(rule.kind, {}))]
    return [*found, *smelt.same(), *_unmapped(cache, project)]


class _Smelt:
    def __init__(self, pack: Pack, records: Counter[RecordKind], seen: dict[str, _Seen]) -> None:
        self.pack = pack
        self.records = records
        self.seen = seen
        self.required = {f.name for p in pack.pipelines for member in p.stages for f in member.required}

    def rules(self) -> Iterator[Rule]:
        """The live rules that have been asked of enough records; the generated ones speak for themselves."""
        for rule in self.pack.rules.values():
            live = rule.status not in {"off", "retired"} and not rule.built_in
            if live and self.records[rule.kind] >= _FEW:
                yield rule

    def of(self, rule: Rule, shares: dict[str, float]) -> Iterator[Problem]:
        seen, total = self.seen.get(rule.name, _Seen()), self.records[rule.kind]
        share = len(seen.flagged) / total
        if share > _MUCH:
            what = f"{rule.name} flags {share:.0%} of {total:,} records: what is nearly always so is soon ignored"
            yield _warning(rule.place, what, "narrow its scope or its settings")
        elif not seen.flagged and seen.unchecked < total:
            what = f"{rule.name} flags none of {total:,} records"
            yield _warning(rule.place, what, "fine for a rare mistake; otherwise look at its condition")
        for name, count in seen.blank.most_common(1):
            if count > total / 2 and self.optional(rule, name):
                what = f"{rule.name} could not be checked on {count:,} of {total:,} records because {name} is blank"
                yield _warning(rule.place, what, f"no stage requires {name}: require it, or use if_blank")
        for name in self.scope(rule):
            if shares.get(name, 1.0) < _MOSTLY:
                missing = round((1 - shares[name]) * total)
                what = f"the scope of {rule.name} leaves out {missing:,} of {total:,} records: their {name} is blank"
                yield _warning(rule.place, what, f"no stage requires {name}: require it, or use if_blank")

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

    def same(self) -> Iterator[Problem]:
        """Rules that flag the very same records, each pair once."""
        by_records: dict[frozenset[tuple[str, str]], Rule] = {}
        for rule in self.rules():
            flagged = frozenset(self.seen.get(rule.name, _Seen()).flagged)
            if len(flagged) < _SAME_FROM:
                continue
            other = by_records.setdefault(flagged, rule)
            if other is not rule:
                what = f"{rule.name} flags the same {len(flagged):,} records as {other.name} ({other.place})"
                yield _warning(rule.place, what, "if one implies the other, let it hide it, or drop one")


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
