"""`rules test`, `new`, `show`, `try` and `diff`, as an admin sees them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelint.errors import ExitCode
from tests.cli.conftest import PACK, Command

Snapshot = Callable[..., None]
TESTS = """\
pipelint: 1

tests:
  - name: a date of yesterday is late
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, close_date: 2026-11-19}
    expect: {flags: [close-date-passed]}
  - name: a date of today is not
    as_of: 2026-11-20 10:00
    opportunities:
      - {id: today, stage: proposal, close_date: 2026-11-20}
      - {id: won, stage: won, close_date: 2026-11-01}
    expect:
      today: {no_flags: [close-date-passed]}
      won: {no_flags: [close-date-passed]}
"""
WRONG = """\
  - name: quiet is wrong about this
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, close_date: 2026-11-01}
    activities: [{type: call, happened_at: 2026-11-10 09:00}]
    expect:
      flags: [quiet, {close-date-passed: warning}]
      messages: {close-date-passed: Late.}
"""


def timeless(text: str) -> str:
    """The seconds that it took are not compared."""
    return re.sub(r"in \d+\.\d s", "in 0.0 s", text)


# rules test


def test_tests_that_pass(acme: Command, tmp_path: Path, snapshot: Snapshot) -> None:
    (tmp_path / "rules" / "tests.yaml").write_text(TESTS, encoding="utf-8")
    answer = acme("rules", "test")
    snapshot(answer.out)
    assert answer.code == ExitCode.OK


def test_tests_that_fail(acme: Command, tmp_path: Path, snapshot: Snapshot) -> None:
    (tmp_path / "rules" / "tests.yaml").write_text(TESTS + WRONG, encoding="utf-8")
    answer = acme("rules", "test")
    snapshot(answer.out)
    assert answer.code == ExitCode.FINDINGS
    snapshot(acme("rules", "test", "--format", "github").out, "github")
    failures = json.loads(acme("rules", "test", "--format", "json").out)["packs"][0]["failures"]
    assert [(f["line"], f["expected"], f["came"]) for f in failures] == [
        (21, "quiet flagged", "clean"),
        (21, "close-date-passed flagged as warning", "flagged as error"),
        (
            22,
            'close-date-passed says "Late."',
            'it says "The close date 1 Nov 2026 has passed (1 Nov 2026)."',
        ),
    ]


def test_a_project_without_tests_is_told_so(acme: Command) -> None:
    assert "there are no tests; add a section 'tests:' to a rule file" in acme("rules", "test").out


def test_a_shipped_pack(acme: Command) -> None:
    answer = acme("rules", "test", "--pack", "six")
    assert answer.code == ExitCode.OK
    assert answer.out.count("5 tests passed") == 2


def test_a_mistake_in_a_test_stops_tests_and_validation_but_no_check(acme: Command, tmp_path: Path) -> None:
    (tmp_path / "rules" / "tests.yaml").write_text(
        TESTS.replace("stage: won", "stage: wno"), encoding="utf-8"
    )
    for command in ("validate", "test"):
        answer = acme("rules", command)
        assert answer.code == ExitCode.USER
        assert "stage has no value 'wno'" in answer.out + answer.err
    assert acme("check", "--fail-on", "never").code == ExitCode.OK


# rules new


@pytest.mark.parametrize("kind", ["opportunity", "lead"])
def test_a_new_rule_is_sound_and_its_tests_pass(
    acme: Command, tmp_path: Path, snapshot: Snapshot, kind: str
) -> None:
    answer = acme("rules", "new", "no-plan", "--for", kind)
    assert answer.code == ExitCode.OK
    assert "rules/no-plan.yaml" in answer.out
    snapshot((tmp_path / "rules" / "no-plan.yaml").read_text(encoding="utf-8"))
    assert acme("rules", "validate").code == ExitCode.OK
    tested = acme("rules", "test")
    assert tested.code == ExitCode.OK
    assert "2 tests passed" in tested.out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("No Plan", "'No Plan' is no rule name"),
        ("x" * 41, "the name has 41 characters"),
        ("quiet", "there is a rule named 'quiet' already\n  = edit rules/pack.yaml:42:3, or choose"),
        ("thin-evidence", "it comes from builtin: change it under 'overrides:'"),
        ("pack", "is there already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(acme: Command, tmp_path: Path, name: str, told: str) -> None:
    before = sorted((tmp_path / "rules").iterdir())
    answer = acme("rules", "new", name)
    assert answer.code == ExitCode.USER
    assert told in answer.err
    assert sorted((tmp_path / "rules").iterdir()) == before


# rules show and try


def test_the_page_of_a_rule(acme: Command, tmp_path: Path, snapshot: Snapshot) -> None:
    (tmp_path / "rules" / "tests.yaml").write_text(TESTS, encoding="utf-8")
    snapshot(timeless(acme("rules", "show", "close-date-passed").out))


def test_the_page_of_a_rule_with_overrides_and_segments(
    acme: Command, tmp_path: Path, snapshot: Snapshot
) -> None:
    pack = PACK.replace("rules:\n", SETTINGS).replace("pipelines:\n", USES)
    pack = pack.replace(
        "{from: {files: Proposal}", "{from: {files: Proposal}, settings: {slow: {limit: 9 days}}"
    )
    (tmp_path / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    snapshot(timeless(acme("rules", "show", "slow").out))
    snapshot(timeless(acme("rules", "show", "stage-required").out), "generated")
    page = json.loads(acme("rules", "show", "slow", "--format", "json").out)
    assert {k: v for k, v in page["values"][0].items() if k != "place"} == {
        "name": "severity",
        "where": "everywhere",
        "value": "warning",
    }
    assert page["now"] == {"records": 5, "flagged": 3, "pending": 0, "could_not_check": 0}


SETTINGS = """\
segments:
  large: {amount: {at_least: 40000}}
