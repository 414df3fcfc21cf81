"""The page on the sandboxes is followed with curl, against each of them as it runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pipelint.sandbox.faults import EFFECTS
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import DEALS
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.server import Sandbox
from tests.docs.pages import ROOT, blocks_of

PAGE = ROOT / "docs" / "sandbox.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = [block.text for block in blocks_of(PAGE) if "curl " in block.text]
OWN: dict[type[Sandbox], str] = {
    SalesforceSandbox: "/services/",
    HubSpotSandbox: "/crm/",
    PipedriveSandbox: "/api/v2/",
}
"""The addresses by which the examples of one CRM are told from those of the others."""
NAMES: dict[type[Sandbox], str] = {
    SalesforceSandbox: "Salesforce",
    HubSpotSandbox: "HubSpot",
    PipedriveSandbox: "Pipedrive",
}
DAY = "2026-01-31"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(params=OWN, ids=NAMES.get)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with request.param(size=40) as server:
        yield server


def follow(text: str, sandbox: Sandbox, folder: Path) -> str:
    """What a shell says to this example; a refusal by the sandbox fails the test."""
    (folder / ".curlrc").write_text("fail\nshow-error\n", encoding="utf-8")
    environment = {**os.environ, "CURL_HOME": str(folder), "SANDBOX": sandbox.base_url}
    done = subprocess.run(["/bin/sh", "-eu", "-c", text], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{text}{done.stdout}{done.stderr}"
    return done.stdout


def close_date(sandbox: Sandbox) -> str:
    """Of the deal that the page changes."""
    match sandbox:
        case SalesforceSandbox(org=org):
            record = org.store.get(org.store.schema["Opportunity"], "006Sb0000000001IAA")
            assert record is not None
            return str(record["CloseDate"])
        case HubSpotSandbox(portal=portal):
            return str(portal.get("deals", "18400000001")["closedate"])
        case PipedriveSandbox(company=company):
            return str(company.get(DEALS, 1)["expected_close_date"])
    raise AssertionError(sandbox)


def test_every_example_is_accepted_and_the_deal_is_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    others = [mark for kind, mark in OWN.items() if not isinstance(sandbox, kind)]
    followed = [text for text in BLOCKS if not any(mark in text for mark in others)]
    assert len(followed) == len(BLOCKS) - len(others)
    assert not close_date(sandbox).startswith(DAY)
    for text in followed:
        follow(text, sandbox, tmp_path)
    assert close_date(sandbox).startswith(DAY)
    assert sandbox.clock.now().isoformat() == "2026-11-21T09:00:00+00:00"
    assert not sandbox.faults.script()
    assert not sandbox.requests


def test_the_faults_strike_as_the_page_says(sandbox: Sandbox, tmp_path: Path) -> None:
    (example,) = (text for text in BLOCKS if '"drop"' in text)
    maintenance, throttled, dropped = example.splitlines()

    follow(maintenance, sandbox, tmp_path)
    answer = requests.get(sandbox.base_url, timeout=5)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")

    follow(throttled, sandbox, tmp_path)
    answer = requests.get(sandbox.base_url, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "4")

    follow(dropped, sandbox, tmp_path)
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.base_url, timeout=5)
    spent = requests.get(sandbox.base_url, timeout=5).status_code
    assert spent in {401, 404}  # the CRM's own answer to this address
    assert [it.status for it in sandbox.requests] == [503, 429, 0, spent]


def test_every_effect_is_on_the_page() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \| ", TEXT, re.MULTILINE)) == EFFECTS.keys()


def test_the_page_names_the_controls_of_each_crm(sandbox: Sandbox) -> None:
    (row,) = re.findall(rf"^\| {NAMES[type(sandbox)]} \| (.+) \|$", TEXT, re.MULTILINE)
    controls = requests.get(sandbox.control_url, timeout=5).json()["controls"]
    assert {"clock", "faults", "requests", *re.findall(r"`(.+?)`", row)} == set(controls)


def test_the_banner_names_the_control_and_the_page(sandbox: Sandbox) -> None:
    assert f"{sandbox.control_url} (faults, clock, request log: docs/sandbox.md)" in sandbox.banner()
