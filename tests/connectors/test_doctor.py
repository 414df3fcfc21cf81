"""How the doctors of all CRMs name our fields."""

from __future__ import annotations

import pytest

from pipelint.connectors.doctor import absent


@pytest.mark.parametrize(
    ("noun", "names", "said"),
    [
        ("field", ["a"], "our field a is not there"),
        ("field", ["a", "b"], "our fields a, b are not there"),
        ("property", ["a"], "our property a is not there"),
        ("property", ["a", "b"], "our properties a, b are not there"),
    ],
)
def test_one_that_is_missing_is_told_as_one(noun: str, names: list[str], said: str) -> None:
    assert absent(noun, names) == said
