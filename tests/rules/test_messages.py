"""Wrong rule files: one mistake, one message, at its place, with a hint (rules.md §6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.errors import ProblemsFound
from pipelint.render.errors import render_error
from pipelint.rules.load import load_pack

BASE = """\
pipelint: 1
stages:
  - {name: discovery, kind: open, group: early}
  - {name: proposal, kind: open, group: late}
  - {name: won, kind: won}
pipelines:
  sales: {stages: {discovery: {}, proposal: {}, won: {}}}
conditions:
  open: {stage_kind: open}
rules:
  some-rule:
    title: Something is wrong
    applies_to: open
    severity: warning
"""


def rule(keys: str) -> str:
    """The file with some more keys of its rule."""
    return BASE + "".join(f"    {line}\n" for line in keys.splitlines())


FILES = {
    "misspelt-field": rule("flag_when: {next_stpe: blank}"),
    "misspelt-operator": rule("flag_when: {close_date: {oldr_than: 3 days}}"),
    "misspelt-length": rule("flag_when: {close_date: {older_than: 10 buisness days}}"),
    "length-without-a-unit": rule("flag_when: {close_date: {older_than: 3}}"),
    "thousands-in-braces": rule("flag_when: {amount: 1,000}"),
    "unknown-condition": rule("flag_when: nowhere"),
    "sign-instead-of-word": rule("flag_when:\n  amount: > 25"),
    "bare-list": rule("flag_when:\n  - {amount: blank}"),
    "key-twice": rule("flag_when: {amount: blank}\nseverity: error"),
    "misspelt-stage": rule("flag_when: {stage: {at_or_after: propsal}}"),
    "no-such-day": rule("flag_when: {close_date: {before: 2026-02-30}}"),
    "message-names-no-field": rule('flag_when: {amount: blank}\nmessage: "Pushed {close_date_push} times"'),
    "neither-flag-when-nor-require": rule("why: because"),
    "both-flag-when-and-require": rule("flag_when: {amount: blank}\nrequire: {amount: present}"),
    "colon-in-text": rule("flag_when: {amount: blank}\nwhy: Public tender: the date is set by the authority"),
    "tab": rule("flag_when: {amount: blank}") + "\twhy: x\n",
    "operator-of-another-type": rule("flag_when: {next_step: {older_than: 12 days}}"),
    "no-break-space": rule("flag_when:\n  amount\u00a0: blank"),
    "curly-quotes": rule("flag_when: {“amount”: blank}"),
    "name-of-a-used-pack": BASE.replace("conditions:", "uses: default@1\nconditions:").replace(
        "some-rule", "close-date-past"
    )
    + "    flag_when: {amount: blank}\n",
    "rule-name-too-long": BASE.replace("some-rule", "a-rule-whose-name-is-much-longer-than-forty-letters")
    + "    flag_when: {amount: blank}\n",
    "month-in-plus": rule("flag_when: {close_date: {before: {field: created_at, plus: 1 month}}}"),
    "circle-in-hides": rule("flag_when: {amount: blank}\nhides: other")
    + "  other: {title: x, severity: info, flag_when: {name: blank}, hides: some-rule}\n",
    "circle-in-facts": rule("flag_when: {amount: blank}")
    + "facts:\n  one: {difference: [two, amount]}\n  two: {difference: [one, amount]}\n",
    "circle-in-conditions": BASE.replace(
        "  open: {stage_kind: open}", "  open: {all: [late]}\n  late: {all: [open]}"
    )
    + "    flag_when: {amount: blank}\n",
    "wrong-fact-used-often": rule("flag_when: {pushes: {at_least: 3}}\nmessage: '{pushes}'")
    + "facts:\n  pushes: {count: field_chnages}\n",
    "item-the-rule-lacks": BASE.replace("discovery: {}", "discovery: {required: [amount]}")
    + "    flag_when: {name: blank}\noverrides:\n  stage-required/amuont: {severity: error}\n",
    "override-of-no-rule": rule("flag_when: {amount: blank}")
    + "overrides:\n  sume-rule: {severity: error}\n",
    "unknown-section": rule("flag_when: {amount: blank}") + "ruels: {}\n",
    "not-yet": rule("flag_when: {amount: blank}") + "targets: []\n",
    "used-twice": rule("flag_when: {amount: blank}") + "uses: [six@1, six@1]\n",
    "setting-missing": rule("flag_when: {close_date: {older_than: $quiet}}"),
    "setting-unused": rule("settings: {quiet: 3 days}\nflag_when: {amount: blank}"),
    "per-group-of-a-lead": rule(
        "for: lead\nflag_when: {company: blank}\nper_stage_group: {early: off}"
    ).replace("    applies_to: open\n", ""),
    "unknown-kind-of-fact": rule("flag_when: {amount: blank}")
    + "facts:\n  x: {for: leed, count: activities}\n",
    "filled-today": rule("flag_when: {x: 1}") + "facts:\n  x: {filled: [today]}\n",
    "where-without-rows": rule("flag_when: {amount: blank}")
    + "facts:\n  x: {difference: [amount, probability], where: {amount: 1}}\n",
    "unused-condition": rule("flag_when: {amount: blank}").replace(
        "conditions:", "conditions:\n  late: {stge: proposal}"
    ),
    "segment": rule("flag_when: {amount: blank}") + "segments:\n  big: {amuont: {at_least: 5}}\n",
    "stage-setting": BASE.replace("discovery: {}", "discovery: {settings: {sum-rule: {quiet: 3 days}}}")
    + "    flag_when: {amount: blank}\n",
    "own-builtin-rule": rule("flag_when: {amount: blank}")
    + "  stage-required: {title: x, severity: info, flag_when: {amount: blank}}\n",
    "format-of-the-future": rule("flag_when: {amount: blank}").replace("pipelint: 1", "pipelint: 2"),
    "period-for-a-date": rule("flag_when: {close_date: {before: this quarter}}"),
}


def messages(folder: Path) -> list[str]:
    problems = Problems()
    load_pack(folder, "rules", problems)
    return [render_error(ProblemsFound([problem]), color=False) for problem in problems.found]


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_explained(name, tmp_path, snapshot):
    (tmp_path / "rules.yaml").write_text(FILES[name], encoding="utf-8")
    found = messages(tmp_path)
    assert len(found) == 1, "\n\n".join(found)
    snapshot(found[0])


def test_the_files_are_right_but_for_their_mistake(tmp_path):
    (tmp_path / "rules.yaml").write_text(rule("flag_when: {amount: blank}"), encoding="utf-8")
    assert messages(tmp_path) == []


def test_every_mistake_of_every_file_is_told(tmp_path, snapshot):
    (tmp_path / "a.yaml").write_text(rule("flag_when: {amuont: blank}\nseverty: error"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text("pipelint: 1\nrules: [one]\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_bytes(b"pipelint: 1\n# caf\xe9\n")
    problems = Problems()
    assert load_pack(tmp_path, "rules", problems) is None
    snapshot(render_error(ProblemsFound(problems.found), color=False))


def test_a_name_in_two_files_cites_both(tmp_path, snapshot):
    (tmp_path / "a.yaml").write_text(rule("flag_when: {amount: blank}"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text("pipelint: 1\nconditions: {open: {amount: present}}\n", encoding="utf-8")
    found = messages(tmp_path)
    assert len(found) == 1
    snapshot(found[0])


def test_a_folder_without_files_says_how_to_begin(tmp_path, snapshot):
    snapshot("\n".join(messages(tmp_path)))
