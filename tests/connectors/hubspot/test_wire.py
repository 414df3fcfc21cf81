"""What HubSpot's SDK would do by itself and must not: wait for ever, try again, follow elsewhere (fact sheet §14)."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, ProtocolError, SSLError

from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.hubspot import wire
from pipelint.connectors.hubspot.wire import Wire
from pipelint.errors import Fix
from pipelint.sandbox.hubspot import HubSpotSandbox

PATIENCE = 3
"""Seconds, far beyond any time-out of these tests."""

PATH = "/crm/objects/2026-09/deals"


@contextmanager
def answering(*answers: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these raw answers, one for each connection, and what it was asked.

    None is no answer at all; a client that waits for it longer than it should is hung up on.
    """
    asked: list[bytes] = []
    held: list[threading.Timer] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                asked.append(connection.recv(65_536))
                if answer is None:
                    held.append(threading.Timer(PATIENCE, connection.close))
                    held[-1].start()
                    continue
                with connection:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes it up where it waits for a call that never came
            thread.join()
            for timer in held:
                timer.cancel()
                timer.function()


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_a_server_that_says_nothing_is_left_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", 0.05)
    with answering(None, None) as (url, asked), pytest.raises(AnswerLost, match="did not answer within"):
        Wire(url).send("POST", PATH, body={})
    assert len(asked) == 1, "nothing below our own policy tries again"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="sends half"),
        pytest.param(b"nonsense\r\n\r\n", id="speaks otherwise"),
        pytest.param(answer("200 OK", b"not gzip", "Content-Encoding: gzip"), id="sends what is not gzip"),
    ],
)
def test_an_answer_that_is_not_whole_is_lost(broken: bytes) -> None:
    with answering(broken) as (url, _), pytest.raises(AnswerLost):
        Wire(url).send("GET", PATH)


def test_nobody_at_the_door_has_seen_nothing() -> None:
    with answering() as (url, _):
        pass
    with pytest.raises(NotSent, match="the connection is refused"):
        Wire(url).send("POST", PATH, body={})


TROUBLES = [
    (ConnectTimeoutError(None, "timed out"), NotSent, "no answer within 10 s"),
    (NameResolutionError("api.hubapi.com", None, socket.gaierror()), NotSent, "its name is not known"),  # type: ignore[arg-type]
    (SSLError(ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")), Fix, "is not trusted"),
    (SSLError(ssl.SSLError("bad record")), AnswerLost, "secure connection"),
    (ProtocolError("Connection aborted."), AnswerLost, "closed the connection"),
]


@pytest.mark.parametrize(
    ("raised", "kind", "words"), TROUBLES, ids=[type(raised).__name__ for raised, _, _ in TROUBLES]
)
def test_what_became_of_the_call_is_told(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, kind: type[Exception], words: str
) -> None:
    def fail(self: HTTPConnectionPool, *args: Any, **options: Any) -> None:
        raise raised

    monkeypatch.setattr(HTTPConnectionPool, "_make_request", fail)
    with pytest.raises(kind, match=words):
        Wire("https://api.hubapi.com").send("POST", PATH, body={})


def test_a_refusal_is_an_answer() -> None:
    with answering(answer("403 Forbidden", b'{"category": "MISSING_SCOPES"}')) as (url, _):
        got = Wire(url).send("GET", PATH)
    assert (got.status, got.body) == (403, b'{"category": "MISSING_SCOPES"}')


def test_the_token_is_not_taken_to_another_address() -> None:
    with answering(answer("200 OK", b"{}")) as (elsewhere, taken):
        moved = answer("302 Found", b"", f"Location: {elsewhere}/")
        with answering(moved) as (url, _):
            got = Wire(url).send("GET", PATH, token="pat-secret")
    assert (got.status, taken) == (302, [])


def test_answers_travel_compressed() -> None:
    body = gzip.compress(b'{"results": []}')
    with answering(answer("200 OK", body, "Content-Encoding: gzip")) as (url, asked):
        assert Wire(url).send("GET", PATH).body == b'{"results": []}'
    assert b"accept-encoding: gzip" in asked[0].lower()


def test_one_connection_serves_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    connect = HTTPConnectionPool._new_conn

    def counted(self: HTTPConnectionPool) -> Any:
        made.append(self)
        return connect(self)

    monkeypatch.setattr(HTTPConnectionPool, "_new_conn", counted)
    with HubSpotSandbox(size=0) as sandbox:
        ours = Wire(sandbox.base_url)
        for _ in range(5):
            assert ours.send("GET", PATH, token=sandbox.token()).status == 200
        ours.close()
    assert len(made) == 1
