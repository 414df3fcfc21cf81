"""The whole job against the Salesforce sandbox, with the real connector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import package, setup
from pipelint.engine.run import run
from pipelint.engine.run_result import ConnectionResult
from pipelint.errors import ExitCode
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.custom_fields import CustomFields
from pipelint.sandbox.salesforce.org import INTEGRATION_USER

from .salesforce_org import PACK, make_project

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
FIELDS = ("Pipelint_Flags__c", "Pipelint_Severity__c", "Pipelint_Summary__c", "Pipelint_Hygiene__c")


@dataclass
class Org:
    folder: Path
    sandbox: SalesforceSandbox
    deals: list[str]

    @property
    def project(self) -> Project:
        return open_project(self.folder, clock=self.sandbox.clock.now)

    def run(self) -> ConnectionResult:
        return run(self.project).connections["acme"]

    def update(self, deal: int, **values: object) -> None:
        self.sandbox.clock.advance(timedelta(minutes=1))
        self.sandbox.org.update("Opportunity", self.deals[deal], values)

    def shows(self, deal: int) -> dict[str, object]:
        """What the CRM holds, read through its API."""
        project = self.project
        with project.connect(project.file.connections["acme"]) as connector:
            [(_, values)] = connector.read("opportunity", [self.deals[deal]], FIELDS)
        return {name: value for name, value in values.items() if value is not None}

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

    def patches(self) -> int:
        return sum(request.method == "PATCH" for request in self.sandbox.requests)


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    """Six deals: one healthy, one late, four without an amount, one of those refused by a validation rule."""
    with SalesforceSandbox(size=0, now=NOW) as sandbox:
        monkeypatch.setenv("SF_CLIENT_ID", sandbox.client_id)
        monkeypatch.setenv("SF_CLIENT_SECRET", sandbox.client_secret)
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
        make_project(tmp_path, sandbox.base_url)
        made = Org(tmp_path, sandbox, deals)
        list(setup(made.project, apply=True))
        yield made


def test_flags_arrive_and_a_second_run_writes_nothing(org: Org) -> None:
    first = org.run()
    assert first.push is not None
    assert (first.push.written, first.exit_code) == (5, ExitCode.OK)
    assert org.shows(0) == {}
    assert org.shows(1) == {
        "Pipelint_Flags__c": ("close-date-past",),
        "Pipelint_Severity__c": "warning",
        "Pipelint_Summary__c": "The close date has passed",
        "Pipelint_Hygiene__c": 92.0,
    }
    before = org.patches()
    org.sandbox.clock.advance(timedelta(minutes=15))
    second = org.run()
    assert second.pulled is not None
    assert second.pulled.stored >= 5, "our own echo comes back with the pull"
    assert second.push is not None
    assert (second.push.written, org.patches()) == (0, before)


def test_only_what_moved_is_written(org: Org) -> None:
    org.run()
    org.update(2, Amount=500)
    result = org.run()
    assert result.plan is not None
    assert {change.id for change in result.plan.changes} == {org.deals[2]}
    assert org.shows(2) == {"Pipelint_Severity__c": "clean", "Pipelint_Hygiene__c": 100.0}


def test_a_validation_rule_refuses_one_and_blocks_nobody(org: Org) -> None:
    org.sandbox.faults.add(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", record=org.deals[3], message="Deals need a sponsor.", times=0
    )
    first = org.run()
    assert first.push is not None
    assert (first.push.written, first.exit_code) == (4, ExitCode.INCOMPLETE)
    [refused] = [finding for finding in first.findings if finding.rule == "write-refused"]
    assert refused.id == org.deals[3]
    assert "Deals need a sponsor." in refused.message
    before = org.patches()
    assert org.run().exit_code is ExitCode.OK
    assert org.patches() == before, "nothing changed, so nothing is tried"
    org.sandbox.faults.clear()
    org.update(3, Name="Deal 3, with a sponsor")
    last = org.run()
    assert last.push is not None
    assert (last.push.written, last.push.refused) == (1, [])


@pytest.mark.parametrize("effect", ["drop", "drop_after", "truncate"])
def test_an_answer_that_does_not_come(org: Org, effect: str) -> None:
    org.sandbox.faults.add(effect, method="PATCH", path="composite/sobjects")
    result = org.run()
    assert result.push is not None
    assert (result.push.written, result.push.unknown, result.exit_code) == (5, 0, ExitCode.OK)
    assert org.patches() == (2 if effect == "drop" else 1)


def test_a_session_that_ends_before_writing(org: Org) -> None:
    org.sandbox.faults.add("INVALID_SESSION_ID", method="PATCH", path="composite/sobjects", status=401)
    result = org.run()
    assert result.push is not None
    assert result.push.written == 5


def test_an_allowance_that_ends_before_writing(org: Org) -> None:
    org.sandbox.faults.add(
        "REQUEST_LIMIT_EXCEEDED", method="PATCH", path="composite/sobjects", status=403, times=0
    )
    result = org.run()
    assert result.push is not None
    assert result.push.error is not None
    assert result.exit_code is ExitCode.UNREACHABLE
    org.sandbox.faults.clear()
    again = org.run()
    assert again.push is not None
    assert (again.push.written, again.exit_code) == (5, ExitCode.OK)


DRIFTING = (
    PACK
    + """\
  need-missing:
    {title: The need is missing, flag_when: {need: blank}, severity: warning, message: No need., fix: Ask for it.}
  budget-lost:
    {title: Lost for want of money, flag_when: {reason: No budget}, severity: info, message: No money., fix: None.}
