"""Compiles a pack for one kind of record, one connection and one moment (rules.md §5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelint.rules.answerable import can_be_true
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile_condition import Inputs, Moment, compile_condition, definitely
from pipelint.rules.compile_score import CompiledScore, compile_score
from pipelint.rules.conditions import Condition, fields_in
from pipelint.rules.ir import (
    FALSE,
    TRUE,
    UNKNOWN,
    And,
    Case,
    Coalesce,
    Column,
    Compare,
    Constant,
    Expr,
)
from pipelint.rules.lacking import lacking
from pipelint.rules.optimise import simplify
from pipelint.rules.pack import Branch, Check, Pack, Rule, Severity
from pipelint.rules.zones import day_number

SEVERITY_NUMBER: dict[Severity, int] = {"info": 1, "warning": 2, "error": 3}
SEVERITY_NAME: dict[int, Severity] = {number: name for name, number in SEVERITY_NUMBER.items()}


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """One rule, or one item of it.

    `verdict` is true where it is flagged, false where it is clean or not concerned, unknown where it could
    not be checked; `unsynced` is true where that is because of data that the connection did not supply.
    `severity` gives 1 info, 2 warning, 3 error. `lacking` names the fields that the connection does not supply.
    """

    name: str
    rule: Rule
    check: Check
    verdict: Expr
    unsynced: Expr
    severity: Expr
    lacking: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether it can flag anything here: without its data it could not be checked on any record."""
        return not self.lacking or can_be_true(self.verdict)


@dataclass(frozen=True, slots=True)
class CompiledPack:
    """Every check and score of one kind of record on one connection at one moment, and a record's segment."""

    kind: RecordKind
    checks: tuple[CompiledCheck, ...]
    segment: Expr
    inputs: Inputs
    moment: Moment
    scores: tuple[CompiledScore, ...] = ()


def compile_pack(pack: Pack, kind: RecordKind, inputs: Inputs, moment: Moment) -> CompiledPack:
    """The pack's live rules of a kind, as expressions over prepared columns."""
    compiler = _PackCompiler(inputs, moment)
    checks = tuple(
        compiler.check(rule, check)
        for rule in pack.live_rules(kind)
        for check in rule.checks
        if check.branches
    )
    segments = [(name, by_kind[kind]) for name, by_kind in pack.segments if kind in by_kind]
    branches = tuple(
        (compiler.condition(condition), Constant(n)) for n, (_, condition) in enumerate(segments, 1)
    )
    segment = simplify(Case(branches, UNKNOWN)) if branches else UNKNOWN
    scores = tuple(compile_score(score, inputs, moment) for score in pack.live_scores(kind))
    return CompiledPack(kind, checks, segment, inputs, moment, scores)


class _PackCompiler:
    def __init__(self, inputs: Inputs, moment: Moment) -> None:
        self.inputs = inputs
        self.moment = moment

    def condition(self, condition: Condition) -> Expr:
        return compile_condition(condition, self.inputs, self.moment)

    def check(self, rule: Rule, check: Check) -> CompiledCheck:
        flagged = self.branches(check, self.flagged_branches(check), UNKNOWN)
        scope = self.scope(rule, check)
        severity = self.severity(check)
        conditions = [c for c in (check.scope, *_conditions(check)) if c is not None]
        read = dict.fromkeys(field.name for condition in conditions for field in fields_in(condition))
        return CompiledCheck(
            f"{rule.name}/{check.item}" if check.item else rule.name,
            rule,
            check,
            simplify(And((scope, flagged))),
            simplify(lacking(conditions, self.inputs)),
            simplify(severity),
            tuple(name for name in read if name in self.inputs.unsynced),
        )

    def scope(self, rule: Rule, check: Check) -> Expr:
        """A definite yes is in scope; unknown counts only where it comes from data that was not supplied."""
        parts: list[Expr] = []
        if rule.since is not None:
            created = Compare(">=", Column("created_at__day"), Constant(day_number(rule.since)))
            parts.append(definitely(created))
        if check.scope is not None:
            otherwise = Case(((lacking([check.scope], self.inputs), UNKNOWN),), FALSE)
            parts.append(Coalesce((self.condition(check.scope), otherwise)))
        return And(tuple(parts)) if parts else TRUE

    def flagged_branches(self, check: Check) -> list[Expr]:
        return [FALSE if b.condition is None else self.condition(b.condition) for b in check.branches]

    def branches(self, check: Check, values: list[Expr], otherwise: Expr) -> Expr:
        cases = []
        for branch, value in zip(check.branches, values, strict=True):
            if branch.guard is None:
                otherwise = value
                break
            cases.append((self.condition(branch.guard), value))
        return Case(tuple(cases), otherwise) if cases else otherwise

    def severity(self, check: Check) -> Expr:
        values = [self.branch_severity(branch) for branch in check.branches]
        return values[0] if len(set(values)) == 1 else self.branches(check, values, values[-1])

    def branch_severity(self, branch: Branch) -> Expr:
        """The branch's own severity, lifted while a condition of `raise_to` definitely holds."""
        base = SEVERITY_NUMBER[branch.severity]
        raised = [
            (self.condition(condition), Constant(SEVERITY_NUMBER[severity]))
            for severity, condition in branch.raise_to
            if SEVERITY_NUMBER[severity] > base
        ]
        return Case(tuple(raised), Constant(base)) if raised else Constant(base)


def _conditions(check: Check) -> Iterator[Condition]:
    for branch in check.branches:
        if branch.guard is not None:
            yield branch.guard
        if branch.condition is not None:
            yield branch.condition
