"""A day of one Salesforce org and one project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox

from .day import Day
from .salesforce_org import PACK

OURS = ("Pipelint_Flags__c", "Pipelint_Severity__c", "Pipelint_Summary__c", "Pipelint_Hygiene__c")

SETTINGS = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  acme:
    crm: salesforce
    base_url: {url}
    auth: {{flow: client_credentials, client_id: "${{file:client}}", client_secret: "${{file:secret}}"}}
    bulk_above: {bulk_above}
write_back: {{mode: "on", max_share: 100%}}
"""


class SalesforceDay(Day[SalesforceSandbox]):
    """One org and one project, run again and again."""

    @property
    def deals(self) -> list[str]:
        return [str(row["Id"]) for row in self.sandbox.org.query("SELECT Id FROM Opportunity ORDER BY Id")]

    def crm(self) -> Mapping[str, Mapping[str, object]]:
        store = self.sandbox.org.store
        rows = store.find_all(store.schema["Opportunity"], IsDeleted=0)
        return {str(row["Id"]): {name: row[name] for name in OURS} for row in rows}


def project_in(folder: Path, sandbox: SalesforceSandbox, bulk_above: int) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    text = SETTINGS.format(url=sandbox.base_url, bulk_above=bulk_above)
    (folder / "pipelint.yaml").write_text(text, encoding="utf-8")
    (folder / "client").write_text(sandbox.client_id, encoding="utf-8")
    (folder / "secret").write_text(sandbox.client_secret, encoding="utf-8")


def count_writes(day: SalesforceDay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is really written, whether or not the answer arrives."""
    writer = day.sandbox.org.writer
    update = writer.update

    def counted(access: Any, sobject: Any, record_id: str, given: Mapping[str, object]) -> None:
        update(access, sobject, record_id, given)
        if any(name.startswith("Pipelint_") for name in given):
            day.writes[record_id] += 1

    monkeypatch.setattr(writer, "update", counted)
