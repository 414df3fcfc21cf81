"""The lead score of the benchmark separates real leads that nobody looked at; skipped without the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lead_scoring.run import (
    HERE,
    MISSING,
    VARIABLE,
    Scored,
    auc,
    leads_folder,
    main,
    score_auc,
    scored_leads,
)
from pipelint.connectors.files.settings import Settings
from pipelint.engine.project import open_project
from pipelint.records import Stream


@pytest.fixture(scope="module")
def leads() -> list[Scored]:
    folder = leads_folder()
    if folder is None:
        pytest.skip(MISSING)
    return scored_leads(folder)


@pytest.mark.slow
def test_the_score_separates_leads_that_were_held_out(leads: list[Scored]) -> None:
    held_out = [lead for lead in leads if lead.held_out]
    assert 0.4 < len(held_out) / len(leads) < 0.6
    assert score_auc(held_out) >= 0.85


@pytest.mark.slow
def test_better_grades_convert_better(leads: list[Scored]) -> None:
    rates = []
    for grade in "ABCD":
        converted = [lead.converted for lead in leads if lead.held_out and lead.score.grade == grade]
        rates.append(sum(converted) / len(converted))
    assert rates == sorted(rates, reverse=True)


def test_no_leak_and_no_outcome_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    project = open_project(HERE)
    (connection,) = project.connections()
    read = {*project.custom_fields(connection)[Stream.LEADS]}
    settings = project.settings[connection.name]
    assert isinstance(settings, Settings)
    read |= set(settings.by_stream()[Stream.LEADS].columns.values())
    assert read == {
        "Prospect ID", "Lead Origin", "Total Time Spent on Website",
        "What is your current occupation", "Last Activity", "Do Not Email",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([(2, True), (1, False)], 1),
        ([(1, True), (2, False)], 0),
        ([(1, True), (1, False)], 0.5),
        ([(3, True), (1, True), (2, False), (1, False)], 0.625),
    ],
)
def test_auc_counts_pairs_and_halves_ties(outcomes: list[tuple[float, bool]], expected: float) -> None:
    assert auc(outcomes) == expected


def test_without_data_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert main() == 0
    assert VARIABLE in capsys.readouterr().out
