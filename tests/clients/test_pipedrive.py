"""The Pipedrive sandbox as Pipedrive's own client for Node.js sees it, in both versions of the API."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.sandbox.pipedrive import PipedriveSandbox

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "pipedrive").exists(),
        reason="pipedrive is not installed: npm install in tests/clients",
    ),
]


@pytest.fixture(scope="module")
def sandbox():
    with PipedriveSandbox(now=datetime(2026, 11, 23, 9, tzinfo=UTC)) as running:
        yield running


@pytest.fixture(scope="module")
def held(sandbox):
    """How many rows there were before the client came."""

    def count(sql: str, *values: int) -> int:
        [[found]] = sandbox.company.store.rows(f"SELECT count(*) FROM {sql}", values)
        return int(found)

    return {
        "open": count("deals WHERE status = 'open' AND NOT is_archived"),
        "archived deals": count("deals WHERE is_archived"),
        "persons": count("persons"),
        "organizations": count("organizations"),
        "activities": count("activities"),
        "users": count("users"),
        "participants": count("participants WHERE deal_id = ?", int(sandbox.illnesses["healthy"][0])),
        "leads": count("leads WHERE NOT is_archived"),
        "archived leads": count("leads WHERE is_archived"),
    }


@pytest.fixture(scope="module")
def seen(sandbox, held):
    """What one run of the client saw, by area."""
    app = sandbox.client_id, sandbox.client_secret, sandbox.refresh_token("deals:read")
    script = [
        "node",
        "pipedrive.mjs",
        sandbox.base_url,
        sandbox.token(),
        sandbox.illnesses["healthy"][0],
        *app,
    ]
    run = subprocess.run(script, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_it_walks_lists_by_cursor(seen, held):
    assert seen["reading"] == {
        "open": [held["open"], held["open"]],
        "archived": held["archived deals"],
        "counts": True,
        "one": True,
        "missing": "ERR_NOT_FOUND",
        "none": 0,
        "persons": held["persons"],
        "companies": held["organizations"],
        "activities": held["activities"],
    }


def test_it_makes_moves_merges_and_deletes_deals(seen):
    assert seen["writing"] == {
        "moved": [2, True],
        "lost": ["lost", "Price"],
        "wrong": [
            "ERR_SCHEMA_VALIDATION_FAILED",
            "Validation failed: value: Expected number, received string",
        ],
        "log": ["status", "stage_id", "add_time"],
        "merged": True,
        "gone": True,
    }


def test_it_makes_a_field_and_writes_its_options_by_id(seen):
    assert seen["defining"] == {
        "key": 40,
        "more": ["all"],
        "written": 1,
        "refused": ["ERR_SCHEMA_VALIDATION_FAILED"] * 2,
        "changed": True,
        "cleared": None,
        "left": False,
        "title": True,
    }


def test_it_reads_users_and_participants(seen, held):
    assert seen["people"] == {
        "users": held["users"],
        "admin": True,
        "participants": [held["participants"]] * 2,
    }


def test_it_reads_pipelines_stages_types_and_currencies(seen):
    assert seen["organisation"] == {
        "pipelines": ["New business", "Renewal"],
        "rotting": 4,
        "types": ["call", "meeting", "task", "deadline", "email", "lunch"],
        "yen": 0,
    }


def test_it_reaches_what_version_1_alone_has(seen, held):
    assert seen["leadsAndNotes"] == {
        "leads": [held["leads"], held["archived leads"]],
        "changed": ["Seen", "Seen"],
        "note": "Bye",
        "notes": 1,
        "filter": True,
    }


def test_it_signs_in_as_an_app_and_keeps_to_its_scopes(seen):
    assert seen["signingIn"] == {
        "seconds": 3599,
        "same": True,
        "stages": True,
        "outside": "Scope and URL mismatch",
        "wrong": "invalid_grant",
    }
