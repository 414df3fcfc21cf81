"""Where the CRM tells every change of a field, facts about that field are known however late we came."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.records import RECORD_TYPES, Stream
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, inputs_of

EVERYTHING = {stream: frozenset(record._fields) for stream, record in RECORD_TYPES.items()}
FACTS = """
pipelint: 1
facts:
  date_moves: {count: field_changes, where: {field: close_date}}
  date_or_amount_moves: {count: field_changes, where: {field: [close_date, amount]}}
  step_or_date_moves: {count: field_changes, where: {field: [next_step, close_date]}}
  moves_by_her: {count: field_changes, where: {all: [{field: close_date}, {by: her}]}}
  either: {count: field_changes, where: {any: [{field: close_date}, {by: her}]}}
  all_moves: {count: field_changes}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    (tmp_path / "facts.yaml").write_text(FACTS)
    problems = Problems()
    found = load_pack(tmp_path, "rules", problems)
    assert found is not None, problems
    return found


def test_facts_about_whole_histories_are_exact_and_others_lower_bounds(pack: Pack) -> None:
    late = {Stream.FIELD_CHANGES: 0}
    delivered = Delivered("acme", "salesforce", EVERYTHING, {}, late, frozenset({"close_date", "amount"}))
    partial = inputs_of(pack, "opportunity", delivered).partial
    assert {name for name in partial if name in FACTS} == {"step_or_date_moves", "either", "all_moves"}


def test_without_whole_histories_all_of_them_are_lower_bounds(pack: Pack) -> None:
    delivered = Delivered("acme", "salesforce", EVERYTHING, {}, {Stream.FIELD_CHANGES: 0})
    partial = inputs_of(pack, "opportunity", delivered).partial
    assert len({name for name in partial if name in FACTS}) == 6
