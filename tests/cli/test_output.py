"""What the reading commands print, for people and for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Command

Snapshot = Callable[..., None]

WRONG = """\
pipelint: 1
rules:
  odd:
    title: Odd
    flag_when: {amuont: {at_least: 5}}
    severity: error
    message: "100 % odd"
  even:
    title: Even
    flag_when: {amount: 5}
    severity: eror
    message: Even
"""


# check


def test_check_tells_people_the_worst_first(acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("check", "--owner", "Kim Doe").out)


def test_check_of_a_project_without_findings(acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("check", "--only", "close-date-passed", "--owner", "Lee Roe").out)


def test_check_before_the_first_pull_says_so(acme: Command, tmp_path: Path) -> None:
    (tmp_path / ".pipelint" / "cache.db").unlink()
    answer = acme("check")
    assert (answer.code, answer.out) == (2, "")
    assert "nothing has been pulled yet" in answer.err
    assert "run 'pipelint pull' first" in answer.err


def test_check_as_json_says_what_it_is(acme: Command) -> None:
    found = json.loads(acme("check", "--format", "json").out)
    assert found["schema"] == "pipelint.check/1"
    assert found["as_of"] == "2026-11-20T09:00:00Z"
    assert found["pack"]["name"] == "acme"
    assert found["summary"]["opportunities"] == 5
    assert found["summary"]["by_rule"] == {
        "champion-missing": 1, "close-date-passed": 1, "stage-required": 2, "thin-evidence": 1, "unknown-value": 1,
    }  # fmt: skip
    (passed,) = (each for each in found["findings"] if each["rule"] == "close-date-passed")
    assert (passed["id"], passed["owner"], passed["stage"], passed["amount"]) == (
        "A1", "Kim Doe", "proposal", 42000.5,
    )  # fmt: skip
    assert passed["evidence"] == [{"field": "close_date", "value": "1 Nov 2026", "test": "is before today"}]


def test_amounts_in_documents_are_exact(acme: Command, tmp_path: Path) -> None:
    file = tmp_path / "exports" / "opportunities.csv"
    file.write_text(file.read_text("utf-8").replace("42000.50", "12345678901234.5678"), encoding="utf-8")
    assert acme("pull").code == 0
    text = acme("check", "--format", "json").out
    assert '"amount": 12345678901234.5678,' in text  # a float would have no room for cents here
    assert '"amount": 800,' in text


def test_written_messages_name_days_that_do_not_age(acme: Command) -> None:
    found = json.loads(acme("check", "--format", "json", "--only", "close-date-passed").out)
    assert found["findings"][0]["message"] == "The close date 1 Nov 2026 has passed (1 Nov 2026)."


def test_check_as_csv_has_a_row_for_each_finding(acme: Command) -> None:
    rows = list(csv.DictReader(StringIO(acme("check", "--format", "csv", "--only", "stage-required").out)))
    assert [(row["id"], row["status"], row["items"]) for row in rows] == [
        ("A1", "flagged", "next_step"),
        ("A2", "flagged", "amount"),
        ("A5", "could_not_check", "next_step, amount"),
    ]


# explain


def test_explain_shows_the_values_that_decided(acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("explain", "A1").out)


def test_explain_one_rule(acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("explain", "sales:opportunity/A2", "quiet").out)


def test_explain_tells_once_what_its_connection_has_no_data_for(acme: Command) -> None:
    whole = json.loads(acme("explain", "A1", "--format", "json").out)
    assert whole["not_synced"] == ["duplicate-open-opportunities", "quiet"]
    assert {rule["rule"] for rule in whole["rules"]}.isdisjoint(whole["not_synced"])
    alone = json.loads(acme("explain", "A1", "quiet", "--format", "json").out)
    assert [rule["rule"] for rule in alone["rules"]] == ["quiet"]
    assert alone["not_synced"] == []


UNMAPPED = """\
pipelint: 1
rules:
  early:
    title: Early
    flag_when: {stage: discovery}
    severity: info
    message: Early
"""


def test_a_value_that_nobody_mapped_is_neither_blank_nor_missing_history(
    acme: Command, tmp_path: Path
) -> None:
    (tmp_path / "rules" / "more.yaml").write_text(UNMAPPED, encoding="utf-8")
    exported = tmp_path / "exports" / "opportunities.csv"
    exported.write_text(exported.read_text(encoding="utf-8").replace("Proposal", "Talks"), encoding="utf-8")
    acme("pull")
    told = acme("check").out
    assert "Could not be checked because a field is not mapped: " in told
    assert "History grows with each pull" not in told
    assert "stage  (not mapped)  is not known to the rules" in acme("explain", "A1", "unknown-value").out
    early = json.loads(acme("explain", "A1", "early", "--format", "json").out)
    assert early["rules"][0]["message"] == "could not be checked: stage not mapped"


NUMBERS_WITH_A_SOURCE = """\
pipelint: 1
segments:
  large: {amount: {at_least: 40000}}
rules:
  slow:
    title: Slow
    settings: {most: 90 days}
    per_segment: {large: {most: 60 days}}
    flag_when: {created_at: {older_than: $most}}
    severity: info
    message: Slow
  unwatched:
    title: Nobody watches it
    flag_when: {champion: {is_not: Kim, if_blank: yes}}
    severity: info
    message: Unwatched
