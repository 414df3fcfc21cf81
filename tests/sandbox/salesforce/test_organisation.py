"""The generated organisation: always the same, plausible, healthy in part and ill in every way."""

import statistics
from collections.abc import Iterator

import pytest

from pipelint.sandbox.illnesses import ILLNESSES
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.store import Row
from tests.sandbox.client import NOW

OPEN = "IsClosed = false AND "
LATE = "StageName IN ('Proposal/Price Quote', 'Negotiation/Review') AND "

EVIDENCE = {
    "close-date-past": OPEN + "CloseDate < TODAY",
    "close-date-too-far": OPEN + "CloseDate > NEXT_N_DAYS:365",
    "close-too-soon-for-stage": OPEN + "CloseDate = NEXT_N_DAYS:8",
    "pushed-repeatedly": OPEN + "PushCount >= 2",
    "next-step-missing": OPEN + "NextStep = null AND HasOpenActivity = false",
    "next-step-undated": OPEN + "NextStep != null AND Next_Step_Date__c = null AND HasOpenActivity = false",
    "next-step-overdue": OPEN + "Next_Step_Date__c < TODAY",
    "next-step-vague": OPEN
    + "NextStep IN ('à rappeler', 'relancer', 'suivi', 'n/a', 'tbd', 'follow up', 'call',"
    " 'nachfassen', 'melden', 'offen')",
    "next-step-stale": OPEN + "Id IN (SELECT OpportunityId FROM OpportunityFieldHistory"
    " WHERE Field = 'NextStep' AND CreatedDate < N_DAYS_AGO:30)",
    "no-activity": OPEN + "LastActivityDate < N_DAYS_AGO:31",
    "buyer-silent": OPEN + "Id NOT IN (SELECT WhatId FROM Event WHERE StartDateTime = LAST_N_DAYS:20)",
    "activity-without-progress": OPEN
    + "LastStageChangeDate < N_DAYS_AGO:45 AND LastActivityDate = LAST_N_DAYS:5",
    "stage-required": OPEN
    + "(Decision_Makers__c = null OR Budget__c = null OR Deadline__c = null OR Risk__c = null)",
    "thin-evidence": OPEN + "Budget__c IN ('à compléter', 'n/a', '.', 'test', 'tbc', 'offen', '-')",
    "stage-entry-unmet": OPEN + LATE + "Budget__c = null AND Decision_Makers__c = null",
    "stage-age-limit": OPEN + "LastStageChangeDate < N_DAYS_AGO:35",
    "zombie": OPEN + "CreatedDate < N_DAYS_AGO:225 AND LastActivityDate < N_DAYS_AGO:100",
    "created-late": OPEN + LATE + "LastStageChangeDate = null",
    "unknown-value": "StageName = 'Verbal Agreement'",
    "amount-missing": OPEN + "(Amount = null OR Amount = 0)",
    "amount-placeholder": OPEN + "Amount IN (1, 100, 999)",
    "amount-outlier": OPEN + "Amount > 800000",
    "amount-dropped": "Id IN (SELECT OpportunityId FROM OpportunityFieldHistory WHERE Field = 'Amount')",
    "no-contact": "Id NOT IN (SELECT OpportunityId FROM OpportunityContactRole)",
    "no-decision-maker": OPEN + "Id NOT IN (SELECT OpportunityId FROM OpportunityContactRole"
    " WHERE Role IN ('Decision Maker', 'Economic Buyer'))",
    "no-champion": OPEN
    + "Id NOT IN (SELECT OpportunityId FROM OpportunityContactRole WHERE Role = 'Champion')",
    "orphan-deal": OPEN + "Owner.IsActive = false",
    "no-account": OPEN + "AccountId = null",
    "commit-too-early": OPEN
    + "ForecastCategoryName = 'Commit' AND StageName IN ('Prospecting', 'Qualification')",
    "commit-silent": OPEN + "ForecastCategoryName = 'Commit' AND LastActivityDate < N_DAYS_AGO:30",
    "probability-overridden": OPEN + "Probability = 80 AND StageName IN ('Prospecting', 'Qualification')",
    "won-without-amount": "IsWon = true AND Amount = null",
    "won-without-contact": "IsWon = true AND Id NOT IN (SELECT OpportunityId FROM OpportunityContactRole)",
    "loss-reason-missing": "StageName = 'Closed Lost' AND Loss_Reason__c = null",
}
HEALTHY_HAVE_NOT = sorted(set(EVIDENCE) - {"stage-required", "next-step-stale", "buyer-silent"})
"""The others are what healthy young deals may have too: nothing documented yet, no meeting yet."""


def where(sandbox: SalesforceSandbox, condition: str) -> set[object]:
    return {it["Id"] for it in sandbox.org.query(f"SELECT Id FROM Opportunity WHERE {condition}")}


def test_every_illness_occurs(generated):
    assert set(generated.illnesses) == {*ILLNESSES, "healthy"}
    assert all(generated.illnesses.values())


@pytest.mark.parametrize("illness", EVIDENCE)
def test_an_ill_deal_shows_its_illness(generated, illness):
    ill = set(generated.illnesses[illness])
    assert ill <= where(generated, EVIDENCE[illness])