rules:
  slow:
    title: Slow
    applies_to: open
    settings: {limit: 30 days}
    flag_when: {created_at: {older_than: $limit}}
    severity: warning
    per_stage_group: {mid: {limit: 12 days}}
    per_segment: {large: {limit: 5 days, severity: error}}
    message: Slow.
"""
USES = """\
overrides:
  stage-required: {severity: error}
  stage-required/amount: {severity: info}
pipelines:
"""


def test_one_rule_over_the_cache(acme: Command, snapshot: Snapshot) -> None:
    answer = acme("rules", "try", "close-date-passed")
    assert answer.code == ExitCode.OK
    snapshot(timeless(answer.out))
    found = json.loads(acme("rules", "try", "close-date-passed", "--format", "json").out)
    assert (found["records"], found["flagged"], found["could_not_check"]) == (5, 1, 0)


def test_a_rule_that_is_off_or_on_trial_can_be_tried(acme: Command, tmp_path: Path) -> None:
    assert "big flags 1 of 5 opportunities (20%), 42,001 at stake" in acme("rules", "try", "big").out
    off = PACK.replace("status: trial", "status: off")
    (tmp_path / "rules" / "pack.yaml").write_text(off, encoding="utf-8")
    assert "its status is off" in acme("rules", "try", "big").out


def test_trying_changes_nothing_that_a_check_says(acme: Command) -> None:
    before = acme("check", "--format", "json").out
    acme("rules", "try", "big")
    assert acme("check", "--format", "json").out == before


def test_a_rule_that_is_not_there(acme: Command) -> None:
    for command in ("try", "show"):
        answer = acme("rules", command, "quite")
        assert answer.code == ExitCode.USER
        assert "did you mean 'quiet'?" in answer.err


# rules diff


def changed(tmp_path: Path) -> Path:
    """Another version: a severity, a rule less, a rule more, a new name."""
    other = tmp_path / "other"
    other.mkdir()
    text = PACK.replace("severity: error", "severity: warning").replace("status: trial", "status: on")
    text = text.replace("  champion-missing:\n", "  no-champion:\n    formerly: [champion-missing]\n")
    (other / "pack.yaml").write_text(text.replace("required: [next_step, amount]", ""), encoding="utf-8")
    return other


def test_what_another_version_changes(acme: Command, tmp_path: Path, snapshot: Snapshot) -> None:
    answer = acme("rules", "diff", "rules", str(changed(tmp_path).relative_to(tmp_path)))
    assert answer.code == ExitCode.OK
    snapshot(answer.out)
    assert acme("rules", "diff", "rules", "other", "--max-flips", "3").code == ExitCode.FINDINGS
    assert acme("rules", "diff", "rules", "other", "--max-flips", "4").code == ExitCode.OK
    found = json.loads(acme("rules", "diff", "rules", "other", "--format", "json").out)
    assert found["summary"] == {"gains": 1, "loses": 2, "severity": 1, "score": 0}


def test_the_same_rules_change_nothing(acme: Command) -> None:
    assert "nothing changes, of 5 records" in acme("rules", "diff", "rules", "--max-flips", "0").out


def test_a_git_revision(acme: Command, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(
            [shutil.which("git") or "git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    git("init", "--quiet")
    git("add", "rules")
    git("commit", "--quiet", "-m", "rules")
    (tmp_path / "rules" / "pack.yaml").write_text(
        PACK.replace("severity: error", "severity: info"), encoding="utf-8"
    )
    answer = acme("rules", "diff", "HEAD", "--format", "json")
    assert [(c["change"], c["before"], c["after"]) for c in json.loads(answer.out)["changes"]] == [
        ("severity", "error", "info")
    ]
    assert "neither a folder nor a git revision" in acme("rules", "diff", "nothing-like-it").err


def test_a_version_with_mistakes_is_refused(acme: Command, tmp_path: Path) -> None:
    other = changed(tmp_path)
    (other / "pack.yaml").write_text(
        PACK.replace("close_date: {before", "close_dat: {before"), encoding="utf-8"
    )
    answer = acme("rules", "diff", "rules", "other")
    assert answer.code == ExitCode.USER
    assert "other/pack.yaml:" in answer.err


# rules schema


def test_the_schema_is_written_beside_the_rules(acme: Command, tmp_path: Path) -> None:
    answer = acme("rules", "schema")
    assert answer.code == ExitCode.OK
    assert "# yaml-language-server: $schema=../schema.json" in answer.out
    written = json.loads((tmp_path / "schema.json").read_text(encoding="utf-8"))
    assert written["title"] == "Rule files of acme"
    assert "champion" in json.dumps(written["$defs"]["opportunity"])
