"""The HubSpot sandbox as HubSpot's own client for Node.js sees it."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.object_types import COMPANIES, DEALS

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "@hubspot" / "api-client").exists(),
        reason="@hubspot/api-client is not installed: npm install in tests/clients",
    ),
]


@pytest.fixture(scope="module")
def sandbox():
    with HubSpotSandbox(now=datetime(2026, 11, 23, 9, tzinfo=UTC)) as running:
        yield running


@pytest.fixture(scope="module")
def seen(sandbox):
    """What one run of the client saw, by area."""
    script = ["node", "hubspot.mjs", sandbox.base_url, sandbox.token(), sandbox.portal.ids("deals")[0]]
    run = subprocess.run(script, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_it_reads_lists_batches_histories_and_associations(seen, sandbox):
    portal = sandbox.portal
    linked = portal.links.of(DEALS, [int(it) for it in portal.ids("deals")], COMPANIES)
    assert seen["reading"] == {
        "all": 120,
        "withCompany": len(linked),
        "pages": [50, 50, True],
        "batch": [1, portal.get("deals", portal.ids("deals")[0])["dealname"]],
        "missing": [["99"], 404, "OBJECT_NOT_FOUND"],
        "dates": True,
        "firstStage": "CRM_UI",
        "company": True,
    }


def test_it_searches_page_by_page(seen, sandbox):
    amounts = [sandbox.portal.get("deals", it)["amount"] for it in sandbox.portal.ids("deals")]
    large = sum(float(it or 0) >= 100_000 for it in amounts)
    assert large > 10, "more than one page"
    assert seen["searching"] == {"total": large, "distinct": large, "descending": True, "people": True}


def test_it_writes_batches_and_sees_the_errors_of_single_records(seen, sandbox):
    assert seen["writing"] == {
        "written": [True],
        "missing": [1, "OBJECT_NOT_FOUND", ["99"]],
        "wrong": [400, "VALIDATION_ERROR", "INVALID_NUMBER"],
        "cleared": None,
        "gone": 404,
    }


def test_it_reads_labels_of_associations(seen):
    assert seen["linking"] == {
        "roles": ["Champion", "Decision maker", "Economic buyer"],
        "labels": True,
        "plain": 3,
    }


def test_it_makes_and_extends_properties(seen):
    assert seen["defining"] == {"again": 409, "options": ["a", "b"], "unknown": 1, "amount": "number"}


def test_it_reads_pipelines_and_owners(seen, sandbox):
    here = sum(not it.archived for it in sandbox.portal.owners)
    assert seen["organisation"] == {
        "pipelines": ["New business", "Renewals"],
        "won": {"isClosed": "true", "probability": "1.0"},
        "owners": [5, here],
        "left": True,
        "one": True,
    }


def test_it_reaches_dated_paths_and_what_administrators_set(seen, sandbox):
    assert seen["dated"] == {"listed": 2, "written": [1, 1], "flows": 1, "rules": 3}
    assert sandbox.portal.get("deals", sandbox.portal.ids("deals")[0])["risk"] == "dated"


def test_it_signs_in_as_an_app(seen):
    assert seen["signingIn"] == {"seconds": 1800, "seen": 1, "wrong": 400}
