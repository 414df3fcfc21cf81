"""What goes wrong between Salesforce and us, and how each of it ends (architecture §8)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pipelint.connectors import http
from pipelint.connectors.base import Page
from pipelint.connectors.contract import State, settle
from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.quota import ReserveReached
from pipelint.connectors.salesforce import bulk, client
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.errors import Busy, PermissionMissing, PipelintError, QuotaExhausted, SignInRefused
from pipelint.records import Stream
from pipelint.sandbox.salesforce import SalesforceSandbox

Connect = Callable[..., SalesforceConnector]
DEALS = Stream.OPPORTUNITIES


def pull(connector: SalesforceConnector, cursor: str | None = None) -> list[Page]:
    return list(connector.pull(DEALS, cursor, ()))


def sign_ins(sandbox: SalesforceSandbox) -> int:
    return sum(request.path.endswith("/oauth2/token") for request in sandbox.requests)


@pytest.fixture
def faultless(sandbox: SalesforceSandbox, connect: Connect) -> State:
    """What a pull without faults ends with."""
    state = settle({}, pull(connect(sandbox)))
    sandbox.requests.clear()
    return state


def all_texts(error: BaseException) -> str:
    """Everything that a traceback of the error could show."""
    texts = [str(error), repr(error), repr(vars(error))]
    inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(texts) + (all_texts(inner) if inner else "")


def test_a_wrong_secret_is_refused_at_once_and_not_told(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    connector = connect(sandbox)
    monkeypatch.setenv("SF_CLIENT_SECRET", "a-wrong-secret")
    with pytest.raises(SignInRefused, match="invalid client credentials") as caught:
        pull(connector)
    assert "a-wrong-secret" not in all_texts(caught.value)
    assert "client id and secret" in caught.value.hint
    assert naps == []
    assert connector.api_calls == 1


def test_a_host_that_never_answered_is_given_up_within_seconds(
    sandbox: SalesforceSandbox, connect: Connect, naps: list[float]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(NotSent, match="refused"):
        pull(connect(sandbox, base_url=closed))
    assert len(naps) == 2


def test_a_host_that_answered_before_is_waited_for(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    def down(*_: object, **__: object) -> None:
        raise NotSent("the connection is refused")

    connector = connect(sandbox)
    pages = connector.pull(DEALS, None, ())
    next(pages)
    monkeypatch.setattr(client, "send", down)
    with pytest.raises(NotSent):
        next(pages)
    assert len(naps) == 5


def test_a_session_that_ends_mid_pull_is_renewed_once(
    sandbox: SalesforceSandbox, connect: Connect, faultless: State
) -> None:
    pages = []
    for page in connect(sandbox).pull(DEALS, None, ()):
        pages.append(page)
        sandbox.expire_sessions()
    assert len(pages) == 2
    assert settle({}, pages) == faultless
    assert sign_ins(sandbox) == 2


def test_a_session_that_is_never_accepted_does_not_sign_in_for_ever(
    sandbox: SalesforceSandbox, connect: Connect
) -> None:
    sandbox.faults.add("error", path="/services/data", code="INVALID_SESSION_ID", status=401, times=0)
    with pytest.raises(SignInRefused, match="not the session it gives"):
        pull(connect(sandbox))
    assert sign_ins(sandbox) == 2


def test_a_given_token_is_not_renewed(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SF_TOKEN", sandbox.token())
    connector = connect(sandbox, auth={"flow": "access_token", "token": "${env:SF_TOKEN}"})
    assert pull(connector)
    sandbox.expire_sessions()
    with pytest.raises(SignInRefused, match="not accepted any more") as caught:
        pull(connector)
    assert sandbox.token() not in all_texts(caught.value)


@pytest.mark.parametrize(
    ("effect", "details"),
    [
        ("error", {"code": "SERVER_UNAVAILABLE", "status": 503}),
        ("error", {"code": "UNKNOWN_EXCEPTION", "status": 500}),
        ("html", {"status": 503}),
        ("malformed", {}),
        ("truncate", {}),
        ("drop", {}),
        ("drop_after", {}),
        ("respond", {"status": 200, "body": "<html>login</html>", "content_type": "text/html"}),
    ],
)
@pytest.mark.parametrize("path", ["/oauth2/token", "/describe", "/query/", r"/query/\w+"])
def test_what_passes_leaves_no_trace(
    sandbox: SalesforceSandbox,
    connect: Connect,
    faultless: State,
    naps: list[float],
    effect: str,
    details: dict[str, str | float],
    path: str,
) -> None:
    sandbox.faults.add(effect, path=path, times=2, **details)
    assert settle({}, pull(connect(sandbox))) == faultless
    assert len(naps) == 2


@pytest.mark.parametrize(
    ("effect", "details", "expected"),
    [
        ("html", {"status": 503}, Busy),
        ("malformed", {}, AnswerLost),
        ("truncate", {}, AnswerLost),
        ("drop", {}, AnswerLost),
    ],
)
def test_what_does_not_pass_ends_and_the_next_run_goes_on(
    sandbox: SalesforceSandbox,
    connect: Connect,
    faultless: State,
    effect: str,
    details: dict[str, str | float],
    expected: type[PipelintError],
) -> None:
    sandbox.faults.add(effect, path=r"/query/\w+", times=0, **details)
    pages: list[Page] = []
    with pytest.raises(expected) as caught:
        pages.extend(connect(sandbox).pull(DEALS, None, ()))
    assert "SELECT" not in all_texts(caught.value)
    sandbox.faults.clear()
    rest = pull(connect(sandbox), pages[-1].cursor)
    assert not any(page.begins_full for page in rest)
    assert settle({}, [*pages, *rest]) == faultless


def test_the_limit_of_the_day_stops_the_run(sandbox: SalesforceSandbox, connect: Connect) -> None:
    sandbox.faults.add("REQUEST_LIMIT_EXCEEDED", path=r"/query/\w+", times=0)
    with pytest.raises(QuotaExhausted, match="TotalRequests") as caught:
        pull(connect(sandbox))
    assert "24 hours" in caught.value.hint


def test_too_many_long_calls_at_once_pass(
    sandbox: SalesforceSandbox, connect: Connect, faultless: State, naps: list[float]
) -> None:
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    sandbox.faults.add("REQUEST_LIMIT_EXCEEDED", path="/query/", message=message, status=403)
    assert settle({}, pull(connect(sandbox))) == faultless
    assert len(naps) == 1


def test_the_reserve_is_left_to_others(sandbox: SalesforceSandbox, connect: Connect, small_org: Path) -> None:
    with SalesforceSandbox(state=small_org, daily_limit=10, now=sandbox.clock.now()) as tight:
        connector = connect(tight)
        with pytest.raises(ReserveReached) as caught:
            [pull(connector) for _ in range(20)]
    assert (caught.value.used, caught.value.allowed) == (8, 10)
    assert "8 of 10 API calls" in caught.value.message


def test_faults_over_faults_end_like_a_day_without(
    sandbox: SalesforceSandbox, connect: Connect, faultless: State
) -> None:
    for nth, effect in enumerate(["malformed", "drop", "truncate", "html"], start=1):
        sandbox.faults.add(effect, path="/services", nth=nth)
    assert settle({}, pull(connect(sandbox))) == faultless


def test_a_host_that_is_not_an_org_is_told_apart(sandbox: SalesforceSandbox, connect: Connect) -> None:
    sandbox.faults.add("html", path="/oauth2/token", status=404, times=0)
    with pytest.raises(SignInRefused) as caught:
        pull(connect(sandbox))
    assert "My Domain" in caught.value.hint


def test_an_object_that_is_hidden_is_no_stream(sandbox: SalesforceSandbox, connect: Connect) -> None:
    sandbox.faults.add("NOT_FOUND", path="/(Lead|Task|Opportunity)/describe", status=404, times=0)
    connector = connect(sandbox)
    assert Stream.LEADS not in connector.streams()
    assert Stream.ACTIVITIES in connector.streams()
    assert "direction" not in connector.supply(Stream.ACTIVITIES, ()).fields
    with pytest.raises(PermissionMissing, match="Opportunity cannot be seen"):
        pull(connector)


@pytest.mark.parametrize("path", ["/oauth2/token", "/describe", "/query/", r"/query/\w+"])
def test_a_server_that_does_not_answer_in_time_is_asked_again(
    sandbox: SalesforceSandbox,
    connect: Connect,
    faultless: State,
    naps: list[float],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.4)
    sandbox.faults.add("delay", path=path, seconds=0.8)
    assert settle({}, pull(connect(sandbox))) == faultless
    assert len(naps) == 1


@pytest.mark.parametrize("bulk_above", [20_000, 200])
def test_records_that_change_and_go_during_a_pull_end_as_they_are(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, bulk_above: int
) -> None:
    """A row that changes moves to the end of the order: it may come twice, or not at all before the next pull."""
    monkeypatch.setattr(bulk, "SET_ROWS", 90)
    ids = [
        str(row["Id"]) for row in sandbox.org.query("SELECT Id FROM Opportunity ORDER BY SystemModstamp, Id")
    ]
    connector = connect(sandbox, bulk_above=bulk_above)
    pages = []
    for turn, page in enumerate(connector.pull(DEALS, None, ())):
        pages.append(page)
        for id_ in (ids[turn], ids[-1 - turn]):
            sandbox.org.update("Opportunity", id_, {"Name": f"Changed {turn}"})
        sandbox.org.delete("Opportunity", ids[10 + turn])
        sandbox.org.delete("Opportunity", ids[-10 - turn])
        sandbox.clock.advance(timedelta(seconds=5))
    pages += pull(connector, pages[-1].cursor)
    assert settle({}, pages) == settle({}, pull(connect(sandbox)))


def test_a_page_that_comes_twice_does_no_harm(
    sandbox: SalesforceSandbox, connect: Connect, faultless: State
) -> None:
    pages = pull(connect(sandbox))
    assert settle({}, [pages[0], *pages]) == faultless


def test_many_records_of_one_second_are_all_delivered_wherever_a_page_ends(
    sandbox: SalesforceSandbox, connect: Connect
) -> None:
    before = pull(connect(sandbox))
    sandbox.clock.advance(timedelta(hours=1))
    ids = [str(row["Id"]) for row in sandbox.org.query("SELECT Id FROM Opportunity")]
    for id_ in ids:
        sandbox.org.update("Opportunity", id_, {"NextStep": "Call"})
    changed = pull(connect(sandbox), before[-1].cursor)
    assert len(changed) > 1
    for cut in range(1, len(changed)):
        rest = pull(connect(sandbox), changed[cut - 1].cursor)
        after = settle(settle({}, before), [*changed[:cut], *rest])
        assert {getattr(record, "next_step", None) for record in after.values()} == {"Call"}
        assert len(after) == len(ids)
