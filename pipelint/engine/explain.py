"""Why one record has the flags it has: the values that decided, per rule (rules.md §4.15)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, TypeAlias

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.causes import Causes, Happened
from pipelint.engine.check import sources
from pipelint.engine.events import ENDS
from pipelint.engine.evidence import lack_of, shown_value
from pipelint.engine.explain_scores import ScoreExplained, explain_scores
from pipelint.engine.finding import Finding, FindingStatus
from pipelint.engine.findings import findings, owner_shown
from pipelint.engine.identity import candidates, find
from pipelint.engine.project import Project
from pipelint.engine.source import Source, rows_of
from pipelint.errors import UsageError
from pipelint.rules.compile import CompiledCheck
from pipelint.rules.conditions import Condition, Test
from pipelint.rules.emit.python import function
from pipelint.rules.explain import Explainer, Row, in_words
from pipelint.rules.fields import Origin
from pipelint.rules.renames import rule_hint
from pipelint.rules.waivers import Waiver

Status: TypeAlias = Literal[FindingStatus, "clean", "not concerned"]


@dataclass(frozen=True, slots=True)
class Decided:
    """One test and the value it met; `because` says what else settled it: a setting, a word on blanks."""

    field: str
    value: str
    test: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """One rule on the record."""

    rule: str
    title: str
    status: Status
    severity: str
    place: str
    message: str
    fix: str
    why: str
    playbook: str
    since: date | None
    decided: tuple[Decided, ...]
    in_scope: tuple[Decided, ...]
    items: tuple[str, ...]
    waiver: Waiver | None = None
    hidden_by: str = ""
    due: date | None = None
    history: tuple[Happened, ...] = ()
    """What runs recorded of it: all where it was asked for alone, else since it last began."""


@dataclass(frozen=True, slots=True)
class RecordExplained:
    """A record and every rule that has something to say about it, or the one that was asked for."""

    connection: str
    kind: str
    id: str
    name: str
    url: str | None
    owner: str
    stage: str
    rules: tuple[Explained, ...]
    scores: tuple[ScoreExplained, ...] = ()
    not_synced: tuple[str, ...] = ()
    """Rules that its connection has no data for, on any record."""


def explain_record(
    cache: Cache, project: Project, given: str, rule: str | None, as_of: datetime | None = None
) -> RecordExplained:
    """Explain one record, now or as it was: all that is to say of it, or one rule or score.

    Raises:
        UsageError: the record or the rule is not known, or nothing is known of that moment.
    """
    names = (*project.pack.rules, *project.pack.scores)
    if rule is not None and rule not in names:
        hint = rule_hint(rule, names, project.pack.renames, "see 'pipelint rules list'")
        raise UsageError(f"there is no rule or score named '{rule}'", hint=hint)
    if as_of is not None:
        return _as_it_was(cache, project, given, rule, as_of)
    connection, kind, record = find(cache, given)
    for source in sources(cache, project, project.file.connections[connection], project.clock()):
        if source.compiled.kind == kind:
            rows = rows_of(cache, source.table, [record])
            if record in rows:
                return _Explanation(cache, source, rows[record], record).whole(rule)
    raise UsageError(
        f"'{given}' lies in a pipeline that the pack ignores", hint="see 'ignore: yes' under pipelines:"
    )


def _as_it_was(
    cache: Cache, project: Project, given: str, rule: str | None, as_of: datetime
) -> RecordExplained:
    """The record is looked for where it is today, or everywhere if it is gone."""
    today = {connection for connection, *_ in candidates(cache, given)}
    for connection in project.connections(sorted(today)):
        with closing(sources(cache, project, connection, as_of, rebuild=True)) as looked_at:
            for source in looked_at:
                of_source = (connection.name, source.compiled.kind)
                for record in [found[2] for found in candidates(cache, given) if found[:2] == of_source]:
                    rows = rows_of(cache, source.table, [record])
                    if record in rows:
                        return _Explanation(cache, source, rows[record], record).whole(rule)
    day = f"{project.pack.settings.calendar.local(as_of):%Y-%m-%d}"
    raise UsageError(
        f"there is no record '{given}' in the cache as of {day}", hint="check the id and the day"
    )


def explain_rule(cache: Cache, source: Source, record: str, rule: str, finding: Finding | None) -> Explained:
    """One rule on one prepared record; `finding` is what was found, if anything."""
    row = rows_of(cache, source.table, [record])[record]
    return _Explanation(cache, source, row, record).rule(rule, finding)


class _Explanation:
    def __init__(self, cache: Cache, source: Source, row: Row, record: str) -> None:
        self.cache = cache
        self.source = source
        self.row = row
        self.record = record
        self.language = source.pack.settings.languages[0]
        self.reader = source.reader(row, self.language, source.compiled.moment.today)
        self.inputs = source.compiled.inputs
        self.explainer = Explainer(source.compiled.inputs, source.compiled.moment)
        self.causes = Causes(cache, source, record)

    def whole(self, rule: str | None) -> RecordExplained:
        found = findings(self.cache, self.source, language=self.language, ages=True, record=self.record)
        by_rule = {finding.rule: finding for finding in found}
        names = [rule] if rule else [name for name, finding in by_rule.items() if not self.mute(finding)]
        names = [name for name in names if name in self.source.pack.rules]
        mute = () if rule else tuple(name for name in by_rule if name not in names)
        order = {"flagged": 0, "trial": 1, "pending": 2, "waived": 3, "hidden": 4, "could_not_check": 5}
        explained = [self.rule(name, by_rule.get(name)) for name in names]
        if rule is None:
            explained = [replace(each, history=_current(each.history)) for each in explained]
        explained.sort(key=lambda each: (order.get(each.status, 9), each.rule))
        return RecordExplained(
            self.source.connection,
            self.source.compiled.kind,
            self.record,
            self.reader.known("name") or self.record,
            None if self.row.get("url") is None else str(self.row["url"]),
            owner_shown(self.reader),
            self.reader.known("stage"),
            tuple(explained),
            tuple(explain_scores(self.source, self.row, self.reader, rule)),
            mute,
        )

    def mute(self, finding: Finding) -> bool:
        """Whether the connection can never answer the rule, and nothing that it said before is kept."""
        checks = [check for check in self.source.compiled.checks if check.rule.name == finding.rule]
        return finding.since is None and not any(check.answerable for check in checks)

    def rule(self, name: str, finding: Finding | None) -> Explained:
        rule = self.source.pack.rules[name]
        checks = [check for check in self.source.compiled.checks if check.rule.name == name]
        if finding is not None:
            checks = [check for check in checks if not finding.items or check.check.item in finding.items]
        status: Status = finding.status if finding else self.status(checks)
        decided = [each for check in checks for each in self.decided(check)]
        return Explained(
            rule=name,
            title=rule.title.say(self.language),
            status=status,
            severity=finding.severity if finding else rule.severity,
            place=str(rule.place),
            message=finding.message if finding else "",
            fix=finding.fix if finding else "",
            why=rule.why.say(self.language) if rule.why else "",
            playbook=rule.playbook,
            since=finding.since if finding else None,
            decided=tuple(dict.fromkeys(decided)),
            in_scope=tuple(dict.fromkeys(each for check in checks for each in self.scope(check))),
            items=finding.items if finding else (),
            waiver=finding.waiver if finding else None,
            hidden_by=finding.hidden_by if finding else "",
            due=finding.due if finding else None,
            history=self.causes.of(name),
        )

    def status(self, checks: list[CompiledCheck]) -> Status:
        in_scope = [
            check
            for check in checks
            if check.check.scope is None or self.explainer.answer(check.check.scope, self.row)
        ]
        if not in_scope:
            return "not concerned"
        return (
            "clean"
            if all(function(check.verdict)(self.row) is False for check in in_scope)
            else "could_not_check"
        )

    def decided(self, check: CompiledCheck) -> list[Decided]:
        for branch in check.check.branches:
            if branch.guard is None or self.explainer.answer(branch.guard, self.row):
                return [] if branch.condition is None else self.leaves(branch.condition)
        return []

    def scope(self, check: CompiledCheck) -> list[Decided]:
        return [] if check.check.scope is None else self.leaves(check.check.scope)

    def leaves(self, condition: Condition) -> list[Decided]:
        found = []
        for leaf in self.explainer.deciding(condition, self.row):
            field = leaf.test.field
            if field.origin is Origin.MARKER:
                field = self.reader.fields[field.source]
            value = shown_value(self.inputs, field, self.reader) if field.name in self.reader.fields else "?"
            phrase = in_words(leaf.test, self.source.compiled.moment)
            said = phrase if leaf.answer is not False else f"not: {phrase}"
            found.append(Decided(field.name, value, said, tuple(self.because(leaf.test))))
        return found

    def because(self, test: Test) -> Iterator[str]:
        """Where the test's own numbers are written, and what it makes of a blank that it met."""
        for setting in test.settings:
            yield f"setting '{setting.name}', {setting.place}"
        blank = self.row.get(test.field.main.name) is None and not lack_of(self.inputs, test.field, self.row)
        if test.if_blank is not None and blank:
            yield f"blank counts as {'yes' if test.if_blank else 'no'}"


def _current(history: tuple[Happened, ...]) -> tuple[Happened, ...]:
    """What happened since it last ended."""
    ended = [number for number, each in enumerate(history, 1) if each.event in ENDS]
    return history[ended[-1] if ended else 0 :]