fields:
  need: {from: {salesforce: Need__c}}
  reason: {label: Reason, type: choice, from: {salesforce: Loss_Reason__c}}
"""
)


@pytest.fixture
def drifting(org: Org) -> Org:
    """Every deal lacks its need, and the CRM says so."""
    (org.folder / "rules" / "pack.yaml").write_text(DRIFTING, encoding="utf-8")
    list(setup(org.project, apply=True))
    assert org.drift() == []
    assert org.shows(0)["Pipelint_Flags__c"] == ("need-missing",)
    org.sandbox.clock.advance(timedelta(minutes=15))
    return org


def test_a_renamed_field_is_known_by_its_id_and_its_flags_stay(drifting: Org) -> None:
    before, patches = drifting.shows(0), drifting.patches()
    drifting.sandbox.rename_field("Opportunity.Need__c", "Customer_Pain__c")
    what = "acme: the field Need__c of 'need' is gone: it is called 'Customer_Pain__c' now"
    assert drifting.drift() == [f"rules/pack.yaml:23:3: {what}"]
    assert (drifting.shows(0), drifting.patches()) == (before, patches)
    pack = DRIFTING.replace("Need__c", "Customer_Pain__c")
    (drifting.folder / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    assert drifting.drift() == []
    assert drifting.shows(0) == before


def test_a_deleted_field_takes_no_flag_back(drifting: Org) -> None:
    before = drifting.shows(0)
    drifting.delete_field("Opportunity.Need__c")
    [what] = drifting.drift()
    assert "the field Need__c of 'need' is gone, or cannot be seen any more" in what
    assert drifting.shows(0) == before


def test_a_field_that_may_not_be_read_any_more_is_not_taken_for_deleted(drifting: Org) -> None:
    store = drifting.sandbox.org.store
    permissions = store.schema["FieldPermissions"]
    for row in store.find_all(permissions, Field="Opportunity.Need__c"):
        store.remove(permissions, str(row["Id"]))
    assert drifting.drift() == [
        "rules/pack.yaml:23:3: acme: the field Need__c of 'need' cannot be seen any more"
    ]


def test_a_picklist_value_that_is_switched_off(drifting: Org) -> None:
    drifting.offer("Opportunity.Loss_Reason__c", "Price", "No budget at all")
    what = "the value 'No budget' of Loss_Reason__c is not offered any more; did you mean 'No budget at all'?"
    assert drifting.drift() == [f"rules/pack.yaml:21:49: acme: {what}"]


def test_a_renamed_stage(drifting: Org) -> None:
    drifting.rename_stage("Negotiation/Review", "Negotiation and legal review")
    what = "the stage 'Negotiation/Review' of sales/negotiation is gone; did you mean 'Negotiation and legal review'?"
    assert drifting.drift() == [f"rules/pack.yaml:8:61: acme: {what}"]


def test_the_fields_are_written_as_a_package_for_an_admin(org: Org, tmp_path: Path) -> None:
    [result] = package(org.project, tmp_path / "out")
    assert sorted(str(path.relative_to(result.folder)) for path in result.folder.rglob("*.*")) == list(
        result.files
    )
    assert "package.xml" in result.files
    assert str(result.folder) in result.clicks[0]
    assert not any("List View" in click for click in result.clicks)  # it is in the package


def test_a_snooze_in_the_crm_takes_the_flags_away_until_its_day_has_passed(org: Org) -> None:
    """The company uses two fields that it has: one for a date, one for a text."""
    named = "{snooze_until: {salesforce: Deadline__c}, snooze_reason: {salesforce: Risk__c}}"
    (org.folder / "rules" / "pack.yaml").write_text(f"{PACK}crm_fields: {named}\n", encoding="utf-8")
    org.run()
    flagged = org.shows(1)
    org.update(1, Deadline__c="2026-11-25", Risk__c="They are away")
    org.run()
    assert org.shows(1)["Pipelint_Severity__c"] == "clean"
    org.sandbox.clock.advance(timedelta(days=5))
    org.run()
    assert org.shows(1) == flagged
    [held] = org.sandbox.org.query(
        f"SELECT Deadline__c, Risk__c FROM Opportunity WHERE Id = '{org.deals[1]}'"
    )
    assert (held["Deadline__c"], held["Risk__c"]) == ("2026-11-25", "They are away")
