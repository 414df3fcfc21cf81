"""The metrics file: in the format that Prometheus reads, about the last run, and always whole."""

from __future__ import annotations

import logging
import re
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.metrics import METRICS, RUN_METRICS
from pipelint.engine.run import run

from .conftest import Acme
from .fake_crm import START

SAMPLE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>-?\d+(?:\.\d+)?)")
LABEL = re.compile(r'([a-z_]+)="([^"\\\n]*)"')


def read(text: str) -> dict[tuple[str, ...], float]:
    """The samples of an exposition; anything that Prometheus would not take fails."""
    assert text.endswith("\n")
    samples: dict[tuple[str, ...], float] = {}
    helped: list[str] = []
    typed: list[str] = []
    for line in text.splitlines():
        if found := re.fullmatch(r"# HELP (\w+) (\S.*)", line):
            helped.append(found[1])
        elif found := re.fullmatch(r"# TYPE (\w+) gauge", line):
            typed.append(found[1])
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample["name"] == typed[-1], "samples of a metric stand together, after its type"
            labels = LABEL.findall(sample["labels"] or "")
            assert ",".join(f'{name}="{value}"' for name, value in labels) == (sample["labels"] or "")
            key = (sample["name"].removeprefix("pipelint_"), *(value for _, value in labels))
            assert key not in samples
            samples[key] = float(sample["value"])
    assert helped == typed
    assert len(set(typed)) == len(typed)
    return samples


@pytest.fixture
def file(acme: Acme) -> Path:
    settings = acme.folder / "pipelint.yaml"
    settings.write_text(
        settings.read_text(encoding="utf-8") + "metrics: out/pipelint.prom\n", encoding="utf-8"
    )
    (acme.folder / "out").mkdir()
    return acme.folder / "out" / "pipelint.prom"


def test_a_run_is_told_in_numbers(acme: Acme, file: Path) -> None:
    for number in range(1, 6):
        acme.crm.deal(f"d{number}", amount=None)
    acme.crm.deal("d6", next_step=None)
    acme.crm.refuses["d3"] = "No."
    run(acme.project)
    told = read(file.read_text(encoding="utf-8"))
    assert told["last_run_timestamp_seconds",] == START.timestamp()
    assert told["last_run_exit_code",] == 4
    of_acme = {key[0]: value for key, value in told.items() if key[1:] == ("acme", "fake")}
    assert of_acme == {
        "up": 1,
        "duration_seconds": 0,
        "pulled_records": 11,
        "deleted_records": 0,
        "checked_records": 7,
        "planned_records": 6,
        "written_records": 5,
        "deferred_records": 0,
        "refused_records": 1,
        "locked_records": 0,
        "unknown_records": 0,
        "held": 0,
        "schema_drift": 0,
        "api_calls": of_acme["api_calls"],
        "api_calls_left": 1000,
    }
    severities = {key[3]: value for key, value in told.items() if key[0] == "flagged_records"}
    assert severities == {"error": 5, "warning": 1, "info": 0}
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert list(file.parent.iterdir()) == [file]


def test_a_connection_that_failed_is_down(acme: Acme, file: Path) -> None:
    acme.crm.offline = True
    run(acme.project)
    told = read(file.read_text(encoding="utf-8"))
    assert (told["up", "acme", "fake"], told["last_run_exit_code",]) == (0, 3)


def test_a_field_that_somebody_took_away_is_counted(acme: Acme, file: Path) -> None:
    fields = "pipelint: 1\nfields: {tier: {type: text, from: {acme: Tier}}}\n"
    (acme.folder / "rules" / "fields.yaml").write_text(fields, encoding="utf-8")
    run(acme.project)
    assert read(file.read_text(encoding="utf-8"))["schema_drift", "acme", "fake"] == 1


def test_a_dry_run_and_a_push_leave_the_file_alone(acme: Acme, file: Path) -> None:
    acme.run(dry_run=True)
    acme.push()
    assert not file.exists()


def test_a_file_that_cannot_be_written_fails_no_run(
    acme: Acme, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="pipelint")
    file.parent.rmdir()
    acme.crm.deal("d1", amount=Decimal(5))
    assert run(acme.project).exit_code == 0
    assert "the metrics cannot be written to" in caplog.text


def test_every_metric_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scheduling.md").read_text(encoding="utf-8")
    rows = [f"| `pipelint_{each.name}` | | {each.help} |" for each in RUN_METRICS]
    rows += [
        f"| `pipelint_{each.name}` | `connection`, `crm`{f', `{each.label}`' if each.label else ''} | {each.help} |"
        for each in METRICS
    ]
    assert [line for line in page.splitlines() if line.startswith("| `pipelint_")] == rows
