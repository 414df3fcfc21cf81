"""Scripted faults in HubSpot's own forms, and the controls that change an account from outside."""

from typing import Any

import pytest
import requests

from pipelint.sandbox.hubspot import HubSpotSandbox

DEALS = "/crm/v3/objects/deals"


@pytest.mark.parametrize(
    ("effect", "details", "expected"),
    [
        ("drop", {}, ["dropped", 200]),
        ("drop_after", {}, ["dropped", 200]),
        ("truncate", {}, ["dropped", 200]),
        ("malformed", {}, ["dropped", 200]),  # the client finds no JSON
        ("html", {"status": 502}, [502, 200]),
        ("html", {"status": 521, "times": 2}, [521, 521, 200]),
        ("EXPIRED_AUTHENTICATION", {}, [401, 200]),
        ("LOCKED", {}, [423, 200]),
        ("MIGRATION", {"retry_after": 3600}, [477, 200]),
        ("TEN_SECONDLY_ROLLING", {"nth": 2}, [200, 429]),
        ("DAILY", {"times": 0}, [429, 429]),
        ("INTERNAL_ERROR", {"status": 504}, [504, 200]),
    ],
)
def test_a_fault_strikes_the_requests_it_is_meant_for(sandbox, api, effect, details, expected):
    sandbox.faults.add(effect, **details)
    assert api.statuses(DEALS, len(expected)) == expected


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("TEN_SECONDLY_ROLLING", {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}),
        ("DAILY", {"errorType": "RATE_LIMIT", "policyName": "DAILY"}),
        ("SECONDLY", {"category": "RATE_LIMITS", "message": "You have reached your secondly limit."}),
        ("EXPIRED_AUTHENTICATION", {"category": "EXPIRED_AUTHENTICATION"}),
    ],
)
def test_a_native_error_has_the_native_body(sandbox, api, code, told):
    sandbox.faults.add(code)
    answer = api.get(DEALS)
    assert {name: answer.get(name) for name in told} == told
    assert answer["correlationId"]


def test_a_fault_can_tell_when_to_come_back(sandbox, api):
    sandbox.faults.add("MIGRATION", retry_after=3600)
    api.get(DEALS)
    assert api.headers["Retry-After"] == "3600"


def test_one_record_of_a_batch_is_refused(sandbox, api, deal):
    free, locked = deal(), deal()
    sandbox.faults.add("LOCKED", record=locked, message="locked")
    first = api.update((free, {"amount": "5"}), (locked, {"amount": "5"}))
    assert api.status == 207
    assert [it["id"] for it in first["results"]] == [free]
    assert first["errors"][0]["context"] == {"ids": [locked]}
    api.update((locked, {"amount": "5"}))
    assert api.status == 200


def test_one_record_is_missing_from_the_answer_to_a_batch_that_reads(sandbox, api, deal):
    told, untold = deal(), deal()
    sandbox.faults.add("INTERNAL_ERROR", record=untold, path="deals/batch/read", message="not now")
    inputs = {"inputs": [{"id": told}, {"id": untold}]}
    first = api.post(f"{DEALS}/batch/read", inputs)
    assert api.status == 207
    assert [it["id"] for it in first["results"]] == [told]
    assert [(it["category"], it["context"]) for it in first["errors"]] == [
        ("INTERNAL_ERROR", {"ids": [untold]})
    ]
    assert len(api.post(f"{DEALS}/batch/read", inputs)["results"]) == 2


def control(sandbox: HubSpotSandbox, name: str, **document: Any) -> Any:
    return requests.post(f"{sandbox.base_url}/_sandbox/{name}", json=document, timeout=5).json()


def test_an_account_can_be_changed_from_outside(sandbox, api):
    deal = control(sandbox, "change", type="deals", properties={"dealname": "Outside"})["id"]
    control(sandbox, "change", type="deals", id=deal, properties={"amount": "5"}, source="IMPORT")
    history = api.get(f"{DEALS}/{deal}", propertiesWithHistory="amount")["propertiesWithHistory"]
    assert history["amount"][0]["sourceType"] == "IMPORT"
    other = control(sandbox, "change", type="deals", properties={"dealname": "Other"})["id"]
    merged = control(sandbox, "merge", type="deals", primary=deal, other=other)["id"]
    assert api.get(f"{DEALS}/{deal}")["id"] == merged
    for how in ("archive", "restore", "purge"):
        control(sandbox, "remove", how=how, type="deals", id=merged)
    assert sandbox.portal.ids("deals") == []
    assert control(sandbox, "ties", count=30)["created"] == 30
    stamps = {it["updatedAt"] for it in api.get(DEALS, limit=100)["results"]}
    assert len(stamps) == 1


def test_limits_and_lag_can_be_set_from_outside(sandbox, api):
    assert control(sandbox, "limits", per_day=1)["per_day"] == 1
    assert api.statuses(DEALS, 2) == [200, 429]
    assert control(sandbox, "limits", per_day=0)["per_day"] == 0
    assert control(sandbox, "index-lag", seconds=5)["seconds"] == 5
    control(sandbox, "change", type="deals", properties={"dealname": "New"})
    assert api.search()["total"] == 0
    assert control(sandbox, "limits", per_week=1)["error"]
    assert control(sandbox, "change", type="dragons", properties={})["error"]


def test_the_request_log_tells_what_came(sandbox, api):
    api.statuses(DEALS, 2)
    assert [(it.method, it.path, it.status) for it in sandbox.requests] == [("GET", DEALS, 200)] * 2
