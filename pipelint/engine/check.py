"""Evaluates a project's pack on its cache and tells what it finds as it finds it; records nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from pipelint.config.paths import shown
from pipelint.config.project import Connection
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.currencies import currency_notices, with_rates
from pipelint.engine.delivered import delivered
from pipelint.engine.drift import Drift, drift_of
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.engine.past import known_from, looking_back
from pipelint.engine.prepare.once import prepare_once
from pipelint.engine.prepare.prepared import prepare
from pipelint.engine.project import Project
from pipelint.engine.pull import Progress, silent
from pipelint.engine.scores import Score, reason_texts, scores
from pipelint.engine.snooze import snooze_fields, snooze_notices
from pipelint.engine.source import Source
from pipelint.engine.tally import ScoreTally, Tally
from pipelint.engine.waivers import notices
from pipelint.errors import Problem
from pipelint.rules.catalogue import RECORD_STREAM, RecordKind
from pipelint.rules.compile import CompiledPack, compile_pack
from pipelint.rules.compile_condition import Moment
from pipelint.rules.messages import slots
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, inputs_of

KINDS: tuple[RecordKind, ...] = ("opportunity", "lead")


@dataclass(frozen=True, slots=True)
class NotSynced:
    """A rule, or one item of it, that a connection lacks the data for."""

    connection: str
    kind: RecordKind
    rule: str
    fields: tuple[str, ...]


@dataclass(slots=True)
class CheckTotals:
    """What a check found in all, and over how much, without the findings themselves."""

    as_of: datetime
    pack_name: str
    pack_hash: str
    tally: Tally = field(default_factory=Tally)
    """Of the findings, or of those that a filter chose."""
    scored: dict[str, ScoreTally] = field(default_factory=dict)
    """Of the scores, by name."""
    not_synced: list[NotSynced] = field(default_factory=list)
    """What cannot be checked on any record of a connection, told once."""
    known_from: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """Of a connection whose past was looked at: from when on a field is known that was not known then."""
    records: dict[RecordKind, int] = field(default_factory=lambda: {"opportunity": 0, "lead": 0})
    in_grace: int = 0
    """How many more findings there will be once the time of grace of their rules is over."""
    not_pulled: list[str] = field(default_factory=list)
    """Connections that the cache holds nothing of."""
    chosen_from: int | None = None
    """How many findings were flagged before a filter chose among them."""
    only_new: bool = False
    drift: list[Drift] = field(default_factory=list)
    """What the pack names in a CRM and its last pull did not find any more."""
    notices: list[Problem] = field(default_factory=list)
    """What is to be said about the pack now that there is data: waivers that are over or fit nothing, currencies."""


@dataclass(slots=True)
class CheckResult(CheckTotals):
    """The same with every finding and score, in memory: for what is to be worked with, not only shown."""

    findings: list[Finding] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)


class Sink(Protocol):
    """Takes each finding and each score as it is found, by connection, kind and record."""

    def finding(self, found: Finding, /) -> None: ...
    def score(self, score: Score, /) -> None: ...


def sources(
    cache: Cache,
    project: Project,
    connection: Connection,
    as_of: datetime,
    *,
    read: Iterable[str] = (),
    rebuild: bool = False,
    progress: Progress = silent,
) -> Generator[Source]:
    """The prepared and compiled form of each kind of record that a connection delivers.

    `read` are fields to prepare beyond those that the rules use. With `rebuild` the records of a CRM are those
    of a past `as_of`, and remain so until the next source is asked for; exported files know one state only.

    Raises:
        UsageError: nothing had been pulled by the moment that is to be rebuilt.
    """
    pack = project.pack
    if rebuild and is_past(project, connection, as_of):
        with looking_back(cache, connection, pack.settings.calendar, as_of, progress) as said:
            for kind in _delivered_kinds(said):
                yield source_of(cache, pack, kind, said, as_of, read, once=True)
        return
    said = delivered(cache, connection)
    for kind in _delivered_kinds(said):
        yield source_of(cache, pack, kind, said, as_of, read)


def is_past(project: Project, connection: Connection, as_of: datetime) -> bool:
    """Whether the connection's records may have been others then."""
    return connection.crm != "files" and as_of < project.clock()


def _delivered_kinds(said: Delivered) -> list[RecordKind]:
    return [kind for kind in KINDS if RECORD_STREAM[kind] in said.fields]


