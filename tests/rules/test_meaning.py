"""Random conditions mean the same to the reference, to the generated Python, and to SQLite over a real cache."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelint.config.nodes import Node, Problems
from pipelint.rules.condition_reader import read_condition
from tests.rules.anything import MOMENTS, conditions, numbered, pack, records, supplies
from tests.rules.ground import ask, scope_of

COUNT = {"pairs": 0}
RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


class Example(NamedTuple):
    """A moment, some connections with some records, and some conditions."""

    moment: datetime
    groups: list[Any]
    written: list[Node]

    def __repr__(self) -> str:
        return f"an example at {self.moment}"  # the failure itself tells the rest


def example(asked: int, size: int) -> Any:
    """Examples with so many conditions, and at most so many records on a connection."""

    def at(moment: Any) -> Any:
        members = st.lists(records(moment), min_size=max(1, size // 2), max_size=size)
        groups = st.lists(st.tuples(supplies(moment), members), min_size=1, max_size=2)
        return st.builds(
            Example, st.just(moment), groups, st.lists(conditions(moment), min_size=asked, max_size=asked)
        )

    return st.sampled_from(MOMENTS).flatmap(at)


def agree(made: Example) -> None:
    moment, groups, written = made
    problems = Problems()
    checked = [read_condition(node, scope_of(pack()), problems) for node in written]
    assert not problems.found, "the reader refuses what the language allows"
    givens = numbered(groups)
    asked = ask(pack(), givens, [condition for condition in checked if condition is not None], moment)
    COUNT["pairs"] += len(givens) * len(written)
    for r, record in enumerate(givens):
        for c, condition in enumerate(checked):
            said = (asked.reference[r][c], asked.python[r][c], asked.sqlite[r][c])
            assert said[0] is said[1] is said[2], f"{said}\n{condition}\n{record}\n{moment}"


@given(example(8, 5))
@settings(max_examples=40, deadline=None, suppress_health_check=RELAXED)
def test_three_ways_of_evaluating_agree(made: Any) -> None:
    agree(made)


@pytest.mark.slow
def test_three_ways_of_evaluating_agree_on_100_000_pairs() -> None:
    COUNT["pairs"] = 0

    @given(example(24, 16))
    # Shrinking examples this large takes longer than reading them.
    @settings(
        max_examples=50, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=RELAXED
    )
    def some(made: Any) -> None:
        agree(made)

    while COUNT["pairs"] < 100_000:
        some()
