"""What a CRM refuses: told once as new, then as known, and sent again when something changed or a person asks."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pipelint.engine.run import push, run
from pipelint.engine.run_result import RunResult
from pipelint.errors import ExitCode
from pipelint.render.run import render

from .conftest import Acme

PUSHED = "retry with: pipelint push --retry-refused"


@pytest.fixture
def refusing(acme: Acme) -> Acme:
    """One deal is ill, and the CRM refused to take that."""
    acme.crm.deal("d1", amount=None, url="https://crm.example/d1")
    acme.crm.refuses["d1"] = "No permission."
    return acme


def text(result: RunResult, *, dry_run: bool = False) -> str:
    return render(result, "text", dry_run=dry_run)


def test_a_new_refusal_is_incomplete_and_a_known_one_is_not(refusing: Acme) -> None:
    first = run(refusing.project)
    assert first.exit_code is ExitCode.INCOMPLETE
    assert "1 refused" in text(first)
    assert "  refused:\n    opportunity/d1  Deal d1  https://crm.example/d1: No permission. (RULE)" in text(
        first
    )
    refusing.crm.advance(days=1)
    second = run(refusing.project)
    assert second.exit_code is ExitCode.OK
    assert "0 written, 1 still refused (" in text(second)
    assert (
        f"  still refused since 2026-11-20, not tried again ({PUSHED}):\n    opportunity/d1  Deal d1"
        in text(second)
    )


@pytest.mark.parametrize("way", [run, push])
def test_a_mended_crm_is_tried_again_when_asked_to(refusing: Acme, way: Callable[..., RunResult]) -> None:
    run(refusing.project)
    refusing.crm.refuses.clear()
    run(refusing.project)
    assert refusing.crm.shows("d1") == {}
    result = way(refusing.project, retry_refused=True)
    assert result.exit_code is ExitCode.OK
    assert refusing.crm.shows("d1")["pipelint_severity"] == "error"
    assert "refused" not in text(run(refusing.project))


def test_what_is_refused_again_is_new_again(refusing: Acme) -> None:
    run(refusing.project)
    refusing.crm.advance(days=2)
    again = push(refusing.project, retry_refused=True)
    assert again.exit_code is ExitCode.INCOMPLETE
    assert "still refused" not in text(again)
    assert "still refused since 2026-11-22" in text(run(refusing.project))


def test_a_dry_run_tells_what_is_refused(refusing: Acme) -> None:
    run(refusing.project)
    result = push(refusing.project, dry_run=True)
    assert "1 still refused" in text(result, dry_run=True)
    assert PUSHED in text(result, dry_run=True)
    document = json.loads(render(result, "json", dry_run=True))
    assert document["schema"] == "pipelint.plan/1"
    assert document["changes"] == []
    assert document["refused"] == [
        {
            "connection": "acme",
            "kind": "opportunity",
            "id": "d1",
            "name": "Deal d1",
            "url": "https://crm.example/d1",
            "code": "RULE",
            "message": "No permission.",
            "since": "2026-11-20",
        }
    ]
    again = push(refusing.project, dry_run=True, retry_refused=True).connections["acme"]
    assert again.plan is not None
    assert [record.id for record in again.plan.records] == ["d1"]
    assert again.refused == []


@pytest.mark.parametrize("lost", ["all fields", "an option"])
def test_a_crm_that_cannot_show_our_values_is_incomplete(acme: Acme, lost: str) -> None:
    acme.crm.deal("d1", amount=None)
    if lost == "all fields":
        acme.crm.own.clear()
    else:
        del acme.crm.own["pipelint_flags"].choices["amount-missing"]  # type: ignore[attr-defined]
    assert acme.run().exit_code is ExitCode.INCOMPLETE
    assert acme.run(dry_run=True).exit_code is ExitCode.OK
    acme.settings("{mode: preview}")
    assert acme.run().exit_code is ExitCode.OK


def test_a_connection_that_stops_at_once_says_only_why(acme: Acme) -> None:
    acme.crm.offline = True
    assert text(run(acme.project)).startswith("acme: stopped\n  error: cannot reach the CRM")
    dry = run(acme.project, dry_run=True)
    assert text(dry, dry_run=True).startswith("acme: stopped\n  error: cannot reach the CRM")
    error = {"message": "cannot reach the CRM", "hint": ""}
    assert json.loads(render(dry, "json", dry_run=True))["connections"]["acme"]["error"] == error
    assert (
        json.loads(render(run(acme.project), "json", dry_run=False))["connections"]["acme"]["error"] == error
    )
