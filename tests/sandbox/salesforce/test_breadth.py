"""Objects beyond deals: lines and products, queues, participants, e-mails, histories, several currencies."""

from datetime import timedelta

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.client import NOW
from tests.sandbox.salesforce.conftest import Api


@pytest.fixture(scope="session")
def several_currencies():
    with SalesforceSandbox(size=60, now=NOW, multi_currency=True) as running:
        yield running


def test_lines_make_up_the_amount_of_a_deal(sandbox, api, deal):
    product = sandbox.org.create("Product2", {"Name": "Platform", "ProductCode": "P-1"})
    book = sandbox.org.query("SELECT Id FROM Pricebook2 WHERE IsStandard = true")[0]["Id"]
    entry = sandbox.org.create(
        "PricebookEntry", {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 500}
    )
    record = deal(Amount=1)
    sandbox.clock.advance(timedelta(hours=1))
    line = {"OpportunityId": record, "PricebookEntryId": entry, "Quantity": 3, "Discount": 10}
    first = sandbox.org.create("OpportunityLineItem", line)
    soql = (
        "SELECT ListPrice, UnitPrice, Subtotal, TotalPrice, Product2.ProductCode, PricebookEntry.Name FROM "
    )
    [shown] = api.query(soql + "OpportunityLineItem")["records"]
    assert (shown["ListPrice"], shown["UnitPrice"], shown["Subtotal"], shown["TotalPrice"]) == (
        500,
        500,
        1500,
        1350,
    )
    assert (shown["Product2"]["ProductCode"], shown["PricebookEntry"]["Name"]) == ("P-1", "Platform")
    soql = "SELECT Amount, HasOpportunityLineItem, SystemModstamp FROM Opportunity"
    [after] = sandbox.org.query(soql)
    assert (after["Amount"], after["HasOpportunityLineItem"]) == (1350, True)
    assert after["SystemModstamp"] == "2026-11-23T10:00:00.000+0000"
    sandbox.org.delete("OpportunityLineItem", first)
    assert sandbox.org.query(soql)[0]["HasOpportunityLineItem"] is False


def test_generated_lines_name_their_products(generated):
    rows = generated.org.query("SELECT Product2.Name, ListPrice, TotalPrice FROM OpportunityLineItem")
    assert rows
    assert all(row["Product2"]["Name"] and row["ListPrice"] and row["TotalPrice"] for row in rows)


def test_a_queue_owns_leads_that_nobody_has_taken(generated):
    soql = "SELECT Owner.Name, Owner.Type, Status FROM Lead WHERE Owner.Type = 'Queue'"
    queued = generated.org.query(soql)
    assert {row["Owner"]["Name"] for row in queued} == {"Inbound leads"}
    assert {row["Status"] for row in queued} == {"Open - Not Contacted"}


def test_recent_emails_tell_their_direction(generated):
    rows = generated.org.query("SELECT Incoming, Activity.TaskSubtype, FromAddress FROM EmailMessage")
    assert {row["Incoming"] for row in rows} == {True, False}
    assert {row["Activity"]["TaskSubtype"] for row in rows} == {"Email"}
    assert all(row["FromAddress"].endswith("@sandbox.example") != row["Incoming"] for row in rows)


def test_others_than_the_first_take_part_through_relations(generated, sandbox, deal):
    rows = generated.org.query("SELECT RelationId, Event.WhoId, IsInvitee FROM EventRelation")
    assert rows
    assert all(row["RelationId"] != row["Event"]["WhoId"] and row["IsInvitee"] for row in rows)
    task = sandbox.org.create("Task", {"Subject": "Write", "WhatId": deal()})
    contact = sandbox.org.create("Contact", {"LastName": "Dupont"})
    sandbox.org.create("TaskRelation", {"TaskId": task, "RelationId": contact})
    assert sandbox.org.query("SELECT IsWhat FROM TaskRelation")[0]["IsWhat"] is False


