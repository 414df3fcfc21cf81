"""Bulk API 2.0 queries: a job that runs over there, and whose results are fetched set by set (fact sheet §3).

A set can be fetched again by its locator as long as the job lives, which is seven days: so a download that
was cut goes on where it was, in this run or the next.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Final

import msgspec
import requests

from pipelint.connectors.answers import brief
from pipelint.connectors.http import AnswerLost
from pipelint.connectors.salesforce.answers import Call, Row, decoded
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.refusal import of_record
from pipelint.errors import Busy, PipelintError

SET_ROWS: Final = 10_000
"""Rows of one set at most, which bound the memory; the fewer, the more calls."""

FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(seconds=30)
PATIENCE: Final = timedelta(hours=1)
"""How long a run waits for a job; the next run goes on waiting for the same one."""

csv.field_size_limit(1 << 24)  # a long text may hold 131,072 characters, each of up to four bytes


class Job(msgspec.Struct, rename="camel"):
    """A job, as the API describes it."""

    id: str
    state: str = ""
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class ResultSet:
    """Rows of a finished job; `locator` names the next set and is empty after the last."""

    rows: list[Row]
    locator: str


def create(client: Client, soql: str, name: str, *, all_rows: bool) -> str:
    """Begin a job; its id."""
    body = {"operation": "queryAll" if all_rows else "query", "query": soql}
    ask = Call("POST", "jobs/query", name, data=msgspec.json.encode(body))
    return client.read(ask, lambda answer: decoded(answer.content, Job, name)).id


def wait(client: Client, job: str, name: str) -> None:
    """Until the job is finished.

    Raises:
        Busy: It is not, after a long time or because of trouble over there; a new run may go on.
        PipelintError: What the table of meanings says about the job's own error.
    """
    pause, waited = FIRST_WAIT, timedelta()
    while True:
        found = client.get(f"jobs/query/{job}", Job, name=name)
        if found.state == "JobComplete":
            return
        if found.state in {"Failed", "Aborted"}:
            raise _failed(name, found)
        if waited >= PATIENCE:
            raise Busy(f"Salesforce has not finished {name} within {PATIENCE}", hint="the next run goes on")
        client.context.sleep(pause.total_seconds())
        waited += pause
        pause = min(pause * 2, LONGEST_WAIT)


def result_set(client: Client, job: str, locator: str, booleans: Collection[str], name: str) -> ResultSet:
    """One set of a finished job: the first one without a locator. One that was cut is fetched again."""
    params = {"maxRecords": str(SET_ROWS)} | ({"locator": locator} if locator else {})
    ask = Call("GET", f"jobs/query/{job}/results", name, params, headers={"Accept": "text/csv"})
    return client.read(ask, lambda answer: _read(answer, booleans, name))


def delete(client: Client, job: str, name: str) -> None:
    """Tidy up; a job that stays is dropped by Salesforce after seven days."""
    with suppress(PipelintError):
        client.call("DELETE", f"jobs/query/{job}", name=name)


def _read(answer: requests.Response, booleans: Collection[str], name: str) -> ResultSet:
    """The rows of an answer, if it has as many as it announces."""
    try:
        found = list(rows(answer.content.decode("utf-8"), booleans))
    except (UnicodeDecodeError, csv.Error):
        raise AnswerLost(f"Salesforce's answer to {name} is cut short or not CSV") from None
    announced = answer.headers.get("Sforce-NumberOfRecords", "")
    if announced.isdigit() and int(announced) != len(found):
        raise AnswerLost(f"Salesforce announces {announced} rows of {name} and sends {len(found)}")
    locator = answer.headers.get("Sforce-Locator", "null")
    return ResultSet(found, "" if locator == "null" else locator)


def rows(text: str, booleans: Collection[str]) -> Iterator[Row]:
    r"""The rows of a set in the form that REST gives them: empty as None, parents nested.

    A value may hold quotes and line breaks. All else is text, which the readers of values understand too.

    >>> list(rows('Id,IsWon,RecordType.Name\n006,true,"a ""b""\nc"\n', {"IsWon"}))
    [{'Id': '006', 'IsWon': True, 'RecordType': {'Name': 'a "b"\nc'}}]
    """
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    header = next(lines, [])
    columns = [(name.split("."), name in booleans) for name in header]
    for cells in lines:
        if len(cells) != len(columns):
            raise csv.Error("a line of another length")
        row: Row = {}
        for (path, boolean), cell in zip(columns, cells, strict=True):
            value: object = (cell == "true" if boolean else cell) if cell else None
            inner = row
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value
        yield row


def _failed(name: str, job: Job) -> PipelintError:
    """A failed job says `CODE: words` or only words; trouble of Salesforce's own may pass."""
    code, _, words = (job.error_message or job.state).partition(":")
    return of_record(name, code.strip(), brief(words) or brief(code))
