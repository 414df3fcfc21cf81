"""The example finds in the real export what was counted there without pipelint; skipped without the data."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pipelint.engine.check import CheckResult, check
from pipelint.engine.commands import pull_all
from pipelint.engine.finding import Finding
from pipelint.engine.project import open_project
from pipelint.engine.selection import moment_of

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
EXPORT = Path(os.environ.get("MAVEN_CRM") or DATA / "maven-crm")
ANSWERS = DATA / "reference-answers.json"

pytestmark = [
    pytest.mark.skipif(
        not (EXPORT / "sales_pipeline.csv").exists(), reason="the Maven CRM export is not here"
    ),
    pytest.mark.skipif(not ANSWERS.exists(), reason="the reference figures are not here"),
]

Measure = Callable[[list[Finding]], object]


def by_stage(findings: Iterable[Finding]) -> object:
    return Counter(finding.stage.title() for finding in findings)


def by_owner(findings: Iterable[Finding]) -> object:
    return Counter(finding.owner for finding in findings)


def products(findings: Iterable[Finding]) -> object:
    """The words in quotes of the messages: the products that have no price."""
    return sorted({finding.message.split('"')[1] for finding in findings})


# Figure of the reference → the rule that must find the same, and how its findings are counted.
FIGURES: dict[str, tuple[str, Measure]] = {
    "open": ("still-open", len),
    "open_without_account": ("no-account", len),
    "open_without_account_by_stage": ("no-account", by_stage),
    "prospecting_without_engage_date": ("not-engaged-yet", len),
    "engaging_older_than_30d": ("engaging-over-30-days", len),
    "engaging_older_than_90d": ("engaging-over-90-days", len),
    "engaging_older_than_138d": ("engaging-over-138-days", len),
    "engaging_older_than_90d_by_agent": ("engaging-over-90-days", by_owner),
    "engaging_expected_close_past_if_engage_plus_60d": ("expected-close-passed", len),
    "engaging_expected_close_past_if_engage_plus_90d": ("engaging-over-90-days", len),
    "products_not_in_price_list": ("product-not-in-price-list", products),
    "won_with_zero_value": ("won-incomplete", len),
    "lost_with_nonzero_value": ("lost-with-a-value", len),
    "close_before_engage": ("closed-before-engaging", len),
}
# Figure → why no rule can give it.
NO_RULE = {
    "engaging_age_days_median": "a rule speaks about one opportunity; a median over all of them is a key figure",
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))["maven-crm"]
    return found


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> CheckResult:
    """The example, pulled and checked as its README says."""
    folder = tmp_path_factory.mktemp("maven") / "maven-crm"
    shutil.copytree(ROOT / "examples" / "maven-crm", folder, ignore=shutil.ignore_patterns(".pipelint"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAVEN_CRM", str(EXPORT))
        project = open_project(folder)
        (pulled,) = pull_all(project)
        assert pulled.error is None
        with project.cache() as cache:
            return check(cache, project, moment_of(project, "2017-12-31"))


@pytest.mark.parametrize("figure", FIGURES)
def test_a_rule_finds_what_was_counted(figure: str, result: CheckResult, answers: dict[str, Any]) -> None:
    rule, measure = FIGURES[figure]
    found = [each for each in result.findings if (each.rule, each.status) == (rule, "flagged")]
    assert measure(found) == answers["hygiene_as_of_2017-12-31"][figure]


def test_every_figure_has_its_rule_or_the_reason_why_not(answers: dict[str, Any]) -> None:
    assert {*FIGURES, *NO_RULE} == set(answers["hygiene_as_of_2017-12-31"])


def test_every_row_was_checked(result: CheckResult, answers: dict[str, Any]) -> None:
    assert result.records["opportunity"] == answers["rows"]


def test_every_open_row_is_in_its_stage(result: CheckResult, answers: dict[str, Any]) -> None:
    stages = Counter(each.stage.title() for each in result.findings if each.rule == "still-open")
    assert stages == {name: answers["stage_counts"][name] for name in ("Prospecting", "Engaging")}


def test_what_the_export_lacks_is_said_once(result: CheckResult) -> None:
    lacking = {each.rule for each in result.not_synced}
    assert lacking >= {"single-threaded", "no-activity", "next-step-missing", "loss-reason-missing"}
    assert not lacking & {finding.rule for finding in result.findings}


def test_the_readme_tells_these_counts(result: CheckResult) -> None:
    flagged = Counter(each.rule for each in result.findings if each.status == "flagged")
    table = (ROOT / "examples" / "maven-crm" / "README.md").read_text(encoding="utf-8")
    told = {
        cells[1].split("`")[1]: int(cells[2].replace(",", ""))
        for line in table.splitlines()
        if line.startswith("| `")
        and (cells := line.split("|"))
        and cells[2].strip().replace(",", "").isdigit()
    }
    assert {rule: count for rule, count in told.items() if count} == flagged