@pytest.mark.parametrize("illness", HEALTHY_HAVE_NOT)
def test_a_healthy_deal_has_no_illness(generated, illness):
    healthy = set(generated.illnesses["healthy"])
    assert not healthy & where(generated, EVIDENCE[illness])


def history(sandbox: SalesforceSandbox, illness: str) -> Iterator[list[object]]:
    """The stages of each deal with this illness, in order."""
    for identity in sandbox.illnesses[illness]:
        soql = "SELECT StageName, CreatedDate FROM OpportunityHistory WHERE OpportunityId = '{}' ORDER BY CreatedDate"
        yield [it["StageName"] for it in sandbox.org.query(soql.format(identity))]


def test_stage_histories_tell_of_skips_returns_and_bounces(generated):
    assert all(len(set(stages)) <= 2 for stages in history(generated, "stage-skipped"))
    assert all(stages[-3] == stages[-1] for stages in history(generated, "stage-moved-back"))
    assert all(len(stages) >= 5 for stages in history(generated, "stage-bounce"))


def test_duplicates_come_in_pairs_on_one_account(generated):
    ill = generated.illnesses["duplicate-open-opportunities"]
    listed = ", ".join(f"'{it}'" for it in ill)
    accounts = [
        it["AccountId"]
        for it in generated.org.query(f"SELECT AccountId FROM Opportunity WHERE Id IN ({listed})")
    ]
    assert len(accounts) > len(set(accounts))


def test_single_threaded_deals_have_one_contact(generated):
    for identity in generated.illnesses["single-threaded"]:
        roles = generated.org.query(
            f"SELECT Id FROM OpportunityContactRole WHERE OpportunityId = '{identity}'"
        )
        assert len(roles) == 1


def test_the_mix_is_that_of_a_real_pipeline(generated):
    deals = generated.org.query("SELECT Amount, IsClosed, IsWon, RecordType.DeveloperName FROM Opportunity")
    assert len(deals) == 120
    assert 0.35 <= len(generated.illnesses["healthy"]) / 120 <= 0.5
    assert sum(it["IsWon"] for it in deals) >= 20  # enough for medians of won deals
    assert {it["RecordType"]["DeveloperName"] for it in deals} == {"New_Business", "Renewal"}
    amounts = [it["Amount"] for it in deals if (it["Amount"] or 0) > 1000]
    assert 5_000 <= min(amounts) < 30_000 < statistics.median(amounts) < 80_000 < max(amounts) <= 900_000


def test_one_deal_stands_out(generated):
    found = where(
        generated,
        OPEN + LATE + "CloseDate < N_DAYS_AGO:30 AND Amount > 500000 AND LastActivityDate < N_DAYS_AGO:30",
    )
    assert len(found) == 1


def test_histories_end_where_the_deal_stands(generated):
    soql = """
        SELECT StageName, Amount, CloseDate, CreatedDate,
            (SELECT StageName, Amount, CloseDate FROM OpportunityHistories ORDER BY CreatedDate DESC LIMIT 1),
            (SELECT CreatedDate FROM Histories ORDER BY CreatedDate LIMIT 1)
        FROM Opportunity"""
    for deal in generated.org.query(soql):
        last = deal["OpportunityHistories"]["records"][0]
        assert [last[it] for it in ("StageName", "Amount", "CloseDate")] == [
            deal[it] for it in ("StageName", "Amount", "CloseDate")
        ]
        if deal["Histories"]:
            assert deal["Histories"]["records"][0]["CreatedDate"] >= deal["CreatedDate"]


DONE = [("Task", "IsClosed = true"), ("Event", "EndDateTime < 2026-11-23T09:00:00Z")]


@pytest.mark.parametrize(("sobject", "done"), DONE)
def test_nothing_done_lies_in_the_future(generated, sobject, done):
    assert not generated.org.query(f"SELECT Id FROM {sobject} WHERE {done} AND ActivityDate > TODAY")


def test_addresses_are_nobodys(generated):
    for sobject in ("Contact", "Lead", "User"):
        emails = [it["Email"] for it in generated.org.query(f"SELECT Email FROM {sobject}")]
        assert all(it.endswith(".example") and it.isascii() for it in emails)


def test_many_deals_share_a_stamp(generated):
    groups = generated.org.query(
        "SELECT SystemModstamp, COUNT(Id) n FROM Opportunity GROUP BY SystemModstamp"
    )
    assert max(it["n"] for it in groups) > 20


def content(sandbox: SalesforceSandbox) -> dict[str, list[Row]]:
    return {it.name: sandbox.org.store.find_all(it) for it in sandbox.org.store.schema}


def test_the_same_seed_and_moment_give_the_same_organisation():
    first, again = (content(SalesforceSandbox(size=40, seed=3, now=NOW)) for _ in range(2))
    assert first == again
    assert content(SalesforceSandbox(size=40, seed=4, now=NOW)) != first


@pytest.mark.parametrize("size", [0, 1, 2, 10, 1200])
def test_any_size_will_do(size):
    sandbox = SalesforceSandbox(size=size, now=NOW)
    assert len(sandbox.org.query("SELECT Id FROM Opportunity")) == size


def test_the_banner_says_where_and_how(sandbox):
    banner = sandbox.banner()
    assert sandbox.base_url in banner
    assert "sandbox-client" in banner
    assert "crm: salesforce" in banner
