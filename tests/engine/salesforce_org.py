"""A small project on a Salesforce sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from pipelint.engine.provision import setup
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.custom_fields import CustomFields
from pipelint.sandbox.salesforce.org import INTEGRATION_USER

from .job import NOW, Job, pack

PACK = pack("salesforce", "Prospecting", "Negotiation/Review")


class Org(Job[SalesforceSandbox]):
    """A project and its org."""

    name = "Name"
    amount = "Amount"

    def ours(self, name: str) -> str:
        return f"Pipelint_{name.capitalize()}__c"

    def update(self, deal: int, **values: object) -> None:
        self.sandbox.clock.advance(timedelta(minutes=1))
        self.sandbox.org.update("Opportunity", self.deals[deal], values)

    def refuse(self, deal: int, message: str) -> None:
        self.sandbox.faults.add(
            "FIELD_CUSTOM_VALIDATION_EXCEPTION", record=self.deals[deal], message=message, times=0
        )

    def writes(self) -> int:
        return sum(request.method == "PATCH" for request in self.sandbox.requests)

    def delete_field(self, full_name: str) -> None:
        """Drop a custom field, as an administrator does in Setup."""
        store = self.sandbox.org.store
        row = store.find(store.schema["CustomField"], FullName=full_name)
        assert row is not None
        CustomFields(store, self.sandbox.clock).delete(row)

    def offer(self, full_name: str, *values: str) -> None:
        """Leave a picklist these values alone."""
        store = self.sandbox.org.store
        row = store.find(store.schema["CustomField"], FullName=full_name)
        assert row is not None
        metadata = json.loads(str(row["Metadata"]))
        definition = [{"valueName": value, "label": value, "default": False} for value in values]
        metadata["valueSet"]["valueSetDefinition"]["value"] = definition
        CustomFields(store, self.sandbox.clock).update(row, metadata, self.sandbox.org.user(INTEGRATION_USER))

    def rename_stage(self, old: str, new: str) -> None:
        """Give a stage another name in the list of stages."""
        store = self.sandbox.org.store
        row = store.find(store.schema["OpportunityStage"], ApiName=old)
        assert row is not None
        store.update(store.schema["OpportunityStage"], str(row["Id"]), {"ApiName": new, "MasterLabel": new})

    def drift(self) -> list[str]:
        return [f"{each.problem.place}: {each.problem.what}" for each in self.run().drift]


@contextmanager
def an_org(folder: Path) -> Iterator[Org]:
    """Set up, with six deals."""
    with SalesforceSandbox(size=0, now=NOW) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SF_CLIENT_ID", sandbox.client_id)
        patch.setenv("SF_CLIENT_SECRET", sandbox.client_secret)
        account = sandbox.org.create("Account", {"Name": "Müller & Söhne"})
        deals = [
            sandbox.org.create(
                "Opportunity",
                {
                    "Name": f"Deal {n}",
                    "StageName": "Prospecting",
                    "CloseDate": "2026-11-01" if n == 1 else "2027-01-31",
                    "AccountId": account,
                    **({"Amount": 1000} if n < 2 else {}),
                },
            )
            for n in range(6)
        ]
        make_project(folder, sandbox.base_url)
        made = Org(folder, sandbox, deals)
        list(setup(made.project, apply=True))
        yield made


def make_project(folder: Path, base_url: str, write_back: str = "{mode: on}", pack: str = PACK) -> None:
    """A project that signs in with SF_CLIENT_ID and SF_CLIENT_SECRET of the environment."""
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    (folder / "pipelint.yaml").write_text(
        f"""\
pipelint: 1
connections:
  acme:
    crm: salesforce
    base_url: {base_url}
    auth: {{flow: client_credentials, client_id: "${{env:SF_CLIENT_ID}}", client_secret: "${{env:SF_CLIENT_SECRET}}"}}
write_back: {write_back}
""",
        encoding="utf-8",
    )