def source_of(
    cache: Cache,
    pack: Pack,
    kind: RecordKind,
    said: Delivered,
    as_of: datetime,
    read: Iterable[str] = (),
    *,
    once: bool = False,
) -> Source:
    """One kind of record on one connection, prepared and compiled; `once` keeps nothing for another time."""
    pack = with_rates(cache, pack, said.connection)
    moment = Moment(pack.settings.calendar, as_of)
    compiled = compile_pack(pack, kind, inputs_of(pack, kind, said), moment)
    told = _shown_fields(pack, kind) | snooze_fields(pack, compiled)
    prepared = prepare_once if once else prepare
    table = prepared(cache, pack, compiled, said, sorted(told.union(read)))
    return Source(said.connection, said.crm, pack, compiled, table)


def check(
    cache: Cache,
    project: Project,
    as_of: datetime,
    *,
    only: tuple[str, ...] = (),
    rebuild: bool = False,
) -> CheckResult:
    """Every finding and score of the project's connections, or of those named; see `sources`."""
    result = CheckResult(as_of, project.pack.settings.name, project.pack.hash)
    check_into(_Kept(result), result, cache, project, only=only, rebuild=rebuild)
    return result


@dataclass(frozen=True, slots=True)
class _Kept:
    result: CheckResult

    def finding(self, found: Finding, /) -> None:
        self.result.findings.append(found)

    def score(self, score: Score, /) -> None:
        self.result.scores.append(score)


def check_into(
    sink: Sink,
    totals: CheckTotals,
    cache: Cache,
    project: Project,
    *,
    wants: Callable[[Finding], bool] = lambda _: True,
    only: tuple[str, ...] = (),
    ages: bool = False,
    brief: bool = False,
    rebuild: bool = False,
    progress: Progress = silent,
) -> None:
    """Hand on the findings that are wanted, and all scores, and count them; nothing is kept.

    `brief` as for `findings`; see `sources` for `rebuild`.
    """
    settings, as_of = project.pack.settings, totals.as_of
    language = settings.languages[0]
    compiled: dict[str, CompiledPack] = {}
    for connection in project.connections(only):
        found = False
        past = rebuild and is_past(project, connection, as_of)
        for source in sources(cache, project, connection, as_of, rebuild=rebuild, progress=progress):
            found = True
            compiled[source.table] = source.compiled
            count = cache.db.execute(f'SELECT count(*) FROM "{source.table}"').fetchone()[0]
            totals.records[source.compiled.kind] += count
            answerable, not_synced = _told_once(source)
            totals.not_synced += not_synced
            if past:
                kind = source.compiled.kind
                later = known_from(cache, project.pack, kind, connection, as_of)
                totals.known_from.setdefault(connection.name, {}).update(later)
            for finding in findings(cache, answerable, language=language, ages=ages, brief=brief):
                if finding.status == "pending":
                    totals.in_grace += 1
                elif wants(finding):
                    totals.tally.take(finding)
                    sink.finding(finding)
            for score in scores(cache, source, language=language, ages=ages):
                totals.scored.setdefault(score.score, ScoreTally()).take(score)
                sink.score(score)
        rules = shown(project.file.rules, project.folder)
        if not past:
            totals.drift += drift_of(cache, project.pack, connection.name, connection.crm)
        totals.notices += currency_notices(cache, project.pack, delivered(cache, connection), rules)
        if not found:
            totals.not_pulled.append(connection.name)
    if not only and not totals.not_pulled:
        today = Moment(settings.calendar, as_of).local_date
        totals.notices += notices(cache, project.pack.waivers, compiled, today)
        totals.notices += snooze_notices(cache, project.pack, compiled)


def _told_once(source: Source) -> tuple[Source, list[NotSynced]]:
    """The source without the checks that its connection can never answer, and these."""
    checks = source.compiled.checks
    kept = replace(source.compiled, checks=tuple(check for check in checks if check.answerable))
    kind = source.compiled.kind
    mute = [NotSynced(source.connection, kind, c.name, c.lacking) for c in checks if not c.answerable]
    return replace(source, compiled=kept), mute


def _shown_fields(pack: Pack, kind: RecordKind) -> set[str]:
    """The fields that messages and reasons show."""
    texts = [text for each in reason_texts(pack, kind) for text in each.by_language.values()]
    texts += [
        text
        for rule in pack.live_rules(kind)
        for each in (rule.message, rule.fix)
        if each is not None
        for text in each.by_language.values()
    ]
    return {name for text in texts for name in slots(text)}
