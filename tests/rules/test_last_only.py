"""Where a CRM tells the last e-mail in each direction alone, what goes by the last is known, and counts are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.records import RECORD_TYPES, Stream
from pipelint.rules.load import load_pack
from pipelint.rules.lower_bound import Seen
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, inputs_of

EVERYTHING = {stream: frozenset(record._fields) for stream, record in RECORD_TYPES.items()}
LAST_ONLY = {Stream.ACTIVITIES: frozenset({"direction"})}
FACTS = """
pipelint: 1
facts:
  last_answer: {latest: activities.happened_at, where: {any: [{direction: inbound}, {type: meeting}]}}
  last_answer_lately:
    {latest: activities.happened_at, where: {direction: inbound, happened_at: {within_last: 30 days}}}
  first_answer: {earliest: activities.happened_at, where: {direction: inbound}}
  answers: {count: activities, where: {direction: inbound}}
  meetings: {count: activities, where: {type: meeting}}
  last_activity: {latest: activities.happened_at}
"""
KNOWN: dict[str, Seen] = {
    "last_answer_lately": "stands",
    "first_answer": "lost",
    "answers": "grows",
}


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    (tmp_path / "facts.yaml").write_text(FACTS)
    problems = Problems()
    found = load_pack(tmp_path, "rules", problems)
    assert found is not None, problems
    return found


def test_the_last_is_exact_and_a_count_is_a_lower_bound(pack: Pack) -> None:
    delivered = Delivered("acme", "pipedrive", EVERYTHING, last_only=LAST_ONLY)
    inputs = inputs_of(pack, "opportunity", delivered)
    mine = {name: seen for name, seen in inputs.partial.items() if f"  {name}:" in FACTS}
    assert mine == KNOWN
    assert inputs.untold == inputs.partial.keys(), "waiting does not help"


def test_where_all_are_told_nothing_is_a_lower_bound(pack: Pack) -> None:
    assert not inputs_of(pack, "opportunity", Delivered("acme", "hubspot", EVERYTHING)).partial
