"""Talking to one org: sign-in, calls, pages of queries, descriptions; simple-salesforce knows the endpoints.

The traps of simple-salesforce (fact sheet §11) are closed here: its own requests are not used, because they
drop headers after a new sign-in, sign in without end, hide the raw body and ask for pretty-printed JSON; its
hosts are always https, so a server on this machine is reached through an adapter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from simple_salesforce.api import Salesforce

from pipelint.config.masking import masker
from pipelint.connectors.address import base_address, is_loopback
from pipelint.connectors.base import ConnectContext
from pipelint.connectors.http import AnswerLost, BoundedAdapter, NotSent, Session, send
from pipelint.connectors.quota import Allowance
from pipelint.connectors.retry import RetryPolicy
from pipelint.connectors.salesforce.describe import SObjectInfo
from pipelint.connectors.salesforce.normalise import identity
from pipelint.connectors.salesforce.refusal import translated
from pipelint.connectors.salesforce.settings import AccessToken, ClientCredentials, Settings
from pipelint.connectors.salesforce.soql import checked
from pipelint.errors import PermissionMissing, Retry, SessionExpired, SignInRefused, UnexpectedAnswer

Row: TypeAlias = dict[str, Any]
T = TypeVar("T")

PAGE_ROWS: Final = 2000
"""The most that a page of a query may hold; Salesforce may send fewer (fact sheet §3)."""

_JSON: Final = {"Content-Type": "application/json"}


class QueryAnswer(msgspec.Struct):
    """A page of a query. Never count its rows: `done` alone says whether it is the last (fact sheet §3)."""

    done: bool
    records: list[Row]
    nextRecordsUrl: str | None = None  # noqa: N815 - Salesforce's name


class Token(msgspec.Struct):
    """The answer of the token endpoint; `id` ends with the user's id."""

    access_token: str
    instance_url: str
    id: str = ""


