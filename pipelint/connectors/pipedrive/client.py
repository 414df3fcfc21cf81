"""Talking to one company: sign-in, the daily budget, the limit of two seconds, and pages in two styles."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import msgspec
import requests

from pipelint.connectors.answers import brief, decoded, number
from pipelint.connectors.base import ConnectContext
from pipelint.connectors.clock import ServerClock
from pipelint.connectors.http import AnswerLost, Session, send
from pipelint.connectors.oauth import AccessToken, Token
from pipelint.connectors.pipedrive.budget import Budget
from pipelint.connectors.pipedrive.endpoints import ME, Endpoint
from pipelint.connectors.pipedrive.refusal import Blocked, translated
from pipelint.connectors.pipedrive.settings import ApiToken, OAuth, Settings
from pipelint.connectors.retry import RetryPolicy
from pipelint.errors import SessionExpired, SignInRefused, UnexpectedAnswer

Row: TypeAlias = dict[str, Any]

PAGE_ROWS: Final = 500
"""The most that a page may hold; a request costs the same whatever it brings (fact sheet §3)."""

KEEP_FREE: Final = 2
"""Of the calls that the token may make in two seconds, one in so many is left to others that share it."""


class Answer(msgspec.Struct):
    """The envelope of every answer."""

    success: bool = True
    data: Any = None
    additional_data: dict[str, Any] | None = None
    error: Any = None


class Granted(Token):
    """What an app gets for its refresh token, and the scopes that it was let in for, with commas between."""

    scope: str | None = None


class EmptyAnswer(AnswerLost):
    """Null in place of an answer; the next try may bring one, but for some records none does."""


class Call(NamedTuple):
    """A request to the company, to be sent as often as it takes; `name` says in messages what was asked."""

    endpoint: Endpoint
    ids: Mapping[str, str]
    name: str
    params: Mapping[str, str] | None = None
    data: bytes | None = None


class Answered(NamedTuple):
    """Some rows, and the mark that the next page begins with; None at the end."""

    rows: list[Row]
    next: str | None


class Client:
    """One sign-in, one retry policy and one budget for every request to the company."""

    def __init__(self, settings: Settings, context: ConnectContext) -> None:
        self.settings = settings
        self.context = context
        self.policy = RetryPolicy(sleep=context.sleep)
        # By company, not by connection: two connections to one company live on the same tokens.
        host = urlsplit(settings.base_url).netloc.replace(":", "-")
        file = context.state / f"pipedrive-tokens-{host}.db" if context.state else None
        self.budget = Budget(file, context.clock, settings.daily_tokens, settings.share)
        self.api_calls = 0
        self.clock = ServerClock(context.clock)
        self._session = context.session() if context.session else Session.to(settings.base_url)
        self._token = AccessToken(context.clock)
        self.scopes: frozenset[str] = frozenset()
        """What an app was let in for; known after its first call, where Pipedrive told."""
        self._blocked: Blocked | None = None
        self._pause = 0.0

    # Calls

    def get(
        self, endpoint: Endpoint, *, name: str, params: Mapping[str, str] | None = None, **ids: str
    ) -> Answer:
        """A decoded answer; one that is cut or not JSON is asked for again."""
        call = Call(endpoint, ids, name, params)
        return self.policy.run(name, lambda: _enveloped(self._signed_in(call), name))

    def send(self, endpoint: Endpoint, body: object, *, name: str, **ids: str) -> Answer:
        """The answer to a change; where it is lost, the caller looks before the change is sent again."""
        call = Call(endpoint, ids, name, data=msgspec.json.encode(body))
        return self.policy.run(name, lambda: _enveloped(self._signed_in(call), name), final=AnswerLost)

    def pages(
        self,
        endpoint: Endpoint,
        *,
        name: str,
        params: Mapping[str, str] | None = None,
        begin: str | None = None,
        **ids: str,
    ) -> Iterator[Answered]:
        """Pages that are marked by a cursor, from the mark `begin` on; all parameters are sent each time."""
        mark = begin
        while True:
            asked = {"limit": str(PAGE_ROWS), **(params or {}), **({"cursor": mark} if mark else {})}
            answer = self.get(endpoint, name=name, params=asked, **ids)
            mark = (answer.additional_data or {}).get("next_cursor")
            yield Answered(answer.data or [], mark)
            if not mark:
                return

    def counted(
        self,
        endpoint: Endpoint,
        *,
        name: str,
        params: Mapping[str, str] | None = None,
        **ids: str,
    ) -> Iterator[Answered]:
        """Pages of API v1, which go by a number of rows; some lists tell how they go on, in one of two forms."""
        start = 0
        while True:
            asked = {"limit": str(PAGE_ROWS), **(params or {}), "start": str(start)}
            answer = self.get(endpoint, name=name, params=asked, **ids)
            rows: list[Row] = answer.data or []
            told = answer.additional_data or {}
            place = told.get("pagination") or told
            start = place.get("next_start") or start + len(rows)
            more = bool(rows and place.get("more_items_in_collection"))
            yield Answered(rows, str(start) if more else None)
            if not more:
                return

    def now(self) -> datetime:
        """The server's clock, in whole seconds."""
        if self.clock.ahead is None:
            self.get(ME, name="the sign-in")
        return self.clock.now()

    def granted(self) -> frozenset[str]:
        """The scopes of an app; none for an API token, which may do all, and where Pipedrive does not tell."""
        if isinstance(self.settings.auth, OAuth):
            self._current(self.settings.auth)
        return self.scopes

    def close(self) -> None:
        self._session.close()
        self.budget.close()

    def _signed_in(self, call: Call) -> bytes:
        """One call; an access token that has ended is renewed, once."""
        auth = self.settings.auth
        if isinstance(auth, ApiToken):
            try:
                return self._once(call, {"x-api-token": auth.token.reveal()})
            except SessionExpired as error:
                raise SignInRefused(error.message, hint=error.hint) from None
        token = self._current(auth)
        try:
            return self._once(call, _bearer(token))
        except SessionExpired:
            self._token.drop(token)
        try:
            return self._once(call, _bearer(self._current(auth)))
        except SessionExpired as error:
            raise SignInRefused(
                f"Pipedrive accepts the sign-in but not the token it gives: {error.message}",
                hint="see whether the app is still installed and its user active",
            ) from None

    def _once(self, call: Call, headers: Mapping[str, str]) -> bytes:
        """One call, with the header that says who we are: never in the address, which is written into logs."""
        if self._blocked is not None:
            raise self._blocked
        self.budget.spend(call.endpoint.tokens, detail=call.endpoint.detail)
        self._wait()
        method, url = call.endpoint.method, self.settings.base_url + call.endpoint.at(**call.ids)
        if call.data is not None:
            headers = {**headers, "Content-Type": "application/json"}
        self.api_calls += 1
        response = send(self._session, method, url, headers=headers, params=call.params, data=call.data)
        self._note(response.headers)
        if response.status_code >= 500 and method == "POST":
            # What makes something new is not repeated before somebody has looked.
            raise AnswerLost(f"Pipedrive failed at {call.name} (HTTP {response.status_code})")
        if response.status_code >= 300:
            raise self._refused(call.name, response)
        return response.content

    def _refused(self, name: str, response: requests.Response) -> Exception:
        content_type = response.headers.get("Content-Type", "")
        error = translated(name, response.status_code, content_type, response.content, response.headers)
        if isinstance(error, Blocked):
            self._blocked = error
        return error

    def _wait(self) -> None:
        """Let the two seconds pass where half of their calls are gone: the other half is for others."""
        if self._pause:
            self.context.sleep(self._pause)
            self._pause = 0.0

    def _note(self, headers: Mapping[str, str]) -> None:
        """Learn from any answer: the server's clock, and what is left of both limits."""
        limit, left = (number(headers.get(f"x-ratelimit-{word}")) for word in ("limit", "remaining"))
        if limit and left is not None and left * KEEP_FREE <= limit:
            self._pause = float(number(headers.get("x-ratelimit-reset")) or 2)
        self.budget.report(
            number(headers.get("x-daily-ratelimit-token-limit")),
            number(headers.get("x-daily-ratelimit-token-remaining")),
        )
        self.clock.note(headers)

    # Sign-in

    def _current(self, auth: OAuth) -> str:
        return self._token.current(lambda: self.policy.run("sign-in", lambda: self._refreshed(auth)))

    def _refreshed(self, auth: OAuth) -> Token:
        form = {"grant_type": "refresh_token", "refresh_token": auth.refresh_token.reveal()}
        basic = _basic(auth.client_id.reveal(), auth.client_secret.reveal())
        self.api_calls += 1
        response = send(
            self._session,
            "POST",
            f"{auth.oauth_url}/oauth/token",
            headers={"Authorization": basic},
            data=form,
        )
        if response.status_code >= 300:
            error = self._refused("sign-in", response)
            if isinstance(error, SessionExpired):
                raise SignInRefused(str(error), hint="check client_id, client_secret and refresh_token")
            raise error
        granted = decoded(response.content, _tokens, "Pipedrive", "sign-in")
        self.scopes = frozenset(re.split(r"[ ,]+", granted.scope or "")) - {""}
        return granted


def _enveloped(body: bytes, name: str) -> Answer:
    """The envelope, with exact decimals.

    Raises:
        AnswerLost: the body is cut or empty, so the call may be repeated.
        UnexpectedAnswer: it is of another form, or says that it failed with a status of success.
    """
    if body.strip() == b"null":
        raise EmptyAnswer(f"Pipedrive's answer to {name} is empty")
    answer = decoded(body, _answers, "Pipedrive", name)
    if not answer.success:
        raise UnexpectedAnswer(
            f"Pipedrive answers {name} with success: false ({brief(str(answer.error or 'no reason'))})"
        )
    return answer


_answers: Final = msgspec.json.Decoder(Answer, float_hook=Decimal)
_tokens: Final = msgspec.json.Decoder(Granted)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
