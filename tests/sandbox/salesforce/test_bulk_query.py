"""Bulk API 2.0 queries: jobs, their states, and results in sets of CSV."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import requests

from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.salesforce.conftest import Api


def start(api: Api, soql: str, operation: str = "query", **options: str) -> str:
    return str(api.post("/jobs/query", {"operation": operation, "query": soql, **options})["id"])


def finish(api: Api, job: str) -> Any:
    while (info := api.get(f"/jobs/query/{job}"))["state"] in {"UploadComplete", "InProgress"}:
        pass
    return info


def download(api: Api, job: str, size: int = 50_000, delimiter: str = ",") -> list[dict[str, str]]:
    """All sets of a job, by its locators."""
    rows: list[dict[str, str]] = []
    locator: dict[str, str] = {}
    while True:
        text = api.get(f"/jobs/query/{job}/results", maxRecords=str(size), **locator)
        found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert api.headers["Sforce-NumberOfRecords"] == str(len(found))
        rows += found
        if api.headers["Sforce-Locator"] == "null":
            return rows
        locator = {"locator": api.headers["Sforce-Locator"]}


def run(api: Api, soql: str, operation: str = "query") -> list[dict[str, str]]:
    job = start(api, soql, operation)
    assert finish(api, job)["state"] == "JobComplete"
    return download(api, job)


def test_a_job_waits_then_runs_then_is_done(api, deal):
    deal()
    made = api.post("/jobs/query", {"operation": "query", "query": "SELECT Id FROM Opportunity"})
    assert (made["state"], made["object"], made["apiVersion"]) == ("UploadComplete", "Opportunity", 68.0)
    assert made["id"].startswith("750")
    states = [api.get(f"/jobs/query/{made['id']}")["state"] for _ in range(3)]
    assert states == ["InProgress", "JobComplete", "JobComplete"]
    info = api.get(f"/jobs/query/{made['id']}")
    assert (info["numberRecordsProcessed"], info["jobType"]) == (1, "V2Query")


def test_results_come_in_sets_each_with_a_header_until_the_locator_is_null(api, deal):
    ids = {deal(f"Deal {n}") for n in range(7)}
    job = start(api, "SELECT Id, Name FROM Opportunity")
    finish(api, job)
    rows = download(api, job, size=3)
    assert {row["Id"] for row in rows} == ids
    assert len(rows) == 7


def test_a_set_can_be_had_again_and_is_as_it_was(sandbox, api, deal):
    record = deal("Before")
    job = start(api, "SELECT Name FROM Opportunity")
    finish(api, job)
    sandbox.org.update("Opportunity", record, {"Name": "After"})
    assert download(api, job) == download(api, job) == [{"Name": "Before"}]


def test_no_order_is_kept_but_the_one_that_is_asked_for(api, deal):
    names = [f"Deal {n}" for n in range(5)]
    for name in names:
        deal(name)
    assert [row["Name"] for row in run(api, "SELECT Name FROM Opportunity")] != names
    assert [row["Name"] for row in run(api, "SELECT Name FROM Opportunity ORDER BY Name")] == names


def test_cells_are_texts_in_the_form_of_bulk(api, deal):
    deal('A "b",\nc', Amount=1000.5, Description=" x\r\ny")
    soql = "SELECT Name, Amount, IsClosed, NextStep, CloseDate, CreatedDate, Account.Name FROM Opportunity"
    assert run(api, soql) == [
        {
            "Name": 'A "b",\nc',
            "Amount": "1000.5",
            "IsClosed": "false",
            "NextStep": "",
            "CloseDate": "2026-12-31",
            "CreatedDate": "2026-11-23T09:00:00.000Z",
            "Account.Name": "",
        }
    ]


def test_query_all_adds_what_was_deleted(sandbox, api, deal):
    sandbox.org.delete("Opportunity", deal())
    soql = "SELECT IsDeleted FROM Opportunity"
    assert run(api, soql) == []
    assert run(api, soql, "queryAll") == [{"IsDeleted": "true"}]


def test_columns_and_lines_end_as_asked(api, deal):
    record = deal("Deal")
    job = start(api, "SELECT Id, Name FROM Opportunity", columnDelimiter="CARET", lineEnding="CRLF")
    finish(api, job)
    assert api.get(f"/jobs/query/{job}/results") == f'"Id"^"Name"\r\n"{record}"^"Deal"\r\n'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "query", "query": "SELECT Nothing FROM Opportunity"}, "INVALID_FIELD"),
        ({"operation": "query", "query": "SELECT FROM"}, "MALFORMED_QUERY"),
        ({"operation": "query", "query": "SELECT Id FROM Nothing"}, "INVALID_TYPE"),
        ({"operation": "query", "query": "SELECT COUNT() FROM Opportunity"}, "FUNCTIONALITY_NOT_ENABLED"),
        ({"operation": "query", "query": "SELECT Id FROM Opportunity OFFSET 5"}, "FUNCTIONALITY_NOT_ENABLED"),
        (
            {"operation": "query", "query": "SELECT Id, (SELECT Id FROM Tasks) FROM Opportunity"},
            "FUNCTIONALITY_NOT_ENABLED",
        ),
        (
            {"operation": "query", "query": "SELECT FIELDS(ALL) FROM Opportunity LIMIT 5"},
            "FUNCTIONALITY_NOT_ENABLED",
        ),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "steal", "query": "SELECT Id FROM Opportunity"}, "INVALIDJOB"),
        (
            {"operation": "query", "query": "SELECT Id FROM Opportunity", "columnDelimiter": "DOT"},
            "INVALIDJOB",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(api, body, code):
    assert api.post("/jobs/query", body)[0]["errorCode"] == code
    assert api.status == 400


def test_a_job_that_is_not_done_has_no_results(api):
    job = start(api, "SELECT Id FROM Opportunity")
    assert api.get(f"/jobs/query/{job}/results")[0]["errorCode"] == "INVALIDJOBSTATE"
    assert api.call("DELETE", f"/jobs/query/{job}")[0]["errorCode"] == "INVALIDJOBSTATE"


@pytest.mark.parametrize("locator", ["nonsense!", "OTk5", "x"])
def test_an_unknown_locator_is_refused(api, locator):
    job = start(api, "SELECT Id FROM Opportunity")
    finish(api, job)
    answer = api.get(f"/jobs/query/{job}/results", locator=locator)
    assert (api.status, answer[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_a_job_is_aborted_or_deleted(api):
    job = start(api, "SELECT Id FROM Opportunity")
    assert api.patch(f"/jobs/query/{job}", {"state": "Aborted"})["state"] == "Aborted"
    assert api.get(f"/jobs/query/{job}")["state"] == "Aborted"
    assert api.patch(f"/jobs/query/{job}", {"state": "Aborted"})[0]["errorCode"] == "INVALIDJOBSTATE"
    api.call("DELETE", f"/jobs/query/{job}")
    assert api.status == 204
    api.get(f"/jobs/query/{job}")
    assert api.status == 404


def test_jobs_are_listed_the_newest_first(sandbox, api):
    first = start(api, "SELECT Id FROM Opportunity")
    sandbox.clock.advance(timedelta(seconds=1))
    second = start(api, "SELECT Id FROM Account")
    answer = api.get("/jobs/query")
    assert (answer["done"], [job["id"] for job in answer["records"]]) == (True, [second, first])


def test_a_job_belongs_to_its_api_version_and_lives_a_week(sandbox, api):
    job = start(api, "SELECT Id FROM Opportunity")
    api.get(f"/services/data/v67.0/jobs/query/{job}")
    assert api.status == 409
    sandbox.clock.advance(timedelta(days=7, seconds=1))
    Api(sandbox.base_url, sandbox.token()).get(f"/jobs/query/{job}")
    api = Api(sandbox.base_url, sandbox.token())
    api.get(f"/jobs/query/{job}")
    assert api.status == 404


def test_the_jobs_of_a_day_are_limited(sandbox: SalesforceSandbox, api):
    sandbox.org.jobs.query_jobs = 1
    start(api, "SELECT Id FROM Opportunity")
    assert api.get("/limits")["DailyBulkV2QueryJobs"] == {"Max": 1, "Remaining": 0}
    body = {"operation": "query", "query": "SELECT Id FROM Opportunity"}
    assert api.post("/jobs/query", body)[0]["errorCode"] == "LIMIT_EXCEEDED"


def test_a_download_that_is_cut_can_be_had_again(sandbox, api, deal):
    deal()
    job = start(api, "SELECT Id FROM Opportunity")
    finish(api, job)
    sandbox.faults.add("truncate", path="/results")
    with pytest.raises(requests.RequestException):
        api.get(f"/jobs/query/{job}/results")
    assert len(download(api, job)) == 1
