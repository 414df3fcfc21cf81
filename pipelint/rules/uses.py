"""Every test that a pack makes of a field, wherever in it: rules, facts, segments, scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from pipelint.rules.catalogue import RecordKind
from pipelint.rules.conditions import Condition, Test, tests_in
from pipelint.rules.facts import OverRows
from pipelint.rules.pack import Check, Pack
from pipelint.rules.scores import Bands, Score


def tests_of(pack: Pack) -> list[Test]:
    """The tests of everything that is live, each once, in the order of the pack."""
    found = (test for condition in _conditions(pack) for test in tests_in(condition))
    return list({(test.place, test.field.name): test for test in found}.values())


def _conditions(pack: Pack) -> Iterator[Condition]:
    for kind in get_args(RecordKind):
        for rule in pack.live_rules(kind):
            for check in rule.checks:
                yield from _of_check(check)
        for score in pack.live_scores(kind):
            yield from _of_score(score)
        for fact in pack.facts[kind].values():
            if isinstance(fact.form, OverRows) and fact.form.where is not None:
                yield fact.form.where
    for _, by_kind in pack.segments:
        yield from by_kind.values()


def _of_check(check: Check) -> Iterator[Condition]:
    if check.scope is not None:
        yield check.scope
    for branch in check.branches:
        yield from (each for each in (branch.guard, branch.condition) if each is not None)
        yield from (condition for _, condition in branch.raise_to)


def _of_score(score: Score) -> Iterator[Condition]:
    if score.scope is not None:
        yield score.scope
    for item in score.items:
        if isinstance(item.form, Bands):
            yield from (band.condition for band in item.form.bands)
    yield from (cap.condition for cap in score.caps)
