"""Signing in: a service key, and an app whose access tokens live half an hour (fact sheet hubspot §2)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelint.config.masking import masker
from pipelint.connectors.base import Change
from pipelint.connectors.contract import settle
from pipelint.connectors.http import NotSent
from pipelint.connectors.hubspot import pull
from pipelint.connectors.hubspot.connector import HubSpotConnector
from pipelint.errors import Busy, SignInRefused
from pipelint.records import Stream
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.auth import REFRESH_TOKEN

from .conftest import OWN

TOKEN = "/oauth/2026-03/token"
DEALS = Stream.OPPORTUNITIES
SIGN_IN = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": REFRESH_TOKEN}

App = Callable[..., HubSpotConnector]


@pytest.fixture
def app(
    sandbox: HubSpotSandbox, connect: Callable[..., HubSpotConnector], monkeypatch: pytest.MonkeyPatch
) -> App:
    """Makes connections of an installed app; `changes` are credentials that differ."""

    def app(**changes: str) -> HubSpotConnector:
        for name, value in {**SIGN_IN, **changes}.items():
            monkeypatch.setenv(f"APP_{name.upper()}", value)
        return connect(sandbox, auth={name: f"${{env:APP_{name.upper()}}}" for name in SIGN_IN})

    return app


def deals(connector: HubSpotConnector) -> dict[Any, Any]:
    return settle({}, connector.pull(DEALS, None, ()))


def statuses(sandbox: HubSpotSandbox, path: str = "") -> list[int]:
    return [request.status for request in sandbox.requests if path in request.path]


def test_an_app_reads_what_a_service_key_reads(app: App, connector: HubSpotConnector) -> None:
    assert deals(app()) == deals(connector)


def test_a_token_is_renewed_before_it_ends(app: App, sandbox: HubSpotSandbox) -> None:
    connector = app()
    for minutes in (0, 26, 2, 26, 2):
        sandbox.clock.advance(timedelta(minutes=minutes))
        deals(connector)
    assert statuses(sandbox, TOKEN) == [200, 200, 200], "after 28 minutes of its 30"
    assert 401 not in statuses(sandbox)


def test_a_token_that_ends_in_the_middle_of_a_pull_is_renewed_once(
    app: App, sandbox: HubSpotSandbox, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    monkeypatch.setattr(pull, "LIST_ROWS", 5)
    monkeypatch.setattr(pull, "LISTS_A_PAGE", 1)
    connector = app()
    whole = deals(connector)
    state: dict[Any, Any] = {}
    for page in connector.pull(DEALS, None, ()):
        state = settle(state, [page])
        sandbox.expire_tokens()
    assert state == whole
    refused = statuses(sandbox).count(401)
    assert refused >= 2
    assert len(statuses(sandbox, TOKEN)) == 1 + refused
    assert naps == [], "nothing to wait for"


@pytest.fixture
def ready(app: App, sandbox: HubSpotSandbox) -> HubSpotConnector:
    """An app that has set up our fields, and whose token ends right before the first write."""
    connector = app()
    for step in connector.plan_setup(OWN):
        connector.apply_setup(step)
    sandbox.faults.add("EXPIRED_AUTHENTICATION", path="/batch/update")
    return connector


def written(connector: HubSpotConnector, sandbox: HubSpotSandbox) -> str:
    """What became of one write."""
    deal = sandbox.portal.ids("deals")[0]
    [outcome] = connector.write([Change("opportunity", deal, {"pipelint_summary": "Late"})])
    return outcome.status


def test_a_token_that_ends_before_a_write_leaves_no_trace(
    ready: HubSpotConnector, sandbox: HubSpotSandbox
) -> None:
    assert written(ready, sandbox) == "written"
    assert statuses(sandbox, "/batch/update") == [401, 200]


@pytest.mark.parametrize("fault", ["drop_after", "malformed", "UNAVAILABLE"])
def test_a_sign_in_that_fails_before_a_write_leaves_no_doubt_about_the_write(
    ready: HubSpotConnector, sandbox: HubSpotSandbox, fault: str
) -> None:
    """What was lost is the answer of the sign-in: the write had not been done."""
    sandbox.faults.add(fault, path=TOKEN)
    assert written(ready, sandbox) == "written"


def test_calls_at_the_same_time_share_one_sign_in(app: App, sandbox: HubSpotSandbox) -> None:
    client = app()._client
    client.account()
    sandbox.expire_tokens()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get(client.reading.owners(), dict[str, Any], name="owners"), range(8)))
    assert len(statuses(sandbox, TOKEN)) == 2


REFUSED = [
    ({"refresh_token": "gone"}, "BAD_REFRESH_TOKEN"),
    ({"client_id": "unknown"}, "BAD_CLIENT_ID"),
    ({"client_secret": "wrong"}, "BAD_CLIENT_SECRET"),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED, ids=[code for _, code in REFUSED])
def test_a_refused_sign_in_says_what_to_look_at_and_is_not_tried_again(
    app: App, sandbox: HubSpotSandbox, naps: list[float], changes: dict[str, str], code: str
) -> None:
    with pytest.raises(SignInRefused) as caught:
        deals(app(**changes))
    assert code in caught.value.message
    assert "refresh_token" in caught.value.hint
    assert (statuses(sandbox), naps) == ([400], [])


def test_the_form_that_oauth_has_elsewhere_is_understood_too(app: App, sandbox: HubSpotSandbox) -> None:
    body = '{"error": "invalid_grant", "error_description": "the refresh token was revoked"}'
    sandbox.faults.add("respond", path=TOKEN, status=401, body=body)
    with pytest.raises(SignInRefused, match="invalid_grant: the refresh token was revoked") as caught:
        deals(app())
    assert "install the app again" in caught.value.hint


def test_a_token_that_is_never_accepted_ends_after_one_renewal(
    app: App, sandbox: HubSpotSandbox, naps: list[float]
) -> None:
    sandbox.faults.add("EXPIRED_AUTHENTICATION", path="/account-info", times=0)
    with pytest.raises(SignInRefused, match="accepts the sign-in but not the token it gives"):
        deals(app())
    assert (statuses(sandbox), naps) == ([200, 401, 200, 401], [])


def test_a_sign_in_without_an_answer_is_tried_again_by_one_policy(
    app: App, sandbox: HubSpotSandbox, naps: list[float]
) -> None:
    sandbox.faults.add("UNAVAILABLE", path=TOKEN, times=0)
    with pytest.raises(Busy):
        deals(app())
    assert len(statuses(sandbox)) == len(naps) + 1 == 6


def test_an_address_that_nobody_ever_answered_at_is_not_tried_for_long(
    connect: Callable[..., HubSpotConnector], sandbox: HubSpotSandbox, naps: list[float]
) -> None:
    sandbox.stop()
    with pytest.raises(NotSent, match="the connection is refused"):
        deals(connect(sandbox))
    assert len(naps) == 2


@pytest.mark.parametrize("code", ["INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION"])
def test_a_service_key_that_is_not_accepted_is_not_tried_again(
    connector: HubSpotConnector, sandbox: HubSpotSandbox, naps: list[float], code: str
) -> None:
    sandbox.faults.add(code, times=0)
    with pytest.raises(SignInRefused, match=code) as caught:
        deals(connector)
    assert "service key" in caught.value.hint
    assert (statuses(sandbox), naps) == ([401], [])


def test_the_token_endpoint_is_one_that_outlives_february_2027(app: App, sandbox: HubSpotSandbox) -> None:
    sandbox.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    assert deals(app())


def test_tokens_are_never_shown(app: App, sandbox: HubSpotSandbox) -> None:
    connector = app()
    deals(connector)
    token = connector._client._current()
    shown = masker.mask(f"{token} {REFRESH_TOKEN} sandbox-secret")
    assert "sandbox" not in shown
