"""Writing back by Bulk jobs: what becomes of each record, whatever happens on the way."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.connectors.base import Change, Outcome, WriteLimits
from pipelint.connectors.salesforce import write as writing
from pipelint.connectors.salesforce import write_bulk
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.errors import Busy, PipelintError
from pipelint.sandbox.control import LoggedRequest
from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.connectors.salesforce.conftest import NOW
from tests.connectors.salesforce.writing import HYGIENE, changes, counts, write

SUMMARY = "Pipelint_Summary__c"
INGEST = "/jobs/ingest"
FEW = 5


@pytest.fixture
def sandbox(ready_org: Path) -> Iterator[SalesforceSandbox]:
    """An org in which our fields are set up."""
    with SalesforceSandbox(state=ready_org, now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def ready(connector: SalesforceConnector, monkeypatch: pytest.MonkeyPatch) -> SalesforceConnector:
    """A connector for which a handful of changes is many."""
    monkeypatch.setattr(writing, "LIMITS", WriteLimits(batch=200, job=40, job_above=FEW))
    return connector


@pytest.fixture
def deals(sandbox: SalesforceSandbox) -> list[str]:
    rows = sandbox.org.query("SELECT Id FROM Opportunity WHERE IsClosed = false ORDER BY Id LIMIT 30")
    return [str(row["Id"]) for row in rows]


def stored(connector: SalesforceConnector, ids: list[str], name: str = HYGIENE) -> set[object]:
    return {values[name] for _, values in connector.read("opportunity", ids, [name])}


def calls(sandbox: SalesforceSandbox, method: str, path: str) -> list[LoggedRequest]:
    return [it for it in sandbox.requests if it.method == method and it.path.endswith(path)]


def uploads(sandbox: SalesforceSandbox) -> list[list[dict[str, str]]]:
    bodies = [it.body for it in calls(sandbox, "PUT", "/batches")]
    return [list(csv.DictReader(io.StringIO(body, newline=""))) for body in bodies]


def jobs(sandbox: SalesforceSandbox) -> list[LoggedRequest]:
    return calls(sandbox, "POST", INGEST)


def test_many_changes_go_by_a_job_and_few_by_requests(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    assert counts(write(ready, changes(deals[: FEW + 1]))) == {"written": FEW + 1}
    assert [len(rows) for rows in uploads(sandbox)] == [FEW + 1]
    assert counts(write(ready, changes(deals[:FEW], 5))) == {"written": FEW}
    assert len(uploads(sandbox)) == 1
    assert stored(ready, deals[:FEW]) == {Decimal(5)}


def test_a_job_is_no_larger_than_a_batch_of_salesforces(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LIMITS", WriteLimits(batch=200, job=12, job_above=FEW))
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert [len(rows) for rows in uploads(sandbox)] == [12, 12, 6]


def test_an_upload_stays_below_its_size(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_bulk, "MAX_BYTES", 400)
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert all(len(it.body) < 500 for it in calls(sandbox, "PUT", "/batches"))


def test_records_of_an_account_stand_together(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    made = [
        Change("opportunity", id_, {HYGIENE: Decimal(1)}, group=f"account {n % 3}")
        for n, id_ in enumerate(deals)
    ]
    write(ready, made)
    groups = {change.id: change.group for change in made}
    order = [groups[row["Id"]] for row in uploads(sandbox)[0]]
    assert order == sorted(order)


def test_none_clears_and_what_is_not_named_stays(ready: SalesforceConnector, deals: list[str]) -> None:
    write(ready, [Change("opportunity", id_, {HYGIENE: Decimal(1), SUMMARY: "old"}) for id_ in deals[:6]])
    write(
        ready,
        [
            *(Change("opportunity", id_, {HYGIENE: None}) for id_ in deals[:3]),
            *(Change("opportunity", id_, {SUMMARY: "new"}) for id_ in deals[3:6]),
        ],
    )
    read = dict(ready.read("opportunity", deals[:6], [HYGIENE, SUMMARY]))
    assert [read[id_] for id_ in deals[:3]] == [{HYGIENE: None, SUMMARY: "old"}] * 3
    assert [read[id_] for id_ in deals[3:6]] == [{HYGIENE: Decimal(1), SUMMARY: "new"}] * 3


@pytest.mark.parametrize("text", ["#N/A", "x" * 32_001, 'a "b",\nc'])
def test_texts_that_a_cell_cannot_carry_arrive_all_the_same(
    ready: SalesforceConnector, deals: list[str], text: str
) -> None:
    made = [Change("opportunity", id_, {"Pipelint_Details__c": text}) for id_ in deals[:6]]
    assert counts(write(ready, made)) == {"written": 6}
    assert stored(ready, deals[:6], "Pipelint_Details__c") == {text}


def test_a_validation_rule_refuses_its_record_alone(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    message = "Closed deals: need a loss reason."
    sandbox.faults.add("FIELD_CUSTOM_VALIDATION_EXCEPTION", record=deals[1], message=message)
    outcomes = write(ready, changes(deals))
    assert counts(outcomes) == {"written": 29, "refused": 1}
    refused = outcomes[deals[1]]
    assert (refused.code, refused.message, refused.fields) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        message,
        (),
    )


def test_a_value_that_is_no_choice_names_its_field(ready: SalesforceConnector, deals: list[str]) -> None:
    made = [Change("opportunity", id_, {"Pipelint_Severity__c": "terrible"}) for id_ in deals[:6]]
    outcome = write(ready, made)[deals[0]]
    assert outcome.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert outcome.fields == ("Pipelint_Severity__c",)


def test_locked_rows_are_sent_again_and_no_others(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.faults.add("UNABLE_TO_LOCK_ROW", record=deals[1], times=2)
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert len(uploads(sandbox)) == 1
    assert len(calls(sandbox, "PATCH", "/composite/sobjects")) == 2


def test_what_was_deleted_meanwhile_is_gone(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.org.delete("Opportunity", deals[1])
    assert counts(write(ready, changes(deals))) == {"written": 29, "gone": 1}


def test_a_field_that_vanished_meanwhile_does_not_take_the_others_with_it(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    ready.fields("opportunity")
    made = [*changes(deals[:9]), Change("opportunity", deals[9], {HYGIENE: Decimal(1), SUMMARY: "x"})]
    row = sandbox.org.query(
        "SELECT Id FROM FieldPermissions WHERE Field = 'Opportunity.Pipelint_Summary__c'"
        " AND Parent.Name = 'Pipelint'"
    )[0]
    sandbox.org.delete("FieldPermissions", str(row["Id"]))
    outcomes = write(ready, made)
    assert counts(outcomes) == {"written": 9, "refused": 1}
    assert outcomes[deals[9]].fields == (SUMMARY,)


def test_what_a_failed_job_did_not_come_to_goes_by_requests(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.org.jobs.batches = 0
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert len(calls(sandbox, "PATCH", "/composite/sobjects")) == 1


LOST: list[tuple[str, str]] = [
    (effect, step)
    for effect in ("drop", "drop_after", "truncate", "malformed")
    for step in ("POST /jobs/ingest$", "PUT /batches", r"PATCH /jobs/ingest/\w+$")
    if (effect, step) not in {("truncate", "PUT /batches"), ("malformed", "PUT /batches")}  # no body
]


@pytest.mark.parametrize(("effect", "step"), LOST)
@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_answer_leads_to_no_second_writing(
    sandbox: SalesforceSandbox,
    ready: SalesforceConnector,
    deals: list[str],
    effect: str,
    step: str,
    times: int,
) -> None:
    method, path = step.split()
    sandbox.faults.add(effect, method=method, path=path, times=times)
    stamps = modified(sandbox, deals)
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert written_once(sandbox, deals, stamps)
    open_jobs = [it.info() for it in sandbox.org.jobs._jobs.values() if not it.ended]
    assert open_jobs == []


def test_a_job_whose_answer_was_lost_is_found_again(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.faults.add("drop_after", method="POST", path=INGEST)
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert len(jobs(sandbox)) == 1


@pytest.mark.parametrize("effect", ["truncate", "malformed", "drop", "html"])
@pytest.mark.parametrize("path", ["successfulResults", "failedResults", r"GET /jobs/ingest/\w+$"])
def test_asking_what_became_of_a_job_is_repeated(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], effect: str, path: str
) -> None:
    sandbox.faults.add(effect, method="GET", path=path.removeprefix("GET "), times=2)
    assert counts(write(ready, changes(deals))) == {"written": 30}
    assert len(jobs(sandbox)) == 1


def test_a_job_that_cannot_be_asked_for_leaves_outcomes_unknown(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.faults.add("html", method="GET", path="successfulResults", times=0)
    outcomes: list[Outcome] = []
    with pytest.raises(Busy):
        outcomes.extend(ready.write(changes(deals)))
    assert Counter(outcome.status for outcome in outcomes) == {"unknown": 30}
    assert stored(ready, deals) == {Decimal(72)}


def test_a_job_that_does_not_end_is_aborted(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    body = '{"id": "750", "state": "InProgress"}'
    sandbox.faults.add("respond", method="GET", path=r"/jobs/ingest/\w+$", status=200, body=body, times=0)
    outcomes: list[Outcome] = []
    with pytest.raises(Busy, match="not finished"):
        outcomes.extend(ready.write(changes(deals)))
    assert Counter(outcome.status for outcome in outcomes) == {"unknown": 30}
    assert '"Aborted"' in calls(sandbox, "PATCH", "")[-1].body


@pytest.mark.parametrize("path", [INGEST + "$", "/batches"])
def test_what_could_not_be_sent_has_no_outcome(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str], path: str
) -> None:
    sandbox.faults.add("drop", path=path, times=0)
    outcomes: list[Outcome] = []
    with pytest.raises(PipelintError):
        outcomes.extend(ready.write(changes(deals)))
    assert outcomes == []
    assert stored(ready, deals) == {None}


def test_an_expired_session_is_renewed_in_the_middle(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    sandbox.expire_sessions()
    assert counts(write(ready, changes(deals))) == {"written": 30}


def test_a_finished_job_is_tidied_away(
    sandbox: SalesforceSandbox, ready: SalesforceConnector, deals: list[str]
) -> None:
    write(ready, changes(deals))
    assert sandbox.org.jobs._jobs == {}


def modified(sandbox: SalesforceSandbox, ids: list[str]) -> dict[object, object]:
    listed = ", ".join(f"'{it}'" for it in ids)
    rows = sandbox.org.query(f"SELECT Id, SystemModstamp FROM Opportunity WHERE Id IN ({listed})")
    return {row["Id"]: row["SystemModstamp"] for row in rows}


def written_once(sandbox: SalesforceSandbox, ids: list[str], before: dict[object, object]) -> bool:
    """Whether exactly one job was closed, and it changed every record."""
    closed = [it for it in calls(sandbox, "PATCH", "") if "UploadComplete" in it.body and INGEST in it.path]
    after = modified(sandbox, ids)
    begun = {it.path for it in closed}
    return len(begun) == 1 and all(after[id_] != before[id_] for id_ in ids)
