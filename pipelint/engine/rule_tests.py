"""Runs the tests of a pack through the engine itself: records into a cache, prepared, evaluated, judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import source_of
from pipelint.engine.evaluate import Outcome, Verdict, evaluate
from pipelint.engine.explain import Decided, explain_rule
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.engine.given import Batch, Key, in_our_words, prefix, record_id, store
from pipelint.engine.scores import Score, scores
from pipelint.errors import Place
from pipelint.rules.cases import Case, Expectation, Given
from pipelint.rules.compile import SEVERITY_NAME
from pipelint.rules.pack import Pack, Rule


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met: what came instead, and the values that decided."""

    test: str
    record: str
    place: Place
    expected: str
    came: str
    decided: tuple[Decided, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all tests, and the rules that they leave in the dark."""

    tests: int
    failures: tuple[Failure, ...]
    never_flagged: tuple[Rule, ...]
    never_clean: tuple[Rule, ...]


def run_tests(pack: Pack, cases: Sequence[Case], *, origin: str = "", dormant: bool = False) -> Report:
    """Run all tests. Coverage is asked of the rules that come from `origin`: '' is the project itself.

    `dormant` evaluates rules and scores that are off as well, for a shipped pack's own tests.
    """
    if dormant:
        rules = {name: _awake(rule) for name, rule in pack.rules.items()}
        awake = {name: replace(score, status="on") for name, score in pack.scores.items()}
        pack = replace(pack, rules=rules, scores=awake)
    pack = in_our_words(pack)
    found: list[tuple[int, Failure]] = []
    with Cache.open(":memory:") as cache:
        for number, batch in enumerate(_batches(cases)):
            found += _Bench(cache, pack, batch, f"test-{number}").failures(cases)
    found.sort(key=lambda each: (each[0], each[1].place.line, each[1].place.column))
    asked = [
        rule
        for rule in pack.rules.values()
        if rule.origin == origin and rule.status not in {"off", "retired"}
    ]
    named = {what: _named(cases, what) for what in ("flags", "no_flags")}
    return Report(
        len(cases),
        tuple(failure for _, failure in found),
        tuple(rule for rule in asked if rule.name not in named["flags"]),
        tuple(rule for rule in asked if rule.name not in named["no_flags"]),
    )


def _awake(rule: Rule) -> Rule:
    return replace(rule, status="on") if rule.status == "off" else rule


def _named(cases: Iterable[Case], what: str) -> frozenset[str]:
    return frozenset(
        each.rule for case in cases for given in case.records for each in given.expected if each.what == what
    )


def _asked(pack: Pack, batch: Batch) -> Pack:
    """The pack with the rules that are expected something of, and those that may hide them."""
    named = {each.rule for given in batch.members.values() for each in given.expected}
    rules = {
        name: rule
        for name, rule in pack.rules.items()
        if name in named or any(hidden.partition("/")[0] in named for hidden in rule.hides)
    }
    return replace(pack, rules=rules)


def _batches(cases: Sequence[Case]) -> list[Batch]:
    """As few connections as the tests allow: preparing and compiling is what takes the time."""
    by_key: dict[Key, list[Batch]] = {}
    for test, case in enumerate(cases):
        for given in case.records:
            mine = by_key.setdefault(Key.of(case.as_of, given), [])
            batch = next((each for each in mine if each.takes(test, given)), None)
            if batch is None:
                batch = Batch(Key.of(case.as_of, given))
                mine.append(batch)
            batch.add(test, given)
    return [batch for batches in by_key.values() for batch in batches]


class _Bench:
    """One batch of records, evaluated."""

    def __init__(self, cache: Cache, pack: Pack, batch: Batch, connection: str) -> None:
        said = store(cache, pack, batch, connection)
        pack = _asked(pack, batch)
        self.cache = cache
        self.batch = batch
        self.source = source_of(cache, pack, batch.key.kind, said, batch.key.as_of)
        self._flagged_since(connection)
        language = pack.settings.languages[0]
        self.found = {
            (finding.id, finding.rule): finding
            for finding in findings(cache, self.source, language=language, ages=False)
        }
        self.verdicts: dict[str, Verdict] = {
            verdict.id: verdict for verdict in evaluate(cache, self.source.compiled, self.source.table)
        }
        self.scores: dict[tuple[str, str], Score] = {
            (each.id, each.score): each for each in scores(cache, self.source, language=language, ages=False)
        }
        self.numbers = {check.name: n for n, check in enumerate(self.source.compiled.checks)}

    def _flagged_since(self, connection: str) -> None:
        """What earlier runs would have recorded."""
        calendar = self.source.compiled.moment.calendar
        for record, given in self.batch.members.items():
            for rule, day in given.flagged_since.items():
                at = microseconds(calendar.instant(datetime.combine(day, time())))
                self.cache.db.execute(
                    "INSERT INTO finding_event (connection, kind, record, rule, event, day, at)"
                    " VALUES (?, ?, ?, ?, 'pending', ?, ?)",
                    (connection, given.kind, record, rule, day.isoformat(), at),
                )

    def failures(self, cases: Sequence[Case]) -> Iterator[tuple[int, Failure]]:
        for test, case in enumerate(cases):
            for given in case.records:
                record = record_id(test, given)
                if self.batch.members.get(record) is given:
                    for expectation in given.expected:
                        failure = self.judge(case, given, record, prefix(test), expectation)
                        if failure is not None:
                            yield test, failure

    def judge(
        self, case: Case, given: Given, record: str, ours: str, expectation: Expectation
    ) -> Failure | None:
        if expectation.what == "scores":
            return self.judge_score(case, given, record, expectation)
        finding = self.found.get((record, expectation.rule))
        status = self.status(record, expectation, finding, ours)
        severity = self.severity(record, expectation, finding)
        name, flagged = expectation.name, status in {"flagged", "trial", "waived"}
        came = status.replace("_", " ")
        if flagged:
            came = f"flagged as {severity}"
        match expectation.what:
            case "flags":
                met = flagged and expectation.severity in {None, severity}
                expected = f"{name} flagged" + (f" as {expectation.severity}" if expectation.severity else "")
            case "no_flags":
                met, expected = not flagged, f"{name} not flagged"
            case "could_not_check" | "hidden":
                met, expected = status == expectation.what, f"{name} {expectation.what.replace('_', ' ')}"
            case "messages":
                said = finding.message.replace(ours, "") if finding and status != "pending" else ""
                met, expected = said == expectation.text, f'{name} says "{expectation.text}"'
                came = f'it says "{said}"' if said else came
        if met:
            return None
        explained = explain_rule(self.cache, self.source, record, expectation.rule, finding)
        decided = explained.decided
        if status == "pending":
            came += f", for its grace of {self.source.pack.rules[expectation.rule].grace} is not over"
        if status == "clean" and explained.status == "not concerned":
            came, decided = "not in its scope", explained.in_scope
        return Failure(case.name, given.id, expectation.place, expected, came, decided)

    def judge_score(self, case: Case, given: Given, record: str, expectation: Expectation) -> Failure | None:
        score, part, wanted = self.scores.get((record, expectation.rule)), expectation.item, expectation.text
        if score is None:
            came, met = "no score: not in its scope, or not known", False
        elif part == "not_known":
            came = ", ".join(sorted(score.not_known))
            met = came == wanted
        elif part == "grade":
            came, met = score.grade or "none", score.grade == wanted
        else:
            number = Decimal(score.total) if part == "total" else score.categories[part]
            came, met = f"{number}", number == Decimal(wanted)
        if met:
            return None
        named = part.replace("_", " ")
        expected = f"{expectation.rule}: {named} {wanted or '(nothing)'}"
        because = tuple(Decided(reason, "", "") for reason in score.reasons) if score else ()
        return Failure(case.name, given.id, expectation.place, expected, f"{came or '(nothing)'}", because)

    def status(self, record: str, expectation: Expectation, finding: Finding | None, ours: str) -> str:
        """In the words of a finding, or `clean`, `off`."""
        rule, item = expectation.rule, expectation.item
        if self.source.pack.rules[rule].status == "off":
            return "off"
        if finding is None:
            return "clean"
        if not item or finding.status == "pending":
            return finding.status
        outcome = self.outcome(record, expectation)
        if outcome is None:  # an item that is not a check of its own, such as another record
            return finding.status if item in (each.removeprefix(ours) for each in finding.items) else "clean"
        if outcome is Outcome.FLAGGED:
            return finding.status if item in finding.items else "hidden"
        return "clean" if outcome is Outcome.CLEAN else "could_not_check"

    def outcome(self, record: str, expectation: Expectation) -> Outcome | None:
        number = self.numbers.get(expectation.name)
        if number is None:
            return None
        verdict = self.verdicts.get(record)
        return verdict.outcomes.get(number, Outcome.CLEAN) if verdict else Outcome.CLEAN

    def severity(self, record: str, expectation: Expectation, finding: Finding | None) -> str:
        verdict, number = self.verdicts.get(record), self.numbers.get(expectation.name)
        if expectation.item and verdict is not None and number in verdict.severities:
            return SEVERITY_NAME[verdict.severities[number]]
        return finding.severity if finding is not None else ""
