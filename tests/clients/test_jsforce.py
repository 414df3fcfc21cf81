"""The sandbox as jsforce sees it: an independent client, in another language."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "jsforce").exists(),
        reason="jsforce is not installed: npm install in tests/clients",
    ),
]


def test_jsforce_queries_describes_updates_loads_in_bulk_and_makes_a_field():
    with SalesforceSandbox(now=datetime(2026, 11, 23, 9, tzinfo=UTC)) as sandbox:
        identity = sandbox.illnesses["healthy"][0]
        script = ["node", "jsforce.mjs", sandbox.base_url, sandbox.token(), identity]
        run = subprocess.run(script, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
        seen = json.loads(run.stdout)
        [contacts] = sandbox.org.query("SELECT COUNT(Id) n FROM Contact")
        overdue = sandbox.org.query("SELECT Id FROM Opportunity WHERE CloseDate < TODAY AND IsClosed = false")
        assert seen == {
            "contacts": contacts["n"],
            "refusal": "INVALID_FIELD",
            "stage": "picklist",
            "updates": [True, False],
            "nextStep": "seen by jsforce",
            "overdue": len(overdue),
            "field": True,
            "user": "integration@sandbox.example",
            "bulkRows": 120,
            "bulkNames": True,
            "loaded": 2,
            "refused": ["STRING_TOO_LONG"],
            "unprocessed": 0,
            "bulkStep": 'loaded,\n"by" jsforce',
            "bulkSource": None,
            "usage": 15_000,
        }
