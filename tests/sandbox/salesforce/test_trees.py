"""Data given as sObject trees: a real export, and a hostile one."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.client import NOW

TREES = Path(__file__).parents[4] / "shared" / "data" / "salesforce-trees"

needs_trees = pytest.mark.skipif(not TREES.exists(), reason=f"no exported trees at {TREES.name}")


@needs_trees
def test_a_real_export_loads_whole():
    sandbox = SalesforceSandbox(data=TREES / "apex-recipes", now=NOW)
    assert sandbox.loaded == ["50 Account", "150 Contact", "50 Opportunity"]
    found: list[Any] = sandbox.org.query(
        "SELECT Amount, CloseDate, Description, Account.Name FROM Opportunity WHERE Name = 'Cape starling'"
    )
    [starling] = found
    assert (starling["Amount"], starling["CloseDate"], starling["Description"]) == (
        119373.34,
        "2020-12-22",
        '"',
    )
    assert starling["Account"]["Name"]


@needs_trees
def test_stages_that_the_org_does_not_know_stay_on_their_records():
    org = SalesforceSandbox(data=TREES / "apex-recipes", now=NOW).org
    found = org.query(
        "SELECT StageName, IsClosed FROM Opportunity WHERE StageName IN ('Closed/Won', 'Assigned dynamically')"
    )
    assert len(found) == 11
    assert not any(it["IsClosed"] for it in found)


@needs_trees
def test_fields_that_the_org_does_not_have_are_reported():
    sandbox = SalesforceSandbox(data=TREES / "lwc-recipes", now=NOW)
    assert sandbox.loaded[:3] == ["10 Account", "6 Contact", "20 Opportunity"]
    assert "Contacts.json: Contact ContactRef1: no field Picture__c; left out" in sandbox.loaded


def test_what_cannot_be_loaded_is_reported_and_the_rest_comes_in(tmp_path):
    def record(reference: str, **values: object) -> dict[str, object]:
        return {"attributes": {"type": "Opportunity", "referenceId": reference}, **values}

    good = {"name": "Good", "stagename": "Prospecting", "CLOSEDATE": "2021-01-19T00:30:44Z"}
    records = [
        record("R1", **good, accountId="@Nobody"),
        record("R2", StageName="Prospecting", CloseDate="2021-01-19"),
        {"name": "without attributes"},
    ]
    (tmp_path / "Opportunities.json").write_text(json.dumps({"records": records}), encoding="utf-8")
    sandbox = SalesforceSandbox(data=tmp_path, now=NOW)
    assert sandbox.loaded == [
        "1 Opportunity",
        "Opportunities.json: Opportunity R1: accountId refers to @Nobody, which is not there; left empty",
        "Opportunities.json: Opportunity R2: REQUIRED_FIELD_MISSING: Required fields are missing: [Name]; left out",
        "Opportunities.json: a record without type and referenceId; left out",
    ]
    assert sandbox.org.query("SELECT CloseDate FROM Opportunity")[0]["CloseDate"] == "2021-01-19"
