"""The design's example pack, cut down to what is supported, loads and passes its own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.engine.rule_tests import run_tests
from pipelint.rules.load import load_tests
from tests.rules.example_pack import EXAMPLE, adapted

pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the example pack lies outside this repository")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in adapted().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_it_loads_without_a_message(folder: Path) -> None:
    problems = Problems()
    pack, cases = load_tests(folder, "rules", problems)
    assert problems.found == []
    assert pack is not None
    assert len(cases) >= 20


def test_its_tests_pass(folder: Path) -> None:
    problems = Problems()
    pack, cases = load_tests(folder, "rules", problems)
    assert pack is not None, problems.found
    report = run_tests(pack, cases)
    assert [(failure.test, failure.expected, failure.came) for failure in report.failures] == []
