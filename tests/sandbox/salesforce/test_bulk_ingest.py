"""Bulk API 2.0 ingest: create, upload, close, and what became of each row."""

import csv
import io
from typing import Any

import pytest
import requests

from pipelint.sandbox.salesforce import bulk_ingest, bulk_load
from tests.sandbox.salesforce.conftest import Api


def start(api: Api, operation: str = "update", sobject: str = "Opportunity", **options: str) -> str:
    return str(api.post("/jobs/ingest", {"operation": operation, "object": sobject, **options})["id"])


def upload(api: Api, job: str, text: str) -> None:
    content = {"Content-Type": "text/csv; charset=UTF-8"}
    api.call("PUT", f"/jobs/ingest/{job}/batches", data=text.encode(), headers=content)
    assert api.status == 201


def close(api: Api, job: str) -> Any:
    assert api.patch(f"/jobs/ingest/{job}", {"state": "UploadComplete"})["state"] == "UploadComplete"
    while (info := api.get(f"/jobs/ingest/{job}"))["state"] in {"UploadComplete", "InProgress"}:
        pass
    return info


def load(api: Api, text: str, operation: str = "update", sobject: str = "Opportunity", **options: str) -> str:
    job = start(api, operation, sobject, **options)
    upload(api, job, text)
    close(api, job)
    return job


def results(api: Api, job: str, which: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(api.get(f"/jobs/ingest/{job}/{which}"), newline="")))


def value(sandbox, record: str, field: str) -> object:
    return sandbox.org.query(f"SELECT {field} FROM Opportunity WHERE Id = '{record}'")[0][field]


def test_a_job_opens_takes_data_and_works_when_it_is_closed(sandbox, api, deal):
    record = deal(NextStep="Old")
    made = api.post("/jobs/ingest", {"operation": "update", "object": "opportunity"})
    assert (made["state"], made["object"], made["lineEnding"]) == ("Open", "Opportunity", "LF")
    assert made["contentUrl"] == f"services/data/v68.0/jobs/ingest/{made['id']}/batches"
    upload(api, made["id"], f"Id,NextStep\n{record},New\n")
    assert value(sandbox, record, "NextStep") == "Old"
    info = close(api, made["id"])
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (
        "JobComplete",
        1,
        0,
    )
    assert value(sandbox, record, "NextStep") == "New"


def test_an_empty_cell_leaves_a_value_and_na_clears_it(sandbox, api, deal):
    kept, cleared = deal(NextStep="Call"), deal(NextStep="Call")
    load(api, f"Id,NextStep\n{kept},\n{cleared},#N/A\n")
    assert [value(sandbox, it, "NextStep") for it in (kept, cleared)] == ["Call", None]