def test_a_field_that_is_tracked_leaves_a_history(sandbox, api, deal):
    metadata = {"type": "Text", "label": "Partner", "length": 40, "trackHistory": True}
    api.post("/tooling/sobjects/CustomField", {"FullName": "Opportunity.Partner__c", "Metadata": metadata})
    record = deal()
    grant = sandbox.org.query("SELECT Id FROM PermissionSet WHERE Name = 'System Administrator'")[0]["Id"]
    field = {"SobjectType": "Opportunity", "Field": "Opportunity.Partner__c", "PermissionsRead": True}
    sandbox.org.create("FieldPermissions", {"ParentId": grant, "PermissionsEdit": True, **field})
    sandbox.org.update("Opportunity", record, {"Partner__c": "Acme", "Amount": 5, "Description": "untracked"})
    rows = sandbox.org.query("SELECT Field, DataType, OldValue, NewValue FROM OpportunityFieldHistory")
    assert [(row["Field"], row["DataType"], row["OldValue"], row["NewValue"]) for row in rows] == [
        ("Amount", "Currency", None, 5.0),
        ("Partner__c", "Text", None, "Acme"),
    ]
    soql = (
        "SELECT QualifiedApiName FROM FieldDefinition WHERE IsFieldHistoryTracked = true"
        " AND EntityDefinition.QualifiedApiName = 'Opportunity'"
    )
    tracked = {row["QualifiedApiName"] for row in api.query(soql, kind="tooling/query")["records"]}
    assert {"StageName", "NextStep", "Partner__c"} <= tracked
    assert "Description" not in tracked


def test_record_types_use_stages_of_their_own(api):
    soql = "SELECT Id FROM RecordType WHERE DeveloperName = 'Renewal'"
    renewal = api.query(soql)["records"][0]["Id"]
    path = f"/ui-api/object-info/Opportunity/picklist-values/{renewal}"
    fields = api.get(path)["picklistFieldValues"]
    stages = [it["value"] for it in fields["StageName"]["values"]]
    assert stages == [it["value"] for it in api.get(f"{path}/StageName")["values"]]
    assert "Prospecting" not in stages
    assert [it["value"] for it in fields["LeadSource"]["values"]]


def test_the_recycle_bin_forgets_after_15_days(sandbox, deal):
    sandbox.org.delete("Opportunity", deal())
    soql = "SELECT Id FROM Opportunity WHERE IsDeleted = true"

    def found() -> int:
        api = Api(sandbox.base_url, sandbox.token())
        return len(api.query(soql, kind="queryAll")["records"])

    assert found() == 1
    sandbox.clock.advance(timedelta(days=15, seconds=1))
    assert found() == 0


def test_a_purged_log_says_from_when_on_it_knows(sandbox, api, deal):
    sandbox.org.delete("Opportunity", deal())
    window = {"start": "2026-11-22T00:00:00Z", "end": "2026-11-23T12:00:00Z"}
    assert len(api.get("/sobjects/Opportunity/deleted", **window)["deletedRecords"]) == 1
    sandbox.org.purge_deleted()
    answer = api.get("/sobjects/Opportunity/deleted", **window)
    assert (answer["deletedRecords"], answer["earliestDateAvailable"]) == ([], "2026-11-23T09:00:00.000+0000")


def test_an_organisation_with_one_currency_has_no_field_for_it(api):
    assert api.query("SELECT CurrencyIsoCode FROM Opportunity")[0]["errorCode"] == "INVALID_FIELD"
    assert api.query("SELECT IsoCode FROM CurrencyType")[0]["errorCode"] == "INVALID_TYPE"


def test_with_several_currencies_each_amount_has_its_own(several_currencies):
    org = several_currencies.org
    assert {row["CurrencyIsoCode"] for row in org.query("SELECT CurrencyIsoCode FROM Opportunity")} == {
        "EUR",
        "GBP",
        "USD",
    }
    active = org.query("SELECT IsoCode, ConversionRate, IsCorporate FROM CurrencyType WHERE IsActive = true")
    assert {row["IsoCode"]: row["ConversionRate"] for row in active} == {"EUR": 1, "GBP": 0.86, "USD": 1.09}
    soql = "SELECT ConversionRate FROM DatedConversionRate WHERE IsoCode = 'USD' AND StartDate <= TODAY"
    assert [row["ConversionRate"] for row in org.query(soql + " AND NextStartDate > TODAY")] == [1.09]


def test_several_currencies_survive_a_save(several_currencies, tmp_path):
    several_currencies.save(tmp_path / "org.db")
    with SalesforceSandbox(state=tmp_path / "org.db", now=NOW) as again:
        soql = "SELECT CurrencyIsoCode FROM Opportunity"
        assert again.org.query(soql) == several_currencies.org.query(soql)
