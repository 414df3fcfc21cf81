"""The whole job against the sandboxes, with the real connectors: what happens in every CRM alike."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pipelint.errors import ExitCode

from .hubspot_account import an_account
from .job import Job
from .salesforce_org import an_org

AnyJob: TypeAlias = Job[Any]


@pytest.fixture(params=[an_account, an_org], ids=["hubspot", "salesforce"])
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyJob]:
    with request.param(tmp_path) as made:
        yield made


def test_flags_arrive_and_a_second_run_writes_nothing(job: AnyJob) -> None:
    first = job.run()
    assert first.push is not None
    assert (first.push.written, first.exit_code) == (5, ExitCode.OK)
    assert job.shows(0) == {}
    assert job.shows(1) == {
        "flags": ("close-date-past",),
        "severity": "warning",
        "summary": "The close date has passed",
        "hygiene": Decimal(92),
    }
    before = job.writes()
    second = job.run()
    assert second.pulled is not None
    assert second.pulled.stored >= 5, "our own echo comes back with the pull"
    assert second.push is not None
    assert (second.push.written, job.writes()) == (0, before)


def test_only_what_moved_is_written(job: AnyJob) -> None:
    job.run()
    job.update(2, **{job.amount: 500})
    result = job.run()
    assert result.plan is not None
    assert {change.id for change in result.plan.changes} == {job.deals[2]}
    assert job.shows(2) == {"severity": "clean", "hygiene": Decimal(100)}


def test_a_refusal_concerns_its_record_alone_and_is_tried_again_when_that_changed(job: AnyJob) -> None:
    job.refuse(3, "Deals need a sponsor.")
    first = job.run()
    assert first.push is not None
    assert (first.push.written, first.exit_code) == (4, ExitCode.INCOMPLETE)
    [refused] = [finding for finding in first.findings if finding.rule == "write-refused"]
    assert refused.id == job.deals[3]
    assert "Deals need a sponsor." in refused.message
    before = job.writes()
    assert job.run().exit_code is ExitCode.OK
    assert job.writes() == before, "nothing changed, so nothing is tried"
    job.sandbox.faults.clear()
    job.update(3, **{job.name: "Deal 3, with a sponsor"})
    last = job.run()
    assert last.push is not None
    assert (last.push.written, last.push.refused) == (1, [])
