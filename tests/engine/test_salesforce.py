"""What only Salesforce does to the whole job, with the real connector."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelint.engine.provision import package, setup
from pipelint.errors import ExitCode

from .salesforce_org import PACK, Org, an_org


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    with an_org(tmp_path) as made:
        yield made


@pytest.mark.parametrize("effect", ["drop", "drop_after", "truncate"])
def test_an_answer_that_does_not_come(org: Org, effect: str) -> None:
    org.sandbox.faults.add(effect, method="PATCH", path="composite/sobjects")
    result = org.run()
    assert result.push is not None
    assert (result.push.written, result.push.unknown, result.exit_code) == (5, 0, ExitCode.OK)
    assert org.writes() == (2 if effect == "drop" else 1)


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
    assert org.shows(0)["flags"] == ("need-missing",)
    org.sandbox.clock.advance(timedelta(minutes=15))
    return org


def test_a_renamed_field_is_known_by_its_id_and_its_flags_stay(drifting: Org) -> None:
    before, writes = drifting.shows(0), drifting.writes()
    drifting.sandbox.rename_field("Opportunity.Need__c", "Customer_Pain__c")
    what = "acme: the field Need__c of 'need' is gone: it is called 'Customer_Pain__c' now"
    assert drifting.drift() == [f"rules/pack.yaml:23:3: {what}"]
    assert (drifting.shows(0), drifting.writes()) == (before, writes)
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
    assert org.shows(1)["severity"] == "clean"
    org.sandbox.clock.advance(timedelta(days=5))
    org.run()
    assert org.shows(1) == flagged
    [held] = org.sandbox.org.query(
        f"SELECT Deadline__c, Risk__c FROM Opportunity WHERE Id = '{org.deals[1]}'"
    )
    assert (held["Deadline__c"], held["Risk__c"]) == ("2026-11-25", "They are away")
