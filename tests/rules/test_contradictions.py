"""Pairs of rules of which one always fires, told from their conditions alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.rules import kleene
from pipelint.rules.compile_condition import Moment
from pipelint.rules.contradictions import contradictions, opposite
from pipelint.rules.ir import Expr
from tests.rules.expressions import records, truths, value_of
from tests.rules.ground import pack_of

BASE = """\
stages:
  - {name: discovery, kind: open, group: early}
  - {name: won, kind: won}
conditions:
  open: {stage_kind: open}
rules:
  other: {title: t, applies_to: open, severity: info, %s}
  rule: {title: t, severity: info, %s}
"""
OPEN = "applies_to: open, "


def told(one: str, other: str) -> list[tuple[str, str]]:
    pack, problems = pack_of(BASE % (one, other))
    assert pack is not None, [(str(p.place), p.what) for p in problems.found]
    moment = Moment(pack.settings.calendar, datetime(2026, 11, 20, tzinfo=UTC))
    return [(rule.name, earlier.name) for rule, earlier in contradictions(pack, moment)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("flag_when: {amount: {at_least: 10}}", "flag_when: {amount: {less_than: 10}}"),
        ("flag_when: {next_step: blank}", "flag_when: {next_step: present}"),
        ("flag_when: {amount: {at_least: 10}}", "require: {amount: {at_least: 10}}"),
        ("flag_when: {source: [web, fair]}", "flag_when: {source: {none_of: [web, fair]}}"),
        ("flag_when: {close_date: {before: today}}", "flag_when: {close_date: {on_or_after: today}}"),
        (
            "flag_when: {amount: {more_than: 5}, next_step: blank}",
            "flag_when: {any: [{next_step: present}, {amount: {at_most: 5}}]}",
        ),
        (
            "flag_when: {amount: {at_least: 10, if_blank: yes}}",
            "flag_when: {amount: {less_than: 10, if_blank: no}}",
        ),
        ("settings: {s: 9}, flag_when: {amount: {at_least: $s}}", "flag_when: {amount: {less_than: 9}}"),
    ],
)
def test_opposite_conditions_in_one_scope_contradict(one: str, other: str) -> None:
    assert told(one, OPEN + other) == [("rule", "other")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("flag_when: {amount: {at_least: 10}}", "flag_when: {amount: {less_than: 10}}"),  # for all
        ("flag_when: {amount: {at_least: 10}}", OPEN + "flag_when: {amount: {less_than: 9}}"),
        ("flag_when: {amount: {at_least: 10}}", OPEN + "flag_when: {amount: {at_least: 10}}"),
        ("flag_when: {amount: 10}", OPEN + "status: off, flag_when: {amount: {is_not: 10}}"),
        ("flag_when: {amount: 10}", OPEN + "since: 2026-01-01, flag_when: {amount: {is_not: 10}}"),
        (
            "flag_when: {amount: {at_least: 10, if_blank: yes}}",
            OPEN + "flag_when: {amount: {less_than: 10, if_blank: yes}}",
        ),
        (
            "flag_when: {amount: 10}",
            OPEN + "per_stage_group: {early: off}, flag_when: {amount: {is_not: 10}}",
        ),
    ],
)
def test_other_pairs_do_not(one: str, other: str) -> None:
    assert told(one, other) == []


@settings(max_examples=400, deadline=None)
@given(truths(3), st.lists(records, min_size=1, max_size=5))
def test_the_opposite_is_the_negation_on_every_record(expr: Expr, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        negated = kleene.negation(value_of(expr, row))
        assert kleene.negation(kleene.negation(value_of(opposite(expr), row))) == negated
