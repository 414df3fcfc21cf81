"""Reading through Bulk API 2.0 ends like reading through REST, wherever it is cut and whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from pipelint.connectors.base import Page
from pipelint.connectors.contract import settle
from pipelint.connectors.salesforce import bulk, soql
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.errors import Busy, PipelintError
from pipelint.records import Opportunity, Stream
from pipelint.sandbox.salesforce import SalesforceSandbox

Connect = Callable[..., SalesforceConnector]
DEALS = Stream.OPPORTUNITIES


@pytest.fixture
def small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "SET_ROWS", 90)


@pytest.fixture
def by_bulk(small_sets: None, connect: Connect, sandbox: SalesforceSandbox) -> SalesforceConnector:
    """Reads opportunities by a job, in three sets."""
    return connect(sandbox, bulk_above=200)


def pull(connector: SalesforceConnector, stream: Stream = DEALS, cursor: str | None = None) -> list[Page]:
    return list(connector.pull(stream, cursor, ()))


def keep_jobs(sandbox: SalesforceSandbox) -> None:
    """Jobs outlive their pull, as where a run is cut; else one that continues begins another."""
    sandbox.faults.add(
        "error", method="DELETE", path="/jobs/query", code="INSUFFICIENT_ACCESS", status=403, times=0
    )


def jobs(sandbox: SalesforceSandbox, method: str = "POST") -> list[str]:
    return [r.path for r in sandbox.requests if r.method == method and "/jobs/query" in r.path]


def test_what_is_large_comes_by_a_job_and_what_is_small_does_not(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector
) -> None:
    pages = pull(by_bulk)
    assert [len(page.records) for page in pages] == [0, 90, 90, 50]
    assert len(jobs(sandbox)) == 1
    pull(by_bulk, Stream.ACCOUNTS)
    assert len(jobs(sandbox)) == 1


def test_a_job_is_deleted_when_all_of_it_is_stored(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector
) -> None:
    pages = iter(by_bulk.pull(DEALS, None, ()))
    while not next(pages).ends_full:
        assert not jobs(sandbox, "DELETE")
    assert not jobs(sandbox, "DELETE")
    assert list(pages) == []
    assert len(jobs(sandbox, "DELETE")) == 1


@pytest.mark.parametrize(
    "stream",
    [
        Stream.OWNERS,
        Stream.ACCOUNTS,
        Stream.CONTACTS,
        Stream.OPPORTUNITIES,
        Stream.CONTACT_ROLES,
        Stream.STAGE_CHANGES,
        Stream.FIELD_CHANGES,
        Stream.ACTIVITIES,
        Stream.LEADS,
    ],
)
def test_every_stream_reads_alike_by_both_ways_wherever_it_is_cut(
    sandbox: SalesforceSandbox,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    stream: Stream,
) -> None:
    by_rest = settle({}, pull(connect(sandbox), stream))
    monkeypatch.setattr(bulk, "SET_ROWS", 90)
    monkeypatch.setattr(soql, "MAX_URI", 0)  # no statement fits into an address
    keep_jobs(sandbox)
    connector = connect(sandbox)
    pages = pull(connector, stream)
    assert jobs(sandbox)
    assert settle({}, pages) == by_rest
    for cut in range(1, len(pages)):
        rest = pull(connector, stream, pages[cut - 1].cursor)
        assert settle({}, [*pages[:cut], *rest]) == by_rest, f"cut after page {cut}"


def test_a_history_that_goes_over_the_end_of_a_set_is_read_whole_where_a_run_continues(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_rest = settle({}, pull(connect(sandbox), Stream.STAGE_CHANGES))
    monkeypatch.setattr(bulk, "SET_ROWS", 5)
    monkeypatch.setattr(soql, "MAX_URI", 0)
    keep_jobs(sandbox)
    connector = connect(sandbox)
    pages = pull(connector, Stream.STAGE_CHANGES)
    for cut in range(2, 10):
        rest = pull(connector, Stream.STAGE_CHANGES, pages[cut - 1].cursor)
        assert settle({}, [*pages[:cut], *rest]) == by_rest, f"cut after page {cut}"


def test_a_download_goes_on_in_the_same_job(sandbox: SalesforceSandbox, by_bulk: SalesforceConnector) -> None:
    some = []
    for page in by_bulk.pull(DEALS, None, ()):
        some.append(page)
        if len(some) == 2:
            break
    rest = pull(by_bulk, cursor=some[-1].cursor)
    assert [len(page.records) for page in rest] == [90, 50]
    assert len(jobs(sandbox)) == 1


def test_a_job_that_is_gone_is_begun_again(sandbox: SalesforceSandbox, by_bulk: SalesforceConnector) -> None:
    whole = pull(by_bulk)
    sandbox.clock.advance(timedelta(days=8))
    rest = pull(by_bulk, cursor=whole[1].cursor)
    assert not any(page.begins_full for page in rest)
    assert settle({}, [*whole[:2], *rest]) == settle({}, whole)
    assert len(jobs(sandbox)) == 2


def test_texts_keep_their_quotes_and_line_breaks(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector
) -> None:
    deal = str(sandbox.org.query("SELECT Id FROM Opportunity WHERE Name = 'Deal 99'")[0]["Id"])
    words = 'Call "Zoë", then\nwrite; a, b'
    sandbox.org.update("Opportunity", deal, {"NextStep": words})
    found = [r for page in pull(by_bulk) for r in page.records if isinstance(r, Opportunity) and r.id == deal]
    assert [record.next_step for record in found] == [words]


def test_the_wait_for_a_job_grows(
    sandbox: SalesforceSandbox, naps: list[float], by_bulk: SalesforceConnector
) -> None:
    sandbox.faults.add(
        "respond", path=r"/jobs/query/\w+$", status=200, times=7, body='{"id": "750", "state": "InProgress"}'
    )
    pull(by_bulk)
    assert naps[:6] == [2, 4, 8, 16, 30, 30]


def test_a_job_that_takes_for_ever_is_left_to_the_next_run(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector
) -> None:
    sandbox.faults.add(
        "respond", path=r"/jobs/query/\w+$", status=200, times=0, body='{"id": "750", "state": "InProgress"}'
    )
    pages: list[Page] = []
    with pytest.raises(Busy, match="not finished query Opportunity within 1:00:00"):
        pages.extend(by_bulk.pull(DEALS, None, ()))
    sandbox.faults.clear()
    assert len(settle({}, [*pages, *pull(by_bulk, cursor=pages[-1].cursor)])) == 230
    assert len(jobs(sandbox)) == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("InternalServerError : Unable to process", Busy),
        ("QUERY_TIMEOUT: Your query request was running for too long.", Busy),
    ],
)
def test_a_job_that_failed_over_there_ends_the_run_and_the_next_one_begins_another(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector, said: str, expected: type[PipelintError]
) -> None:
    body = f'{{"id": "750", "state": "Failed", "errorMessage": "{said}"}}'
    sandbox.faults.add("respond", path=r"/jobs/query/\w+$", status=200, body=body)
    pages: list[Page] = []
    with pytest.raises(expected, match="query Opportunity"):
        pages.extend(by_bulk.pull(DEALS, None, ()))
    assert len(settle({}, [*pages, *pull(by_bulk, cursor=pages[-1].cursor)])) == 230


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("error", {"code": "SERVER_UNAVAILABLE", "status": 503}),
    ("error", {"code": "UNKNOWN_EXCEPTION", "status": 500}),
    ("html", {"status": 503}),
    ("malformed", {}),
    ("truncate", {}),
    ("drop", {}),
    ("drop_after", {}),
]


@pytest.mark.parametrize(("effect", "details"), FAULTS)
@pytest.mark.parametrize("path", ["/jobs/query$", r"/jobs/query/\w+$", "/results"])
def test_what_passes_leaves_no_trace(
    sandbox: SalesforceSandbox,
    by_bulk: SalesforceConnector,
    connect: Connect,
    effect: str,
    details: dict[str, Any],
    path: str,
) -> None:
    faultless = settle({}, pull(connect(sandbox)))
    sandbox.faults.add(effect, path=path, times=2, **details)
    assert settle({}, pull(by_bulk)) == faultless


def test_a_set_that_lacks_rows_was_cut() -> None:
    """A cut between two lines leaves sound CSV: the announced number of rows tells."""
    body = '"Id","SystemModstamp"\n"006000000000001AAA","2026-11-21T09:00:00.000Z"\n'
    answer = type("Answer", (), {"content": body.encode(), "headers": {"Sforce-NumberOfRecords": "2"}})()
    with pytest.raises(PipelintError, match="announces 2 rows of query Opportunity and sends 1"):
        bulk._read(answer, frozenset(), "query Opportunity")


def test_a_session_that_ends_in_a_download_is_renewed(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector
) -> None:
    def ended(pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            yield page
            sandbox.expire_sessions()

    assert len(settle({}, ended(by_bulk.pull(DEALS, None, ())))) == 230


@pytest.mark.parametrize(
    ("code", "status"), [("FUNCTIONALITY_NOT_ENABLED", 403), ("INVALIDENTITY", 400), ("NOT_FOUND", 404)]
)
def test_where_the_bulk_api_does_not_serve_rest_does(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector, code: str, status: int
) -> None:
    sandbox.faults.add("error", path="/jobs/query", code=code, status=status, times=0)
    assert [len(page.records) for page in pull(by_bulk)] == [200, 30]


def test_a_query_that_takes_rest_too_long_goes_by_a_job_at_once(
    sandbox: SalesforceSandbox, by_bulk: SalesforceConnector, naps: list[float]
) -> None:
    sandbox.faults.add("error", path=r"FROM\+Opportunity\+", code="QUERY_TIMEOUT", status=400, times=0)
    assert len(settle({}, pull(by_bulk))) == 230
    assert len(jobs(sandbox)) == 1
    assert naps == [2]  # for the job alone


def test_a_statement_too_long_for_an_address_says_so_where_there_is_no_bulk_api(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soql, "MAX_URI", 0)
    sandbox.faults.add("error", path="/jobs/query", code="FUNCTIONALITY_NOT_ENABLED", status=403, times=0)
    with pytest.raises(PipelintError, match="too many fields of Opportunity"):
        pull(connect(sandbox))


def test_changes_are_followed_after_a_job(sandbox: SalesforceSandbox, by_bulk: SalesforceConnector) -> None:
    pages = pull(by_bulk)
    ids = [str(row["Id"]) for row in sandbox.org.query("SELECT Id FROM Opportunity LIMIT 3")]
    sandbox.clock.advance(timedelta(minutes=20))
    for id_ in ids[:2]:
        sandbox.org.update("Opportunity", id_, {"Name": "Changed"})
    sandbox.org.delete("Opportunity", ids[2])
    after = settle(settle({}, pages), pull(by_bulk, cursor=pages[-1].cursor))
    assert after == settle({}, pull(by_bulk))
