"""Bulk API 2.0 ingest jobs: opened, filled, closed, waited for, and asked what became of each row (fact sheet §6).

Nothing is done before a job is closed: until then, one whose answer was lost can be given up without harm.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from io import StringIO
from typing import Final

import msgspec
import requests

from pipelint.connectors.http import AnswerLost
from pipelint.connectors.salesforce.answers import Call, decoded
from pipelint.connectors.salesforce.bulk import FIRST_WAIT, LONGEST_WAIT, PATIENCE
from pipelint.connectors.salesforce.client import Client
from pipelint.errors import Busy, PipelintError

PATH: Final = "jobs/ingest"
TRIES: Final = 3


class Job(msgspec.Struct, rename="camel"):
    """A job, as the API describes it."""

    id: str
    state: str = ""
    operation: str = ""
    object: str = ""
    created_by_id: str = ""
    created_date: str = ""
    error_message: str | None = None


class Jobs(msgspec.Struct):
    """A page of all jobs, the newest first."""

    records: list[Job]


def filled(client: Client, sobject: str, data: bytes, name: str) -> str:
    """The id of an open job that holds these rows to update.

    Where the answer to the upload is lost, the job may hold them or not: it is given up for a new one.
    """
    for attempt in range(TRIES):
        job = _opened(client, sobject, name)
        upload = Call("PUT", f"{PATH}/{job}/batches", name, data=data, headers={"Content-Type": "text/csv"})
        try:
            client.read(upload, lambda _: None, final=AnswerLost)
        except AnswerLost:
            abort(client, job, name)
            if attempt == TRIES - 1:
                raise
        else:
            return job
    raise AssertionError("the last attempt raises")


def _opened(client: Client, sobject: str, name: str) -> str:
    """A new job. Where the answer is lost, the job that came about is looked for, so that none is left behind."""
    since = client.server_now()
    body = {"operation": "update", "object": sobject, "contentType": "CSV", "lineEnding": "LF"}
    ask = Call("POST", PATH, name, data=msgspec.json.encode(body))
    for _ in range(TRIES - 1):
        with suppress(AnswerLost):
            return client.read(ask, lambda answer: decoded(answer.content, Job, name), final=AnswerLost).id
        if found := _ours(client, sobject, since, name):
            return found
    return client.read(ask, lambda answer: decoded(answer.content, Job, name), final=AnswerLost).id


def _ours(client: Client, sobject: str, since: datetime, name: str) -> str | None:
    """The one job of ours that was opened a moment ago and has not been closed."""
    user = client.user_id()
    found = [
        job.id
        for job in client.get(PATH, Jobs, name=name, params={"jobType": "V2Ingest"}).records
        if (job.state, job.operation, job.object, job.created_by_id) == ("Open", "update", sobject, user)
        and datetime.fromisoformat(job.created_date) >= since
    ]
    return found[0] if len(found) == 1 else None


def close(client: Client, job: str, name: str) -> None:
    """Let the job begin. Where the answer is lost, its state tells whether it has."""
    for _ in range(TRIES - 1):
        with suppress(AnswerLost):
            _enter(client, job, "UploadComplete", name)
            return
        if _state(client, job, name).state != "Open":
            return
    _enter(client, job, "UploadComplete", name)


def wait(client: Client, job: str, name: str) -> Job:
    """The job when it has ended, well or not.

    Raises:
        Busy: It has not ended after a long time; it is aborted, and may have done a part.
    """
    pause, waited = FIRST_WAIT, FIRST_WAIT * 0
    while (found := _state(client, job, name)).state not in {"JobComplete", "Failed", "Aborted"}:
        if waited >= PATIENCE:
            abort(client, job, name)
            raise Busy(f"Salesforce has not finished {name} within {PATIENCE}", hint="the next run goes on")
        client.context.sleep(pause.total_seconds())
        waited += pause
        pause = min(pause * 2, LONGEST_WAIT)
    return found


def results(client: Client, job: str, which: str, name: str) -> list[dict[str, str]]:
    """The rows of one kind: `successfulResults` or `failedResults`; one list that was cut is fetched again."""
    ask = Call("GET", f"{PATH}/{job}/{which}", name, headers={"Accept": "text/csv"})
    return client.read(ask, lambda answer: list(_rows(answer, name)))


def _rows(answer: requests.Response, name: str) -> Iterator[dict[str, str]]:
    try:
        lines = csv.reader(StringIO(answer.content.decode("utf-8"), newline=""), strict=True)
        header = next(lines, [])
        for cells in lines:
            yield dict(zip(header, cells, strict=True))
    except (csv.Error, ValueError):
        raise AnswerLost(f"Salesforce's answer to {name} is cut short or not CSV") from None


def abort(client: Client, job: str, name: str) -> None:
    """Give the job up; one that stays open is dropped by Salesforce after seven days."""
    with suppress(PipelintError):
        _enter(client, job, "Aborted", name)


def delete(client: Client, job: str, name: str) -> None:
    """Tidy up after a job that has ended."""
    with suppress(PipelintError):
        client.call("DELETE", f"{PATH}/{job}", name=name)


def _enter(client: Client, job: str, state: str, name: str) -> None:
    client.call("PATCH", f"{PATH}/{job}", name=name, body={"state": state}, final=AnswerLost)


def _state(client: Client, job: str, name: str) -> Job:
    return client.get(f"{PATH}/{job}", Job, name=name)
