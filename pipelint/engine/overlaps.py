"""Rules that the data sets against each other: one says no more than another, or one of two always fires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.tallies import Tallies
from pipelint.errors import Problem
from pipelint.rules.pack import Rule

_FROM = 5
"""What fewer records show may be chance."""
_ENOUGH = 10
_CHANCE = 1e-4
"""How seldom a rule may lie inside another by chance, were the two independent, to be told."""


def overlaps(
    cache: Cache, rules: Sequence[Rule], tallies: Tallies, told: frozenset[frozenset[str]]
) -> Iterator[Problem]:
    """A warning for each rule that says what another says, and for each pair of which one always fires.

    `told` are pairs that were reported as contradictions already.
    """
    flagged = {
        rule.name: tallies.by_rule[rule.name].flagged for rule in rules if rule.name in tallies.by_rule
    }
    firing = [rule for rule in rules if flagged.get(rule.name, 0).bit_count() >= _FROM]
    pairs = [(one, other) for one, other in combinations(firing, 2) if not _related(one, other)]
    yield from _implied(pairs, flagged, tallies.total)
    for one, other in pairs:
        if flagged[one.name] & flagged[other.name] or frozenset({one.name, other.name}) in told:
            continue
        asked = tallies.in_scope(cache, one) & tallies.in_scope(cache, other)
        asked &= ~(tallies.by_rule[one.name].unchecked | tallies.by_rule[other.name].unchecked)
        parts = [asked & flagged[rule.name] for rule in (one, other)]
        if asked.bit_count() >= _ENOUGH and parts[0] | parts[1] == asked and min(parts):
            yield _contradicts(other, one, asked.bit_count())


def _implied(pairs: Sequence[tuple[Rule, Rule]], flagged: dict[str, int], total: int) -> Iterator[Problem]:
    """Each rule that flags nothing but what another flags too, beside the narrowest such other."""
    around: dict[str, list[tuple[int, Rule]]] = {}
    rules = {rule.name: rule for pair in pairs for rule in pair}
    for one, other in pairs:
        for inner, outer in ((one, other), (other, one)):
            mine, theirs = flagged[inner.name], flagged[outer.name]
            same = mine == theirs
            if mine & ~theirs or (same and inner is one):
                continue
            share = theirs.bit_count() / total
            if same or share ** mine.bit_count() < _CHANCE:
                around.setdefault(inner.name, []).append((theirs.bit_count(), outer))
    for name, found in around.items():
        size, outer = min(found, key=lambda each: each[0])
        count = flagged[name].bit_count()
        what = (
            f"{name} flags the same {count:,} records as {outer.name} ({outer.place})"
            if count == size
            else f"{name} flags {count:,} records, all of them among the {size:,} of {outer.name} ({outer.place})"
        )
        yield Problem(rules[name].place, what, "let one hide the other, or drop one", "", "warning")


def _contradicts(rule: Rule, other: Rule, count: int) -> Problem:
    what = (
        f"{rule.name} contradicts {other.name} ({other.place}):"
        f" one of them flags each of the {count:,} records that both ask about, and never both"
    )
    return Problem(rule.place, what, "whatever people do, one fires: change one, or its scope", "", "warning")


def _related(one: Rule, other: Rule) -> bool:
    return one.name in other.hides or other.name in one.hides
