"""The guide for HubSpot is followed as it stands, against the stand-in account."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pipelint.cli.app import run
from pipelint.sandbox.hubspot import HubSpotSandbox
from tests.docs.pages import ROOT, blocks_of, commands

GUIDE = ROOT / "docs" / "hubspot.md"


def test_every_step_of_the_guide_works_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "pipelint.yaml"
    done = []
    with HubSpotSandbox(size=40) as sandbox:
        monkeypatch.setenv("HUBSPOT_TOKEN", sandbox.token())
        for block in blocks_of(GUIDE):
            for line in commands(block.text) if block.language == "sh" else ():
                words = shlex.split(line)[1:]
                if words == ["run"]:  # after the text has said so
                    project.write_text(project.read_text().replace("mode: preview", "mode: on"))
                code = run(words)
                said = capsys.readouterr()
                allowed = {0, 1} if words != ["run"] else {0, 4}
                assert code in allowed, f"{block}: {line}\n{said.out}{said.err}"
                done.append(words[0])
                if words[0] == "init":
                    address = f"crm: hubspot\n    base_url: {sandbox.base_url}\n"
                    project.write_text(project.read_text().replace("crm: hubspot\n", address, 1))
        severities = [
            sandbox.portal.get("deals", deal)["pipelint_severity"] for deal in sandbox.portal.ids("deals")
        ]
    assert done == ["init", "doctor", "stages", "pull", "check", "setup", "setup", "run", "run"]
    assert set(severities) >= {"error", "clean"}