class UserInfo(msgspec.Struct):
    """Who we are."""

    user_id: str


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
        self.skew: timedelta | None = None
        """How far the server's clock is ahead of ours; known after the first answer."""
        self._reached = False
        self._org: Salesforce | None = None
        self._signing_in = threading.Lock()
        self._user = ""
        self._described: dict[str, SObjectInfo] = {}
        self._session = self._new_session(settings.base_url)

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
        return self._try(name, lambda: self._signed_in(method, path, name, params, data), final=final)

    def get(self, path: str, type_: type[T], *, name: str, params: Mapping[str, str] | None = None) -> T:
        """A decoded answer; one that is cut or not JSON is asked for again."""
        return self._try(name, lambda: decoded(self._signed_in("GET", path, name, params, None), type_, name))

    def query(
        self, soql: str, *, name: str, all_rows: bool = False, tooling: bool = False
    ) -> Iterator[QueryAnswer]:
        """The pages of a query. `all_rows` adds deleted, merged and archived rows (`queryAll`)."""
        path = f"{'tooling/' if tooling else ''}{'queryAll' if all_rows else 'query'}/"
        answer = self.get(path, QueryAnswer, name=name, params={"q": checked(soql)})
        yield answer
        while not answer.done:
            answer = self.get(str(answer.nextRecordsUrl), QueryAnswer, name=name)
            yield answer

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
        if self.skew is None:
            self.sign_in()
        return (self.context.clock() + (self.skew or timedelta())).astimezone(UTC).replace(microsecond=0)

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

    def _signed_in(
        self, method: str, path: str, name: str, params: Mapping[str, str] | None, data: bytes | None
    ) -> bytes:
        """One call; where its session has ended, a new one is made, once, and shared by all calls."""
        self.allowance.ask()
        org = self._org or self._session_with()
        try:
            return self._once(org, method, path, name, params, data)
        except SessionExpired:
            org = self._session_with(instead_of=org)
        try:
            return self._once(org, method, path, name, params, data)
        except SessionExpired as error:
            raise SignInRefused(
                f"Salesforce accepts the sign-in but not the session it gives: {error.message}",
                hint="check the session settings and IP ranges of the integration user's profile",
            ) from None

    def _once(
        self,
        org: Salesforce,
        method: str,
        path: str,
        name: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
    ) -> bytes:
        base = urlsplit(org.base_url)
        url = f"{base.scheme}://{base.netloc}{path}" if path.startswith("/") else org.base_url + path
        headers = {"Authorization": org.headers["Authorization"], **(_JSON if data is not None else {})}
        if "query" in path:
            headers["Sforce-Query-Options"] = f"batchSize={PAGE_ROWS}"
        return self._answer(
            name, lambda: send(self._session, method, url, headers=headers, params=params, data=data)
        )

    def _answer(self, name: str, ask: Callable[[], requests.Response]) -> bytes:
        self.api_calls += 1
        response = ask()
        self._note(response.headers)
        if response.status_code >= 300:
            content_type = response.headers.get("Content-Type", "")
            raise translated(name, response.status_code, content_type, response.content, response.headers)
        return response.content

    def _note(self, headers: Mapping[str, str]) -> None:
        """Learn from any answer: the server's clock, and the calls used (fact sheet §9)."""
        self._reached = True
        usage = Salesforce.parse_api_usage(headers.get("Sforce-Limit-Info", "")).get("api-usage")
        if usage:
            self.allowance.report(usage.used, usage.total)
        if "Date" in headers:
            try:
                self.skew = parsedate_to_datetime(headers["Date"]) - self.context.clock()
            except (TypeError, ValueError):
                return  # a proxy wrote a date of its own kind

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
        auth = self.settings.auth
        if isinstance(auth, AccessToken):
            if renewing:
                raise SignInRefused("the access token is not accepted any more", hint="give a new one")
            token = Token(auth.token.reveal(), self.settings.base_url)
        else:
            token = self._token(auth)
        masker.register(token.access_token)
        self._user = str(identity(token.id.rpartition("/")[2]))
        instance = self._instance(token.instance_url)
        # A session without credentials: simple-salesforce must not sign in by itself (fact sheet §11).
        return Salesforce(
            session_id=token.access_token,
            instance_url=instance,
            version=self.settings.api_version,
            session=self._session,
        )

    def _token(self, auth: ClientCredentials) -> Token:
        """Ask the My Domain host for a token: it is served there, not at login (fact sheet §1)."""
        form = {
            "grant_type": "client_credentials",
            "client_id": auth.client_id.reveal(),
            "client_secret": auth.client_secret.reveal(),
        }
        url = f"{self.settings.base_url}/services/oauth2/token"
        try:
            body = self._answer("sign-in", lambda: send(self._session, "POST", url, data=form))
        except (SessionExpired, PermissionMissing) as error:
            raise SignInRefused(error.message, hint="check that base_url is the org's My Domain") from None
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

    def _new_session(self, base_url: str) -> requests.Session:
        if self.context.session is not None:
            return self.context.session()
        # A proxy of the environment must not come between us and this machine.
        return Session(trust_env=not is_loopback(urlsplit(base_url).hostname))

    def _reach(self, address: str) -> None:
        if address.startswith("http://"):
            self._session.mount(f"https://{urlsplit(address).netloc}/", BoundedAdapter(local=True))


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def decoded(body: bytes, type_: type[T], name: str) -> T:
    """The answer as `type_`, with exact decimals.

    Raises:
        AnswerLost: The body is not JSON as a whole, so the call may be repeated.
        UnexpectedAnswer: It is JSON of another form.
    """
    if type_ not in _decoders:
        _decoders[type_] = msgspec.json.Decoder(type_, float_hook=Decimal)
    try:
        answer: T = _decoders[type_].decode(body)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(f"Salesforce answers {name} in an unknown form: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AnswerLost(f"Salesforce's answer to {name} is cut short or not JSON") from None
    return answer
