"""The HubSpot sandbox as HubSpot's own client for Node.js sees it."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.sandbox.hubspot import HubSpotSandbox

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "@hubspot" / "api-client").exists(),
        reason="@hubspot/api-client is not installed: npm install in tests/clients",
    ),
]


def test_it_lists_searches_updates_and_reads_links_and_settings():
    with HubSpotSandbox(now=datetime(2026, 11, 23, 9, tzinfo=UTC)) as sandbox:
        identity = sandbox.portal.ids("deals")[0]
        script = ["node", "hubspot.mjs", sandbox.base_url, sandbox.token(), identity]
        run = subprocess.run(script, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
        amounts = [sandbox.portal.get("deals", it)["amount"] for it in sandbox.portal.ids("deals")]
        assert json.loads(run.stdout) == {
            "deals": 120,
            "large": sum(float(it or 0) >= 500_000 for it in amounts),
            "firstStage": "CRM_UI",
            "refusal": {"code": 400, "category": "VALIDATION_ERROR"},
            "written": 1,
            "missing": ["99"],
            "roles": ["Champion", "Decision maker", "Economic buyer"],
            "property": "node_score",
            "gone": True,
            "won": {"isClosed": "true", "probability": "1.0"},
        }
        assert sandbox.portal.get("deals", identity)["risk"] == "seen by node"