"""


def test_explain_names_the_setting_a_number_comes_from_and_what_a_blank_counts_as(
    acme: Command, tmp_path: Path, snapshot: Snapshot
) -> None:
    (tmp_path / "rules" / "more.yaml").write_text(NUMBERS_WITH_A_SOURCE, encoding="utf-8")
    snapshot(acme("explain", "A1", "slow").out, "setting_of_a_segment")
    snapshot(acme("explain", "A2", "unwatched").out, "if_blank")
    assert "counts as" not in acme("explain", "A1", "unwatched").out  # Dana decided there, not a blank


def test_explain_leaves_out_an_owner_that_a_record_does_not_have(acme: Command, tmp_path: Path) -> None:
    file = tmp_path / "exports" / "opportunities.csv"
    file.write_text(file.read_text("utf-8").replace(",kim,Dana", ",,Dana"), encoding="utf-8")
    assert acme("pull").code == 0
    assert acme("explain", "A1", "quiet").out.splitlines()[1] == "proposal"


def test_a_scope_that_is_not_synced_is_no_reason_yet(acme: Command, tmp_path: Path) -> None:
    rule = """\
pipelint: 1
conditions: {committed: {forecast_category: commit}}
rules:
  sure: {title: t, applies_to: committed, flag_when: {amount: present}, severity: info, message: m}
"""
    (tmp_path / "rules" / "more.yaml").write_text(rule, encoding="utf-8")
    assert "in scope if forecast_category is commit" in acme("explain", "A1", "sure").out


def test_an_owner_whose_name_nobody_told_is_shown_as_the_record_has_it(acme: Command, tmp_path: Path) -> None:
    project = tmp_path / "pipelint.yaml"
    text = project.read_text("utf-8").replace("      owners: {file: owners.csv}\n", "")
    project.write_text(text.replace("  sales:", "  deals:"), encoding="utf-8")
    assert acme("pull").code == 0
    assert acme("explain", "deals:opportunity/A1", "quiet").out.splitlines()[1] == "proposal, kim"
    assert json.loads(acme("check", "--owner", "KIM", "--format", "json").out)["summary"]["flagged"] == 2


# rules


def test_rules_list(acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("rules", "list").out)


@pytest.mark.parametrize("word", ["champion", "stage", "nowhere"])
def test_rules_fields(word: str, acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("rules", "fields", "--search", word).out)


def test_rules_fields_as_json_tells_how_often_each_is_filled(acme: Command) -> None:
    found = json.loads(acme("rules", "fields", "--format", "json").out)
    assert found["schema"] == "pipelint.fields/1"
    filled = {each["name"]: each["filled"] for each in found["fields"] if each["kind"] == "opportunity"}
    assert filled["champion"] == pytest.approx(0.4)
    assert filled["next_step"] == pytest.approx(0.6)  # 'tbd' counts as nothing
    assert filled["amount_change_30d"] == 0  # the history of this file begins with the first pull


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_rules_validate_names_every_mistake_with_its_place(
    form: str, acme: Command, tmp_path: Path, snapshot: Snapshot
) -> None:
    (tmp_path / "rules" / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    answer = acme("rules", "validate", "--format", form)
    assert answer.code == 2
    snapshot(answer.out)


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_rules_validate_of_a_sound_pack(form: str, acme: Command, snapshot: Snapshot) -> None:
    answer = acme("rules", "validate", "--format", form)
    assert answer.code == 0
    snapshot(answer.out)


# stages import


def test_stages_import_names_the_line_that_is_missing(acme: Command, snapshot: Snapshot) -> None:
    snapshot(acme("stages", "import", "sales").out)


@pytest.fixture
def strange(acme: Command, tmp_path: Path) -> Command:
    """The project, after the file's stages were renamed by somebody and its pipeline was given a name."""
    file = tmp_path / "exports" / "opportunities.csv"
    file.write_text(file.read_text().replace("Proposal", "Offer sent").replace("champion", "risk"))
    settings = (tmp_path / "pipelint.yaml").read_text()
    settings = settings.replace("opportunities.csv}", "opportunities.csv, constants: {pipeline: Direct}}")
    (tmp_path / "pipelint.yaml").write_text(settings)
    return acme


def test_stages_import_shows_without_writing(strange: Command, tmp_path: Path, snapshot: Snapshot) -> None:
    snapshot(strange("stages", "import", "sales", "--show").out)
    assert [path.name for path in (tmp_path / "rules").iterdir()] == ["pack.yaml"]


def test_stages_import_writes_a_file_for_review(strange: Command, tmp_path: Path, snapshot: Snapshot) -> None:
    snapshot(strange("stages", "import", "sales").out)
    assert (tmp_path / "rules" / "sales.yaml").exists()
    assert strange("rules", "validate").code == 0


def test_a_verbose_pull_tells_each_stream_with_its_counts(acme: Command) -> None:
    said = acme("-v", "pull", "--full").err
    assert "info: pulling  connection=sales stream=opportunity full=True" in said
    assert "info: pulled  connection=sales stream=opportunity stored=5" in said


def test_check_new_says_that_nothing_is_new(acme: Command) -> None:
    acme("run")
    assert "nothing new. Shown: 0 of 6 findings." in acme("check", "--new").out