def test_each_row_has_an_outcome_and_a_job_with_failures_is_complete(sandbox, api, deal):
    good, bad = deal(), deal()
    sandbox.faults.add("FIELD_CUSTOM_VALIDATION_EXCEPTION", record=bad, message="Not like this.")
    job = load(api, f'Id,NextStep\n{good},"two\nlines, ""quoted"""\n{bad},x\n')
    info = api.get(f"/jobs/ingest/{job}")
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (
        "JobComplete",
        2,
        1,
    )
    [done] = results(api, job, "successfulResults")
    assert done == {"sf__Id": good, "sf__Created": "false", "Id": good, "NextStep": 'two\nlines, "quoted"'}
    [refused] = results(api, job, "failedResults")
    assert refused["sf__Error"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION:Not like this.: --"
    assert (refused["sf__Id"], refused["Id"]) == ("", bad)
    assert results(api, job, "unprocessedrecords") == []


@pytest.mark.parametrize(
    ("column", "cell", "error"),
    [
        ("Amount", "many", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("NextStep", "x" * 256, "STRING_TOO_LONG"),
        ("IsWon", "true", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("StageName", "#N/A", "REQUIRED_FIELD_MISSING"),
    ],
)
def test_a_bad_value_refuses_its_row_alone(sandbox, api, deal, column, cell, error):
    good, bad = deal(), deal()
    job = load(api, f"Id,{column}\n{good},\n{bad},{cell}\n")
    assert [row["Id"] for row in results(api, job, "successfulResults")] == [good]
    [refused] = results(api, job, "failedResults")
    assert refused["sf__Error"].startswith(f"{error}:")
    assert refused["sf__Error"].endswith(f":{column} --")


def test_an_unknown_column_fails_the_whole_job(sandbox, api, deal):
    record = deal(NextStep="Old")
    job = load(api, f"Id,NextStep,Nothing__c\n{record},New,x\n")
    info = api.get(f"/jobs/ingest/{job}")
    assert (info["state"], info["errorMessage"]) == (
        "Failed",
        "InvalidBatch : Field name not found : Nothing__c",
    )
    assert value(sandbox, record, "NextStep") == "Old"
    assert len(results(api, job, "unprocessedrecords")) == 1


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("Id,NextStep\r\n{},x\r\n", {}, "LineEnding is invalid"),
        ("Id,NextStep\n{},x\n", {"lineEnding": "CRLF"}, "LineEnding is invalid"),
        ("Id,NextStep\n{},x\n", {"columnDelimiter": "SEMICOLON"}, "Field name not found : Id,NextStep"),
        ("Id,NextStep\n{},x,y\n", {}, "Failed to parse CSV"),
        ("NextStep\nx\n", {}, "Field name not found : Id"),
        ("", {}, "no data"),
    ],
)
def test_data_in_another_form_than_announced_fails_the_job(api, deal, text, options, message):
    job = load(api, text.replace("{}", deal()), **options)
    info = api.get(f"/jobs/ingest/{job}")
    assert info["state"] == "Failed"
    assert message in info["errorMessage"]


def test_other_delimiters_and_line_endings_are_read_as_announced(sandbox, api, deal):
    record = deal()
    load(api, f"Id;NextStep\r\n{record};a,b\r\n", columnDelimiter="SEMICOLON", lineEnding="CRLF")
    assert value(sandbox, record, "NextStep") == "a,b"


def test_records_are_inserted_upserted_and_deleted(sandbox, api):
    job = load(api, "Name\nAcme\n", "insert", "Account")
    [done] = results(api, job, "successfulResults")
    assert done["sf__Created"] == "true"
    load(api, f"Id,Phone\n{done['sf__Id']},123\n", "upsert", "Account", externalIdFieldName="Id")
    assert sandbox.org.query("SELECT Name, Phone FROM Account")[0]["Phone"] == "123"
    load(api, f"Id\n{done['sf__Id']}\n", "delete", "Account")
    assert sandbox.org.query("SELECT Name FROM Account") == []


def test_batches_side_by_side_lock_each_others_accounts(sandbox, api, deal, monkeypatch):
    monkeypatch.setattr(bulk_load, "BATCH", 2)
    account = sandbox.org.create("Account", {"Name": "Acme"})
    ids = [deal(AccountId=account) for _ in range(3)]
    job = load(api, "Id,NextStep\n" + "".join(f"{it},x\n" for it in ids))
    [refused] = results(api, job, "failedResults")
    assert refused["Id"] == ids[2]
    assert refused["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:")


def test_data_is_taken_once_and_not_after_closing(api, deal):
    job = start(api)
    upload(api, job, f"Id,NextStep\n{deal()},x\n")
    path, content = f"/jobs/ingest/{job}/batches", {"Content-Type": "text/csv"}
    answer = api.call("PUT", path, data=b"Id\n", headers=content)
    assert "Found multiple contents" in answer[0]["message"]
    close(api, job)
    assert api.call("PUT", path, data=b"Id\n", headers=content)[0]["errorCode"] == "INVALIDJOBSTATE"
    assert api.patch(f"/jobs/ingest/{job}", {"state": "UploadComplete"})[0]["errorCode"] == "INVALIDJOBSTATE"


def test_an_upload_must_be_csv_and_not_too_large(api, monkeypatch):
    job = start(api)
    path = f"/jobs/ingest/{job}/batches"
    api.call("PUT", path, data=b"{}", headers={"Content-Type": "application/json"})
    assert api.status == 415
    monkeypatch.setattr(bulk_ingest, "MAX_BYTES", 10)
    api.call("PUT", path, data=b"Id,NextStep\n", headers={"Content-Type": "text/csv"})
    assert api.status == 413


def test_an_open_job_that_is_aborted_does_nothing(sandbox, api, deal):
    record = deal(NextStep="Old")
    job = start(api)
    upload(api, job, f"Id,NextStep\n{record},New\n")
    assert api.patch(f"/jobs/ingest/{job}", {"state": "Aborted"})["state"] == "Aborted"
    assert value(sandbox, record, "NextStep") == "Old"
    api.call("DELETE", f"/jobs/ingest/{job}")
    assert api.status == 204
    assert api.get("/jobs/ingest")["records"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "update", "object": "Nothing"}, "INVALIDENTITY"),
        ({"operation": "update", "object": "OpportunityHistory"}, "INVALIDENTITY"),
        ({"operation": "mend", "object": "Opportunity"}, "INVALIDJOB"),
        ({"operation": "upsert", "object": "Opportunity"}, "INVALIDJOB"),
        ({"operation": "update", "object": "Opportunity", "lineEnding": "CR"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_cannot_be_is_refused(api, body, code):
    assert api.post("/jobs/ingest", body)[0]["errorCode"] == code


def test_the_batches_of_a_day_are_limited(sandbox, api, deal):
    sandbox.org.jobs.batches = 1
    load(api, f"Id,NextStep\n{deal()},x\n")
    assert api.get("/limits")["DailyBulkApiBatches"] == {"Max": 1, "Remaining": 0}
    job = load(api, f"Id,NextStep\n{deal()},x\n")
    assert "Limit exceeded" in api.get(f"/jobs/ingest/{job}")["errorMessage"]


def test_an_answer_to_an_upload_can_be_lost(sandbox, api, deal):
    job = start(api)
    sandbox.faults.add("drop_after", method="PUT", path="/batches")
    with pytest.raises(requests.RequestException):
        upload(api, job, f"Id,NextStep\n{deal()},x\n")
    assert api.get(f"/jobs/ingest/{job}")["state"] == "Open"
    assert close(api, job)["numberRecordsProcessed"] == 1
