"""What is written as YAML reads back as the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelint.config.nodes import List, Map, Problems, Text, read_text
from pipelint.rules.write_yaml import flow, scalar


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_reads_back_as_it_was_written(text: str) -> None:
    for made in (f"a: {scalar(text)}", f"a: {{b: {scalar(text)}, c: d}}", f"a:\n- {scalar(text)}  # x"):
        problems = Problems()
        node = read_text(made, "file", problems)
        assert not problems.found
        value = node.get("a") if isinstance(node, Map) else None
        inner = (
            value.get("b") if isinstance(value, Map) else value.items[0] if isinstance(value, List) else value
        )
        assert isinstance(inner, Text)
        assert inner.value == text
        assert not inner.is_empty


@pytest.mark.parametrize(
    "written",
    [
        "[a, b]",
        '{"no": "x: y", c: [1, 2]}',
        "{within_last: 30 days}",
        "{contacts: {at_least: 1}, if_blank: yes}",
    ],
)
def test_a_node_is_written_as_it_was_read(written: str) -> None:
    node = read_text(written, "file", Problems())
    assert node is not None
    assert flow(node) == written
