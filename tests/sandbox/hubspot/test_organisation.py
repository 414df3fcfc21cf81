"""The generated account: the same organisation as Salesforce's, told in HubSpot's terms."""

from collections import Counter

import pytest

from pipelint.sandbox.illnesses import ILLNESSES
from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.client import NOW


@pytest.fixture(scope="session")
def twin():
    """The same organisation in the other CRM; nothing is asked over the network."""
    return SalesforceSandbox(now=NOW)


@pytest.fixture(scope="session")
def deals(generated):
    """Every deal with all its properties, in the order they were made."""
    return [generated.portal.get("deals", it) for it in generated.portal.ids("deals")]


def test_every_illness_occurs_and_strikes_the_same_deals(generated, twin):
    assert set(generated.illnesses) == {*ILLNESSES, "healthy"}
    names = {it["Id"]: it["Name"] for it in twin.org.query("SELECT Id, Name FROM Opportunity")}
    for illness, ids in generated.illnesses.items():
        ours = [generated.portal.get("deals", it)["dealname"] for it in ids]
        assert ours == [names[it] for it in twin.illnesses[illness]]


def test_the_deals_are_those_of_the_other_crm(deals, generated, twin):
    labels = {
        it.id: it.label
        for pipeline in next(iter(generated.portal.pipelines.values()))
        for it in pipeline.stages
    }
    theirs = twin.org.query(
        "SELECT Name, StageName, Amount, CloseDate, NextStep, Need__c, Budget__c, Next_Step_Date__c,"
        " Loss_Reason__c, IsClosed, IsWon, CreatedDate, LastActivityDate FROM Opportunity ORDER BY Id"
    )
    for ours, other in zip(deals, theirs, strict=True):
        assert ours["dealname"] == other["Name"]
        assert labels[ours["dealstage"]] == other["StageName"]
        assert (None if ours["amount"] is None else float(ours["amount"])) == other["Amount"]
        assert ours["closedate"][:10] == other["CloseDate"]
        assert (ours["hs_next_step"], ours["need"]) == (other["NextStep"], other["Need__c"])
        assert (ours["budget"], ours["next_step_date"]) == (other["Budget__c"], other["Next_Step_Date__c"])
        assert ours["closed_lost_reason"] == other["Loss_Reason__c"]
        assert ours["createdate"][:19] == other["CreatedDate"][:19]
        assert (ours["hs_is_closed"] == "true", ours["hs_is_closed_won"] == "true") == (
            other["IsClosed"],
            other["IsWon"],
        )
        assert (ours["notes_last_updated"] or "")[:10] == (other["LastActivityDate"] or "")


def test_contacts_and_their_parts_are_the_same(generated, reader, twin):
    roles = Counter(it["Role"] for it in twin.org.query("SELECT Role FROM OpportunityContactRole"))
    body = {"inputs": [{"id": it} for it in generated.portal.ids("deals")]}
    answer = reader.post("/crm/v4/associations/deals/contacts/batch/read", body)
    links = [link for it in answer["results"] for link in it["to"]]
    labels = Counter(it["label"] for link in links for it in link["associationTypes"] if it["label"])
    assert {name.lower(): count for name, count in labels.items()} == {
        name.lower(): count for name, count in roles.items()
    }
    without = twin.org.query(
        "SELECT Id FROM Opportunity WHERE Id NOT IN (SELECT OpportunityId FROM OpportunityContactRole)"
    )
    assert answer["numErrors"] == len(without) > 0


def test_histories_begin_with_the_deal_and_end_where_it_stands(generated, reader):
    asked = "dealstage,closedate,amount,hs_next_step"
    for page in (0, 1, 2):
        after = generated.portal.ids("deals")[page * 40]
        answer = reader.get(
            "/crm/v3/objects/deals", limit=40, after=after, properties=asked, propertiesWithHistory=asked
        )
        for it in answer["results"]:
            for name, versions in it["propertiesWithHistory"].items():
                if versions:
                    assert versions[0]["value"] == (it["properties"][name] or "")
                    stamps = [version["timestamp"] for version in versions]
                    assert stamps == sorted(stamps, reverse=True)
            stages = it["propertiesWithHistory"]["dealstage"]
            assert stages[-1]["timestamp"] == it["createdAt"]


def test_a_stage_that_was_put_away_still_has_a_deal(deals, generated):
    assert {it["dealstage"] for it in deals} & {"186012378", "186012407"}


def test_older_closed_deals_share_one_stamp(deals):
    stamps = Counter(it["hs_lastmodifieddate"] for it in deals if it["hs_is_closed"] == "true")
    assert stamps.most_common(1)[0][1] > 10


def test_leads_are_contacts_and_records_of_their_own(generated, twin):
    count = len(twin.org.query("SELECT Id FROM Lead"))
    leads = [generated.portal.get("leads", it) for it in generated.portal.ids("leads")]
    assert len(leads) == count
    assert {it["hs_pipeline_stage"] for it in leads} >= {"new-stage-id", "attempting-stage-id"}
    contacts = [generated.portal.get("contacts", it) for it in generated.portal.ids("contacts")]
    assert sum(it["hs_lead_status"] is not None for it in contacts) == count


def test_the_banner_says_how_to_point_a_project_at_it(sandbox):
    banner = sandbox.banner()
    assert "crm: hubspot" in banner
    assert f"base_url: {sandbox.base_url}" in banner
    assert f"export HUBSPOT_TOKEN={sandbox.token()}" in banner
