"""Talking to one org: calls, pages of queries, descriptions; simple-salesforce knows the endpoints.

The traps of simple-salesforce (fact sheet §11) are closed here: its own requests are not used, because they
drop headers after a new sign-in, sign in without end and hide the raw body; its hosts are always https.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from simple_salesforce.api import Salesforce

from pipelint.connectors.address import base_address
from pipelint.connectors.base import ConnectContext
from pipelint.connectors.clock import ServerClock
from pipelint.connectors.http import BoundedAdapter, NotSent, Session, send
from pipelint.connectors.quota import Allowance
from pipelint.connectors.retry import RetryPolicy
from pipelint.connectors.salesforce import versions
from pipelint.connectors.salesforce.answers import Call, QueryAnswer, Row, UserInfo, decoded
from pipelint.connectors.salesforce.describe import SObjectInfo
from pipelint.connectors.salesforce.normalise import identity
from pipelint.connectors.salesforce.refusal import SIGN_IN, translated
from pipelint.connectors.salesforce.settings import Settings
from pipelint.connectors.salesforce.signin import HINTS, TOKEN_PATH, Credentials, Token
from pipelint.errors import (
    Fix,
    PermissionMissing,
    PipelintError,
    Retry,
    SessionExpired,
    SignInRefused,
    UnexpectedAnswer,
)

T = TypeVar("T")

PAGE_ROWS: Final = 2000
"""The most that a page of a query may hold; Salesforce may send fewer (fact sheet §3)."""

_JSON: Final = {"Content-Type": "application/json"}


class Client:
    """Every request to the org goes through `call`: one sign-in, one retry policy, one count."""

    def __init__(self, settings: Settings, context: ConnectContext) -> None:
        self.settings = settings
        self.context = context
        self.policy = RetryPolicy(sleep=context.sleep)
        self.allowance = Allowance(
            "the allowance covers the last 24 hours, so calls come free hour by hour", settings.stop_at
        )
        self.api_calls = 0
        self.clock = ServerClock(context.clock)
        self._reached = False
        self._org: Salesforce | None = None
        self._signing_in = threading.Lock()
        self._user = ""
        self._credentials = Credentials(settings)
        self._version_checked = False
        self._described: dict[str, SObjectInfo] = {}
        self._session = context.session() if context.session else Session.to(settings.base_url)

    # Calls

    def call(
        self,
        method: str,
        path: str,
        *,
        name: str,
        params: Mapping[str, str] | None = None,
        body: object = None,
        final: type[Retry] | tuple[()] = (),
    ) -> bytes:
        """The body of a successful answer.

        `path` is relative to the versioned API, or absolute with a leading slash. `name` says in messages
        and logs what was asked, without values. Errors of the type `final` are not retried.
        """
        data = None if body is None else msgspec.json.encode(body)
        ask = Call(method, path, name, params, data)
        return self._try(name, lambda: self._signed_in(ask).content, final=final)

    def get(self, path: str, type_: type[T], *, name: str, params: Mapping[str, str] | None = None) -> T:
        """A decoded answer; one that is cut or not JSON is asked for again."""
        ask = Call("GET", path, name, params)
        return self.read(ask, lambda answer: decoded(answer.content, type_, name))

    def read(
        self,
        ask: Call,
        read: Callable[[requests.Response], T],
        *,
        final: type[Retry] | tuple[()] = (),
    ) -> T:
        """What `read` makes of the answer; where it finds it cut (`AnswerLost`), the call is repeated."""
        return self._try(ask.name, lambda: read(self._signed_in(ask)), final=final)

    def query(
        self,
        soql: str,
        *,
        name: str,
        all_rows: bool = False,
        tooling: bool = False,
        final: type[Retry] | tuple[()] = (),
    ) -> Iterator[QueryAnswer]:
        """The pages of a query. `all_rows` adds deleted, merged and archived rows (`queryAll`)."""
        path = f"{'tooling/' if tooling else ''}{'queryAll' if all_rows else 'query'}/"
        hint = {"Sforce-Query-Options": f"batchSize={PAGE_ROWS}"}
        ask = Call("GET", path, name, {"q": soql}, headers=hint)
        while True:
            answer = self.read(ask, lambda answer: decoded(answer.content, QueryAnswer, name), final=final)
            yield answer
            if answer.done:
                return
            ask = Call("GET", str(answer.nextRecordsUrl), name, headers=hint)

    def rows(self, soql: str, *, name: str, tooling: bool = False) -> Iterator[Row]:
        """All rows of a query."""
        for answer in self.query(soql, name=name, tooling=tooling):
            yield from answer.records

    def describe(self, sobject: str) -> SObjectInfo:
        """The object as this user sees it; asked once."""
        if sobject not in self._described:
            path = f"sobjects/{sobject}/describe"
            self._described[sobject] = self.get(path, SObjectInfo, name=f"describe {sobject}")
        return self._described[sobject]

    def forget_descriptions(self) -> None:
        """Ask again from now on, because fields or rights have changed."""
        self._described.clear()

    def server_now(self) -> datetime:
        """The server's clock: what is missing up to now is not missed because our clock is wrong."""
        if self.clock.ahead is None:
            self.sign_in()
        return self.clock.now()

    def user_id(self) -> str:
        """The integration user."""
        if not self._user:
            info = self.get("/services/oauth2/userinfo", UserInfo, name="who we are")
            self._user = str(identity(info.user_id))
        return self._user

    def close(self) -> None:
        self._session.close()

    def _try(self, name: str, call: Callable[[], T], *, final: type[Retry] | tuple[()] = ()) -> T:
        """Patient with a server that has answered before; one that never did is more likely a wrong address."""
        return self.policy.run(name, call, final=final, hurried=() if self._reached else NotSent)

    def _signed_in(self, ask: Call) -> requests.Response:
        """One call; where its session has ended, a new one is made, once, and shared by all calls."""
        self.allowance.ask()
        org = self._org or self._session_with()
        try:
            return self._once(org, ask)
        except SessionExpired:
            org = self._session_with(instead_of=org)
        try:
            return self._once(org, ask)
        except SessionExpired as error:
            raise SignInRefused(
                f"Salesforce accepts the sign-in but not the session it gives: {error.message}",
                hint="check the session settings and IP ranges of the integration user's profile",
            ) from None

    def _once(self, org: Salesforce, ask: Call) -> requests.Response:
        base = urlsplit(org.base_url)
        whole = ask.path.startswith("/")
        url = f"{base.scheme}://{base.netloc}{ask.path}" if whole else org.base_url + ask.path
        content = _JSON if ask.data is not None else {}
        headers = {"Authorization": org.headers["Authorization"], **content, **ask.headers}
        return self._answer(
            ask.name,
            lambda: send(self._session, ask.method, url, headers=headers, params=ask.params, data=ask.data),
            versioned=not whole,
        )

    def _answer(
        self, name: str, ask: Callable[[], requests.Response], *, versioned: bool = False
    ) -> requests.Response:
        self.api_calls += 1
        response = ask()
        self._note(response.headers)
        if response.status_code < 300:
            return response
        if versioned and response.status_code in {404, 410}:
            self._check_version()
        content_type = response.headers.get("Content-Type", "")
        raise translated(name, response.status_code, content_type, response.content, response.headers)

    def _check_version(self) -> None:
        """Tell a version that is not spoken here from an object that is not there; asked once, if at all."""
        if self._version_checked:
            return
        self._version_checked = True
        url = f"{self.settings.base_url}/services/data"
        found: list[versions.Version] = []
        with suppress(PipelintError):  # then the refusal itself has to do
            answer = self._answer("the API versions", lambda: send(self._session, "GET", url))
            found = decoded(answer.content, list[versions.Version], "the API versions")
        if complaint := versions.complaint(self.settings.api_version, found):
            raise Fix(complaint.what, hint=complaint.cure)

    def _note(self, headers: Mapping[str, str]) -> None:
        """Learn from any answer: the server's clock, and the calls used (fact sheet §9)."""
        self._reached = True
        usage = Salesforce.parse_api_usage(headers.get("Sforce-Limit-Info", "")).get("api-usage")
        if usage:
            self.allowance.report(usage.used, usage.total)
        self.clock.note(headers)

    # Sign-in

    def sign_in(self) -> None:
        """Make sure that there is a session with the org."""
        self._try("sign-in", self._session_with)

    def _session_with(self, *, instead_of: Salesforce | None = None) -> Salesforce:
        """The session with the org, a new one instead of one that has ended; all calls share it."""
        with self._signing_in:
            if self._org is None or self._org is instead_of:
                self._org = self._new_org(renewing=instead_of is not None)
            return self._org

    def _new_org(self, *, renewing: bool) -> Salesforce:
        token = None if renewing else self._credentials.given()
        token = token or self._token()
        self._credentials.took(token)
        self._user = str(identity(token.id.rpartition("/")[2]))
        # A session without credentials: simple-salesforce must not sign in by itself (fact sheet §11).
        return Salesforce(
            session_id=token.access_token,
            instance_url=self._instance(token.instance_url),
            version=self.settings.api_version,
            session=self._session,
        )

    def _token(self) -> Token:
        """Ask the My Domain host for a token: it is served there, not at login (fact sheet §1)."""
        form = self._credentials.form(self.clock.now())
        url = f"{self.settings.base_url}{TOKEN_PATH}"
        try:
            body = self._answer("sign-in", lambda: send(self._session, "POST", url, data=form)).content
        except (SessionExpired, PermissionMissing) as error:
            raise SignInRefused(error.message, hint="check that base_url is the org's My Domain") from None
        except SignInRefused as error:
            hint = HINTS[self._credentials.flow] if error.hint == SIGN_IN else error.hint
            raise SignInRefused(error.message, hint=hint) from None
        return decoded(body, Token, "sign-in")

    def _instance(self, url: str) -> str:
        """Later calls go where the token endpoint says, over https or on this machine."""
        try:
            address = base_address(url)
        except ValueError as error:
            raise UnexpectedAnswer(
                f"the token endpoint names an address that is not usable: {error}"
            ) from None
        self._reach(address)
        return address

    def _reach(self, address: str) -> None:
        if address.startswith("http://"):
            self._session.mount(f"https://{urlsplit(address).netloc}/", BoundedAdapter(local=True))
