"""Sessions: time-outs, redirects, and what becomes of a connection that fails."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, SSLError

from pipelint.connectors import http
from pipelint.connectors.http import AnswerLost, BoundedAdapter, NotSent, Session, send
from pipelint.errors import Fix, UnexpectedAnswer


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that gives these raw answers, one for each connection, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(trust_env=False) as session:
        yield session


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def test_a_call_is_answered(session: Session) -> None:
    with answering(OK) as url:
        assert send(session, "GET", f"{url}/x").content == b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_an_answer_that_breaks_off_is_lost(session: Session, answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(AnswerLost) as caught:
        send(session, "GET", f"{url}/query?q=customer")
    assert "customer" not in caught.value.message


def test_a_closed_port_means_that_nothing_was_sent(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NotSent, match="refused"):
        send(session, "GET", f"http://127.0.0.1:{port}/")


def test_an_unknown_name_means_that_nothing_was_sent(session: Session) -> None:
    with pytest.raises(NotSent, match=r"cannot reach nowhere\.invalid: its name is not known"):
        send(session, "GET", "https://nowhere.invalid/")


def test_plain_http_goes_to_this_machine_only(session: Session) -> None:
    with pytest.raises(Fix, match="plain http"):
        send(session, "GET", "http://nowhere.invalid/")


def test_a_missing_time_out_is_set(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def remember(self: HTTPAdapter, request: object, stream: bool, timeout: object, *rest: object) -> None:
        seen.append(timeout)
        raise requests.exceptions.ReadTimeout

    monkeypatch.setattr(HTTPAdapter, "send", remember)
    with pytest.raises(AnswerLost, match="did not answer within 150 s"):
        send(session, "GET", "https://acme.example/")
    assert seen == [(http.CONNECT_SECONDS, http.READ_SECONDS)]


def test_redirects_stay_with_the_host(session: Session) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(moved % b"/there", OK) as url:
        assert send(session, "GET", f"{url}/here").content == b"{}"
    with answering(moved % b"https://evil.example/") as url, pytest.raises(UnexpectedAnswer, match="evil"):
        send(session, "GET", f"{url}/here", headers={"Authorization": "Bearer secret"})


def test_a_change_is_not_redirected_into_a_reading_call(session: Session) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(moved, OK) as url:
        assert send(session, "PATCH", f"{url}/here", data=b"{}").status_code == 302


def test_https_is_spoken_plainly_where_told_to(session: Session) -> None:
    with answering(OK) as url:
        session.mount("https://127.0.0.1", BoundedAdapter(local=True))
        assert send(session, "GET", url.replace("http:", "https:")).content == b"{}"


def test_netrc_does_not_replace_our_authorization(session: Session) -> None:
    prepared = session.prepare_request(requests.Request("GET", "https://acme.example/"))
    assert "Authorization" not in prepared.headers
    assert prepared.headers["User-Agent"].startswith("pipelint/")


def test_a_server_that_speaks_no_tls_is_a_lost_answer(session: Session) -> None:
    with answering(b"nonsense") as url, pytest.raises(AnswerLost, match="secure connection"):
        send(session, "GET", url.replace("http:", "https:"))


def test_a_certificate_that_nobody_vouches_for_is_for_a_person_to_settle(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    wrapped = MaxRetryError(HTTPSConnectionPool("acme.example"), "/", SSLError(reason))

    def refuse(*args: object) -> None:
        raise requests.exceptions.SSLError(wrapped)

    monkeypatch.setattr(HTTPAdapter, "send", refuse)
    with pytest.raises(Fix, match=r"certificate of acme\.example is not trusted") as caught:
        send(session, "GET", "https://acme.example/")
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint


def test_a_proxy_that_refuses_is_named(session: Session) -> None:
    with answering(b"HTTP/1.1 407 No\r\n\r\n") as url:
        session.proxies = {"https": url}
        with pytest.raises(NotSent, match="the proxy refuses"):
            send(session, "GET", "https://acme.example/")


def test_an_address_that_is_none_is_for_a_person_to_settle(session: Session) -> None:
    with pytest.raises(Fix, match="could not be made: InvalidURL"):
        send(session, "GET", "https://")
