"""Scripted faults, from Python and over HTTP, and the log of requests."""

import pytest
import requests

PATH = "/limits"


@pytest.mark.parametrize(
    ("effect", "details", "expected"),
    [
        ("respond", {"status": 502, "body": "[]"}, [502, 200]),
        ("html", {}, [503, 200]),
        ("drop", {}, ["dropped", 200]),
        ("drop_after", {}, ["dropped", 200]),
        ("truncate", {}, ["dropped", 200]),
        ("malformed", {}, ["dropped", 200]),  # the client finds no JSON
        ("delay", {"seconds": 0}, [200, 200]),
        ("late", {"seconds": 0}, [200, 200]),
        ("INVALID_SESSION_ID", {}, [401, 200]),
        ("REQUEST_LIMIT_EXCEEDED", {"times": 0}, [403, 403, 403]),
        ("UNKNOWN_EXCEPTION", {}, [500, 200]),
        ("SERVER_UNAVAILABLE", {"times": 2}, [503, 503, 200]),
        ("SERVER_UNAVAILABLE", {"nth": 2}, [200, 503, 200]),
        ("SERVER_UNAVAILABLE", {"path": r"/query"}, [200, 200]),
        ("SERVER_UNAVAILABLE", {"method": "PATCH"}, [200, 200]),
        ("error", {"code": "QUERY_TIMEOUT", "status": 400}, [400, 200]),
    ],
)
def test_a_fault_strikes_the_requests_it_is_meant_for(sandbox, api, effect, details, expected):
    sandbox.faults.add(effect, **details)
    assert api.statuses(PATH, len(expected)) == expected


def test_a_native_error_has_the_native_body(sandbox, api):
    sandbox.faults.add("REQUEST_LIMIT_EXCEEDED")
    assert api.get(PATH) == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]


@pytest.mark.parametrize(("effect", "done"), [("drop", False), ("drop_after", True), ("truncate", True)])
def test_work_is_done_before_or_after_the_connection_breaks(sandbox, api, deal, effect, done):
    identity = deal()
    sandbox.faults.add(effect, method="PATCH", path="/composite/sobjects")
    with pytest.raises(requests.exceptions.RequestException):
        api.update({"id": identity, "NextStep": "written"})
    assert (api.get(f"/sobjects/Opportunity/{identity}")["NextStep"] == "written") is done


def test_one_record_of_a_collection_is_locked_once(sandbox, api, deal):
    free, locked = deal("Free"), deal("Locked")
    sandbox.faults.add("UNABLE_TO_LOCK_ROW", record=locked[:15])
    rows = [{"id": free, "NextStep": "x"}, {"id": locked, "NextStep": "x"}]
    first, second = api.update(*rows), api.update(*rows)
    assert [it["success"] for it in first] == [True, False]
    assert first[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert [it["success"] for it in second] == [True, True]


def test_one_record_is_refused_for_ever_with_words_of_ones_own(sandbox, api, deal):
    identity = deal()
    sandbox.faults.add(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", record=identity, message="Not on a Sunday", times=0
    )
    for _ in range(3):
        [outcome] = api.update({"id": identity, "NextStep": "x"})
        assert outcome["errors"][0]["message"] == "Not on a Sunday"


def test_faults_can_be_scripted_and_cleared_over_http(sandbox, api):
    url = f"{sandbox.base_url}/_sandbox/faults"
    answer = requests.post(url, json=[{"effect": "SERVER_UNAVAILABLE", "times": 0}], timeout=5)
    assert answer.json()["script"][0]["code"] == "SERVER_UNAVAILABLE"
    assert api.statuses(PATH, 1) == [503]
    assert requests.get(url, timeout=5).json()["script"][0]["seen"] == 1
    requests.delete(url, timeout=5)
    assert api.statuses(PATH, 1) == [200]


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"effect": "explode"},
        {"effect": "drop", "when": "now"},
        {"effect": "error"},
        {"effect": "drop", "path": "("},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox, fault):
    answer = requests.post(f"{sandbox.base_url}/_sandbox/faults", json=fault, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_requests_are_logged_with_what_became_of_them(sandbox, api):
    sandbox.faults.add("drop", nth=2)
    api.statuses(PATH, 2)
    log = requests.get(f"{sandbox.base_url}/_sandbox/requests", timeout=5).json()
    assert log["count"] == 2
    assert [(it["method"], it["path"][-7:], it["status"]) for it in log["requests"]] == [
        ("GET", "/limits", 200),
        ("GET", "/limits", 0),
    ]
    assert [it.status for it in sandbox.requests] == [200, 0]
    requests.delete(f"{sandbox.base_url}/_sandbox/requests", timeout=5)
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("document", "status", "now"),
    [
        ({"now": "2027-01-01T00:00:00Z"}, 200, "2027-01-01T00:00:00+00:00"),
        ({"advance_seconds": 60}, 200, "2026-11-23T09:01:00+00:00"),
        ({"now": "2027-01-01T00:00:00"}, 400, "2026-11-23T09:00:00+00:00"),
        ({"then": "x"}, 400, "2026-11-23T09:00:00+00:00"),
    ],
)
def test_the_clock_can_be_set(sandbox, document, status, now):
    url = f"{sandbox.base_url}/_sandbox/clock"
    assert requests.post(url, json=document, timeout=5).status_code == status
    assert requests.get(url, timeout=5).json() == {"now": now}


def test_a_second_user_gets_a_token_over_http(sandbox):
    url = f"{sandbox.base_url}/_sandbox/token"
    answer = requests.post(url, json={"username": "manager@sandbox.example"}, timeout=5).json()
    assert answer == {
        "access_token": sandbox.token("manager@sandbox.example"),
        "instance_url": sandbox.base_url,
    }


def test_a_stopped_sandbox_is_unreachable_and_comes_back_where_it_was(sandbox, api):
    sandbox.stop()
    assert api.statuses(PATH, 1) == ["dropped"]
    sandbox.start()
    assert api.statuses(PATH, 1) == [200]


def test_a_taken_port_is_an_error_not_the_end_of_the_program(sandbox):
    from pipelint.sandbox.salesforce import SalesforceSandbox

    with pytest.raises(OSError, match="in use"):
        SalesforceSandbox(size=0, port=int(sandbox.base_url.rpartition(":")[2])).start()
