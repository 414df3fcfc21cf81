"""The Pipedrive sandbox as Pipedrive's own client for Node.js sees it."""

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


def test_it_lists_writes_custom_fields_and_reads_what_v1_alone_has():
    with PipedriveSandbox(now=datetime(2026, 11, 23, 9, tzinfo=UTC)) as sandbox:
        script = ["node", "pipedrive.mjs", sandbox.base_url, sandbox.token(), sandbox.illnesses["healthy"][0]]
        run = subprocess.run(script, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
        count = sandbox.company.store.rows
        [[deals]] = count("SELECT count(*) FROM deals WHERE NOT is_archived")
        [[users]] = count("SELECT count(*) FROM users")
        [[people]] = count(
            "SELECT count(*) FROM participants WHERE deal_id = ?", [int(sandbox.illnesses["healthy"][0])]
        )
        assert json.loads(run.stdout) == {
            "deals": deals,
            "written": 1,
            "refusal": "ERR_SCHEMA_VALIDATION_FAILED",
            "rotting": 4,
            "users": users,
            "changed": True,
            "people": people,
        }
