"""The example project reads the real export it was made for; skipped where that export is not at hand."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.config.problems import Problems
from pipelint.config.project import load_project_file
from pipelint.connectors.base import ConnectContext
from pipelint.connectors.files import Settings, connect
from pipelint.records import Opportunity, Stream

EXAMPLE = Path(__file__).parents[3] / "examples" / "maven-crm"

pytestmark = pytest.mark.skipif(not os.environ.get("MAVEN_CRM"), reason="MAVEN_CRM names no folder")


def test_every_row_of_the_maven_export_is_read_without_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    project = load_project_file(EXAMPLE, problems, known_crms=["files"])
    assert project is not None
    settings = project.connections["maven"].settings(Settings, problems)
    assert settings is not None
    clock = datetime(2017, 12, 31, tzinfo=UTC)
    connection = connect("maven", settings, ConnectContext(lambda: clock, EXAMPLE, UTC))
    pages = list(connection.pull(Stream.OPPORTUNITIES, None, ["engage_date", "product"]))
    deals = [record for page in pages for record in page.records if isinstance(record, Opportunity)]
    assert [len(page.records) for page in pages] == [2000, 2000, 499]
    assert Counter(deal.stage for deal in deals) == {
        "Won": 2174,
        "Lost": 1233,
        "Engaging": 833,
        "Prospecting": 259,
    }
    assert sum(deal.amount or 0 for deal in deals if deal.stage == "Won") == 5269619
    assert sum(deal.account is None for deal in deals if deal.closed_at is None) == 741
    assert not caplog.records
