"""A name that a rule had before leads to the one it has now, wherever somebody writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.problems import Problems
from pipelint.rules.load import load_pack, load_tests

RULES = """\
pipelint: 1
stages: [{name: open, kind: open, group: early}]
rules:
  quiet-for-long: {formerly: [gone-quiet, silent], flag_when: {next_step: blank}, severity: info, message: Quiet.}
  no-next-step: {status: retired, replaced_by: quiet-for-long, flag_when: {next_step: blank}, severity: info}
  odd-amount: {status: retired, flag_when: {amount: 1}, severity: info}
"""
NOW = "it is called 'quiet-for-long' now"


def problems_of(tmp_path: Path, more: str) -> list[str]:
    (tmp_path / "rules.yaml").write_text(RULES + more, encoding="utf-8")
    problems = Problems()
    load_tests(tmp_path, "rules", problems)
    return [f"{each.what} = {each.hint}" for each in problems.found]


def test_the_pack_knows_what_became_of_each(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    problems = Problems()
    pack = load_pack(tmp_path, "rules", problems)
    assert problems.found == []
    assert pack is not None
    new = "quiet-for-long"
    assert pack.renames == {"gone-quiet": new, "silent": new, "no-next-step": new, "odd-amount": ""}
    assert "no-next-step" not in pack.rules


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("gone-quiet", NOW),
        ("no-next-step", NOW),
        ("odd-amount", "it is retired; leave it out"),
        ("quiet-for-lon", "did you mean 'quiet-for-long'?"),
    ],
)
def test_an_old_name_tells_the_new_one(tmp_path: Path, old: str, hint: str) -> None:
    override = f"overrides: {{{old}: {{severity: error}}}}"
    assert problems_of(tmp_path, override) == [f"there is no rule named '{old}' to override = {hint}"]
    hides = f"  other: {{hides: {old}, flag_when: {{amount: blank}}, severity: info, message: None.}}"
    assert problems_of(tmp_path, hides) == [f"'other' hides '{old}', which is no rule = {hint}"]
    test = f"tests: [{{name: a, as_of: 2026-11-20 10:00, opportunity: {{stage: open}}, expect: {{flags: [{old}]}}}}]"
    assert problems_of(tmp_path, test) == [f"there is no rule named '{old}' = {hint}"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param(
            "status: retired, replaced_by: quiet-for-lon",
            "'quiet-for-lon', which has taken the place of 'old', is no rule = did you mean 'quiet-for-long'?",
            id="no rule",
        ),
        pytest.param(
            "replaced_by: quiet-for-long",
            "'old' is not retired, so nothing has taken its place"
            " = add status: retired, or leave 'replaced_by' out",
            id="not retired",
        ),
    ],
)
def test_a_mistake_in_replaced_by_is_one_message(tmp_path: Path, rule: str, message: str) -> None:
    more = f"  old: {{{rule}, flag_when: {{amount: blank}}, severity: info, message: None.}}"
    assert problems_of(tmp_path, more) == [message]
