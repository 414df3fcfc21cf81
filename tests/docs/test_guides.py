"""The guide to each CRM is followed as it stands, step by step, against the stand-in for that CRM."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelint.cli.app import run
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import DEALS
from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.docs.pages import ROOT, blocks_of, commands

STEPS = ["init", "doctor", "stages", "pull", "check", "setup", "setup", "run", "run"]


@dataclass
class Crm:
    """A stand-in as the reader of a guide meets it."""

    secrets: Mapping[str, str]
    instead: tuple[str, str]
    """What the project of `init` says of the CRM's address, and what it is to say here."""
    sandbox: SalesforceSandbox | HubSpotSandbox | PipedriveSandbox

    def severities(self) -> Iterable[object]:
        """What the field for the severity holds in the end, record by record."""
        match self.sandbox:
            case SalesforceSandbox(org=org):
                table = org.store.schema["Opportunity"]
                return [row["Pipelint_Severity__c"] for row in org.store.find_all(table)]
            case HubSpotSandbox(portal=portal):
                return [portal.get("deals", id_)["pipelint_severity"] for id_ in portal.ids("deals")]
            case PipedriveSandbox(company=company):
                field = company.fields.by_name("deals", "Pipelint severity")
                labels = {option["id"]: option["label"] for option in field["options"]}
                deals = company.store.select(DEALS)
                return [labels.get(deal["custom_fields"].get(field["field_code"])) for deal in deals]


@contextmanager
def salesforce() -> Iterator[Crm]:
    with SalesforceSandbox(size=40) as sandbox:
        secrets = {"SF_CLIENT_ID": sandbox.client_id, "SF_CLIENT_SECRET": sandbox.client_secret}
        yield Crm(secrets, ("https://acme.my.salesforce.com", sandbox.base_url), sandbox)


@contextmanager
def hubspot() -> Iterator[Crm]:
    with HubSpotSandbox(size=40) as sandbox:
        address = f"crm: hubspot\n    base_url: {sandbox.base_url}\n"
        yield Crm({"HUBSPOT_TOKEN": sandbox.token()}, ("crm: hubspot\n", address), sandbox)


@contextmanager
def pipedrive() -> Iterator[Crm]:
    with PipedriveSandbox(size=40, burst=0) as sandbox:  # its limit of two seconds would cost real ones
        address = ("https://acme.pipedrive.com", sandbox.base_url)
        yield Crm({"PIPEDRIVE_TOKEN": sandbox.token()}, address, sandbox)


@pytest.mark.parametrize("crm", [salesforce, hubspot, pipedrive], ids=lambda crm: crm.__name__)
def test_every_step_of_a_guide_works_in_its_order(
    crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "pipelint.yaml"

    def replace(before: str, after: str) -> None:
        text = project.read_text()
        assert before in text, "the guide and the project that init writes differ"
        project.write_text(text.replace(before, after, 1))

    done = []
    with crm() as there:
        for name, secret in there.secrets.items():
            monkeypatch.setenv(name, secret)
        for block in blocks_of(ROOT / "docs" / f"{crm.__name__}.md"):
            for line in commands(block.text) if block.language == "sh" else ():
                words = shlex.split(line)[1:]
                if words == ["run"]:  # after the text has said so
                    replace("mode: preview", "mode: on")
                code = run(words)
                said = capsys.readouterr()
                allowed = {0, 1} if words != ["run"] else {0, 4}
                assert code in allowed, f"{block}: {line}\n{said.out}{said.err}"
                done.append(words[0])
                if words[0] == "init":
                    replace(*there.instead)
        severities = set(there.severities())
    assert done == STEPS
    assert severities >= {"error", "clean"}
