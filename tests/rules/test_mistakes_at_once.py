"""One mistake in a rule does not hide its others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.rules.load import load_pack

RULE = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris}
rules:
  no-amount:
    title: No amount
    flag_when: {amount: blank}
    severity: error
    message: No amount for {name}.
"""


def mistakes(folder: Path, text: str) -> list[str]:
    (folder / "pack.yaml").write_text(text, encoding="utf-8")
    problems = Problems()
    load_pack(folder, "rules", problems)
    return [problem.what for problem in problems.errors]


def test_a_rule_without_mistakes_has_none(tmp_path: Path) -> None:
    assert mistakes(tmp_path, RULE) == []


@pytest.mark.parametrize("severity", ["", "    severity: eror\n"], ids=["missing", "wrong"])
def test_whatever_the_severity_the_rest_of_the_rule_is_read(severity: str, tmp_path: Path) -> None:
    text = RULE.replace("    severity: error\n", severity + "    grace: soon\n")
    found = mistakes(tmp_path, text.replace("{amount: blank}", "{amuont: blank}").replace("{name}", "{nmae}"))
    for said in ("severity", "amuont", "nmae", "'soon' is not a length in days"):
        assert any(said in what for what in found), said
    assert len(found) == 4


def test_a_rule_that_checks_nothing_is_read_to_its_end(tmp_path: Path) -> None:
    text = RULE.replace("    flag_when: {amount: blank}\n", "    since: soon\n")
    none, soon = mistakes(tmp_path, text)
    assert none == "the rule has no condition"
    assert soon.startswith("'soon'")


@pytest.mark.parametrize(
    "message", ["No amount for {name.", "No {amount for {name}.", "No amount for name}."]
)
def test_a_brace_without_its_other_half_is_reported(message: str, tmp_path: Path) -> None:
    text = RULE.replace("No amount for {name}.", f'"{message}"')
    (found,) = mistakes(tmp_path, text)
    assert found.startswith("the message has a '")


@pytest.mark.parametrize(("version", "hint"), [("2", "install a newer pipelint"), ("0", "write pipelint: 1")])
def test_a_file_in_another_format_is_refused(version: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(RULE.replace("pipelint: 1", f"pipelint: {version}"), encoding="utf-8")
    problems = Problems()
    load_pack(tmp_path, "rules", problems)
    (found,) = problems.errors
    assert found.what == f"the file is written in format {version}, and this pipelint reads format 1"
    assert found.hint == hint
