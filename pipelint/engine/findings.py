"""Making findings out of verdicts and prepared values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import NamedTuple

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import CHOSEN, Outcome, Verdict, evaluate
from pipelint.engine.events import Standing, Standings
from pipelint.engine.evidence import Witness, blank_message, distinct
from pipelint.engine.finding import Finding, FindingStatus
from pipelint.engine.grace import pending_until
from pipelint.engine.hiding import Found, hidden_by, hider
from pipelint.engine.similar import COUNTED, counted
from pipelint.engine.snooze import Snoozes
from pipelint.engine.source import Source, rows_of
from pipelint.engine.waivers import InForce
from pipelint.rules.compile import SEVERITY_NAME, SEVERITY_NUMBER
from pipelint.rules.explain import Row
from pipelint.rules.messages import Reader
from pipelint.rules.pack import Rule
from pipelint.rules.waivers import Waiver

_BATCH = 400


def findings(
    cache: Cache,
    source: Source,
    *,
    language: str,
    ages: bool,
    record: str | None = None,
    chosen: bool = False,
    brief: bool = False,
) -> Iterator[Finding]:
    """Every finding of a source, of one record, or of those in `temp.chosen`, ordered by record id.

    `ages` lets messages say "18 days ago"; what is written or exported says the date instead. With `brief`, what
    could not be checked tells only which fields it lacks: it is often most of what there is, and merely counted.
    """
    maker = _Maker(cache, source, language, ages)
    maker.brief = brief
    maker.among = CHOSEN if chosen else "1"
    verdicts = evaluate(cache, source.compiled, source.table, record, chosen=chosen)
    while batch := list(islice(verdicts, _BATCH)):
        rows = rows_of(cache, source.table, [verdict.id for verdict in batch])
        for verdict in batch:
            yield from maker.of_record(verdict, rows[verdict.id])


class _Whose(NamedTuple):
    """What every finding of one record tells about it."""

    id: str
    name: str
    url: str | None
    owner: str
    pipeline: str
    stage: str
    amount: int | None


class _Context(NamedTuple):
    """What the findings of one record depend on.

    `waived` is by check, `pending` and `standing` are by rule; `hidden` names the rule that hides a rule or item.
    """

    row: Row
    reader: Reader
    standing: Mapping[str, Standing]
    pending: Mapping[str, date]
    waived: Mapping[str, Waiver]
    hidden: Mapping[str, str]


class _Maker:
    def __init__(self, cache: Cache, source: Source, language: str, ages: bool) -> None:
        compiled = source.compiled
        self.cache = cache
        self.among = "1"
        self.brief = False
        self.others: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self.source = source
        self.waivers = InForce(cache, source.pack, compiled, source.connection)
        self.snoozes = Snoozes(cache, source.pack, compiled, source.connection, source.crm)
        rules = source.pack.live_rules(compiled.kind)
        self.standings = Standings(cache.db, source.connection, compiled.kind, rules)
        self.witness = Witness(compiled, source.pack.known[compiled.kind])
        self.language = language
        self.today = compiled.moment.today if ages else None

    def of_record(self, verdict: Verdict, row: Row) -> list[Finding]:
        by_rule: dict[str, list[Found]] = {}
        for number, outcome in verdict.outcomes.items():
            check = self.source.compiled.checks[number]
            found = (check, outcome, verdict.severities.get(number, 0))
            by_rule.setdefault(check.rule.name, []).append(found)
        reader = self.source.reader(row, self.language, self.today)
        standing = self.standings.of(verdict.id)
        pending = self.pending(by_rule, standing)
        waived = self.waived(verdict.id, by_rule, row)
        context = _Context(row, reader, standing, pending, waived, hidden_by(by_rule, waived, pending))
        whose = self.whose(verdict.id, row, reader)
        return [self.of_rule(whose, checks, context) for checks in by_rule.values()]

    def pending(
        self, by_rule: Mapping[str, list[Found]], standing: Mapping[str, Standing]
    ) -> dict[str, date]:
        """The rules whose time of grace lasts, each with the day on which its flag comes."""
        moment = self.source.compiled.moment
        due = {
            name: pending_until(checks[0][0].rule, standing.get(name), moment)
            for name, checks in by_rule.items()
            if any(outcome is Outcome.FLAGGED for _, outcome, _ in checks)
        }
        return {name: day for name, day in due.items() if day is not None}

    def waived(self, record: str, by_rule: Mapping[str, list[Found]], row: Row) -> dict[str, Waiver]:
        """The waiver of each flagged check that has one, by the check's name."""
        checks = [found[0] for each in by_rule.values() for found in each if found[1] is Outcome.FLAGGED]
        snooze = self.snoozes.of(record, row) if checks else None
        found = {
            check.name: self.waivers.of(check.rule.name, check.name, record, row) or snooze
            for check in checks
        }
        return {name: waiver for name, waiver in found.items() if waiver is not None}

    def whose(self, record: str, row: Row, reader: Reader) -> _Whose:
        return _Whose(
            record,
            reader.known("name"),
            _text(row, "url"),
            owner_shown(reader),
            reader.known("pipeline"),
            reader.known("stage"),
            _number(row, "amount"),
        )

    def of_rule(self, whose: _Whose, checks: list[Found], context: _Context) -> Finding:
        rule, reader, hidden = checks[0][0].rule, context.reader, context.hidden
        flagged = [found for found in checks if found[1] is Outcome.FLAGGED]
        standing = [found for found in flagged if found[0].name not in context.waived]
        shown = [found for found in standing if rule.name not in hidden and found[0].name not in hidden]
        chosen = shown or standing or flagged or checks
        items = tuple(check.check.item for check, _, _ in chosen if check.check.item)
        shown_items = self.labels(items)
        if flagged and rule.built_in and rule.name in COUNTED:
            items = self.counted(rule.name, whose.id)
            shown_items = ", ".join(items)
        level = max(
            (severity for _, _, severity in shown or standing or flagged),
            default=SEVERITY_NUMBER[rule.severity],
        )
        tell = self.witness.lacked_by if self.brief and not flagged else self.witness.of
        evidence = tuple(e for check, outcome, _ in chosen for e in tell(check, outcome, context.row, reader))
        status = _status(rule, flagged, standing, shown, context)
        keeps = not flagged and any(outcome is Outcome.UNSYNCED for _, outcome, _ in checks)
        said = rule.message.say(self.language) if flagged else ""
        recorded = context.standing.get(rule.name)
        return Finding(
            connection=self.source.connection,
            crm=self.source.crm,
            kind=self.source.compiled.kind,
            id=whose.id,
            name=whose.name,
            url=whose.url,
            owner=whose.owner,
            pipeline=whose.pipeline,
            stage=whose.stage,
            rule=rule.name,
            severity=SEVERITY_NAME[level],
            status=status,
            message=reader.fill(said, shown_items) if flagged else blank_message(evidence),
            fix=reader.fill(rule.fix.say(self.language), shown_items) if rule.fix and flagged else "",
            items=items,
            evidence=distinct(evidence),
            amount=whose.amount,
            written=rule.status == "on" and status == "flagged",
            keeps=keeps,
            since=recorded.since if recorded and (flagged or keeps) else None,
            waiver=context.waived[flagged[0][0].name] if status == "waived" else None,
            hidden_by=hider(rule, standing, hidden) if status == "hidden" else "",
            due=context.pending.get(rule.name),
            unsynced_items=tuple(
                c.check.item for c, out, _ in checks if out is Outcome.UNSYNCED and c.check.item
            ),
        )

    def counted(self, rule: str, record: str) -> tuple[str, ...]:
        """The other records that a finding is about, looked up for all records at once."""
        if rule not in self.others:
            self.others[rule] = counted(self.cache, self.source, COUNTED[rule], self.among)
        return self.others[rule].get(record, ())

    def labels(self, items: tuple[str, ...]) -> str:
        return ", ".join(item.replace("_", " ") for item in items)


def _status(
    rule: Rule,
    flagged: Sequence[Found],
    standing: Sequence[Found],
    shown: Sequence[Found],
    context: _Context,
) -> FindingStatus:
    """What becomes of the checks that are flagged: those not waived stand, those not hidden either are shown."""
    if not flagged:
        return "could_not_check"
    if rule.name in context.pending:
        return "pending"
    if not standing:
        return "waived"
    if not shown:
        return "hidden"
    return "trial" if rule.status == "trial" else "flagged"


def owner_shown(reader: Reader) -> str:
    """The owner's name; where nobody told names, as in many files, what the record itself holds."""
    return reader.known("owner.name") or reader.known("owner.id")


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return None if value is None else str(value)


def _number(row: Row, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None
