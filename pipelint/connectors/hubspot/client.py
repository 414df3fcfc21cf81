"""Talking to one portal: sign-in, the limits of HubSpot, and pages; one retry policy, one count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipelint.connectors import answers
from pipelint.connectors.answers import brief
from pipelint.connectors.base import ConnectContext
from pipelint.connectors.clock import ServerClock
from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.hubspot import paths
from pipelint.connectors.hubspot.pace import Pace
from pipelint.connectors.hubspot.paths import Paths
from pipelint.connectors.hubspot.refusal import APP, RecordLocked, translated
from pipelint.connectors.hubspot.settings import OAuth, Settings, StaticToken
from pipelint.connectors.hubspot.wire import Answer, Wire
from pipelint.connectors.oauth import AccessToken, Token
from pipelint.connectors.quota import Allowance
from pipelint.connectors.retry import RetryPolicy
from pipelint.errors import Busy, Fix, QuotaExhausted, Retry, SessionExpired, SignInRefused

T = TypeVar("T")
B = TypeVar("B", bound="Batch")
Query: TypeAlias = Sequence[tuple[str, str]]


class Call(NamedTuple):
    """A request to the portal, to be sent as often as it takes; `name` says in messages what was asked."""

    method: str
    path: str
    name: str
    query: Query = ()
    body: object = None


class Next(msgspec.Struct):
    """The mark of the next page."""

    after: str


class Paging(msgspec.Struct):
    """Absent on a last page."""

    next: Next | None = None


class Change(msgspec.Struct):
    """A value that a property had; `value` may be empty text: it was cleared."""

    value: str | None
    timestamp: str
    sourceType: str = ""  # noqa: N815 - HubSpot's name
    sourceId: str | None = None  # noqa: N815 - HubSpot's name
    updatedByUserId: int | str | None = None  # noqa: N815 - HubSpot's name


class Associated(msgspec.Struct):
    """A record that is linked with another one; it comes once for each type of the link."""

    id: str


class Associations(msgspec.Struct):
    """The records of one type that a row is linked with; with `paging` these are not all."""

    results: list[Associated]
    paging: Paging | None = None


class Row(msgspec.Struct):
    """A record; all values are text (fact sheet §13)."""

    id: str
    properties: dict[str, str | None] = {}
    propertiesWithHistory: dict[str, list[Change]] | None = None  # noqa: N815 - HubSpot's name
    associations: dict[str, Associations] = {}
    archived: bool = False


ABSENT: Final = frozenset({"OBJECT_NOT_FOUND", "CONTACT_NOT_FOUND", "DEAL_NOT_FOUND"})
"""How HubSpot says that there is no such record, or that nothing is linked with it."""


class ErrorPart(msgspec.Struct):
    """One entry of `errors`; `context` holds lists of texts."""

    message: str = ""
    category: str = ""
    code: str | None = None
    context: dict[str, Any] = {}

    @property
    def absent(self) -> bool:
        """Whether it says no more than that there is nothing."""
        return bool({self.category, self.code} & ABSENT)


class Batch(msgspec.Struct, kw_only=True):
    """The answer to a batch, which may hold errors under any status of success (fact sheet §1)."""

    errors: list[ErrorPart] = []


class Rows(Batch):
    """A page of records, or those of a batch."""

    results: list[Row]
    paging: Paging | None = None
    total: int | None = None

    @property
    def after(self) -> str | None:
        """The mark of the next page, None on the last one."""
        return self.paging.next.after if self.paging and self.paging.next else None


class Account(msgspec.Struct):
    """What the portal is."""

    portalId: int  # noqa: N815 - HubSpot's name
    timeZone: str = "UTC"  # noqa: N815 - HubSpot's name
    companyCurrency: str | None = None  # noqa: N815 - HubSpot's name
    uiDomain: str = "app.hubspot.com"  # noqa: N815 - HubSpot's name
    accountType: str = ""  # noqa: N815 - HubSpot's name

    @property
    def zone(self) -> ZoneInfo:
        """Where dates that travel as instants are meant (fact sheet §13).

        Raises:
            Fix: no such zone is known here. Another one would shift close dates by a day without a word.
        """
        try:
            return ZoneInfo(self.timeZone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Fix(
                f"HubSpot's account has the time zone '{self.timeZone}', which is not known here",
                hint="update the Python package tzdata",
            ) from None


class Client:
    """Every request to the portal goes through `call`."""

    def __init__(self, settings: Settings, context: ConnectContext) -> None:
        self.settings = settings
        self.context = context
        self.reading = Paths(settings.read_version)
        self.writing = Paths(settings.write_version)
        self.policy = RetryPolicy(sleep=context.sleep)
        self.allowance = Allowance(
            "the allowance comes back at midnight of the account's time zone", settings.stop_at
        )
        self.pace = Pace(context.clock, context.sleep)
        self.api_calls = 0
        self.clock = ServerClock(context.clock)
        self._wire = Wire(settings.base_url)
        self._token = AccessToken(context.clock)
        self._reached = False
        self._account: Account | None = None

    # Calls

    def get(self, path: str, kind: type[T], *, name: str, query: Query = ()) -> T:
        """A decoded answer; one that is cut or not JSON is asked for again."""
        return self._try(name, lambda: decoded(self._signed_in(Call("GET", path, name, query)), kind, name))

    def ask(self, path: str, body: object, kind: type[T], *, name: str) -> T:
        """The answer to a question that travels as a POST, and does no harm when it is asked again."""
        call = Call("POST", path, name, body=body)
        return self._try(name, lambda: decoded(self._signed_in(call), kind, name))

    def batch(self, path: str, body: object, kind: type[B], *, name: str) -> B:
        """The answer to a question about many records; those it says are not there are left out.

        Raises:
            Busy: it failed for some of them all the time. Without the error they would look like gone.
        """
        call = Call("POST", path, name, body=body)

        def once() -> B:
            answer = decoded(self._signed_in(call), kind, name)
            failed = next((part for part in answer.errors if not part.absent), None)
            if failed is not None:
                said = f"{failed.code or failed.category}: {brief(failed.message)}"
                raise Busy(f"HubSpot leaves records out of its answer about {name} ({said})")
            return answer

        return self._try(name, once)

    def search(self, path: str, body: object, *, name: str) -> Rows:
        """A page of a search; its limit of five a second is the whole account's (fact sheet §12)."""
        call = Call("POST", path, name, body=body)

        def once() -> Rows:
            self.pace.search()
            return decoded(self._signed_in(call), Rows, name)

        return self._try(name, once)

    def change(
        self, method: str, path: str, body: object, *, name: str, final: type[Retry] | tuple[()] = AnswerLost
    ) -> bytes:
        """The answer to a change. Where it is lost, the caller looks before the change is sent again."""
        call = Call(method, path, name, body=body)
        return self._try(name, lambda: self._signed_in(call).body, final=final)

    def pages(self, path: str, query: Query, *, name: str, after: str | None = None) -> Iterator[Rows]:
        """The pages of a list, from a mark on."""
        mark = after
        while True:
            page = self.get(path, Rows, name=name, query=[*query, *([("after", mark)] if mark else [])])
            yield page
            mark = page.after
            if mark is None:
                return

    def account(self) -> Account:
        """What the portal is; asked for once."""
        if self._account is None:
            self._account = self.get(paths.ACCOUNT, Account, name="the account")
        return self._account

    def now(self) -> datetime:
        """The server's clock, in whole seconds."""
        if self.clock.ahead is None:
            self.account()
        return self.clock.now()

    def close(self) -> None:
        self._wire.close()

    def _try(self, name: str, call: Callable[[], T], *, final: type[Retry] | tuple[()] = ()) -> T:
        """Patient with a server that has answered before; one that never did is more likely a wrong address.

        Where a record is locked, others may be waiting behind it.
        """
        hurried = RecordLocked if self._reached else (NotSent, RecordLocked)
        return self.policy.run(name, call, final=final, hurried=hurried)

    def _signed_in(self, call: Call) -> Answer:
        """One call; an access token that has ended is renewed, once."""
        self.allowance.ask()
        token = self._current()
        try:
            return self._once(call, token)
        except SessionExpired as error:
            if isinstance(self.settings.auth, StaticToken):
                raise SignInRefused(error.message, hint=error.hint) from None
        self._token.drop(token)
        try:
            return self._once(call, self._current())
        except SessionExpired as error:
            raise SignInRefused(
                f"HubSpot accepts the sign-in but not the token it gives: {error.message}",
                hint="see whether the app is still installed in the account",
            ) from None

    def _once(self, call: Call, token: str) -> Answer:
        self.pace.wait()
        self.api_calls += 1
        answer = self._wire.send(call.method, call.path, token=token, query=call.query, body=call.body)
        self._note(answer.headers)
        if answer.status >= 300:
            raise translated(call.name, answer.status, answer.body, answer.headers)
        return answer

    def _note(self, headers: Mapping[str, str]) -> None:
        """Learn from any answer: the server's clock, and what is left of the limits."""
        self._reached = True
        self.pace.note(headers)
        allowed, left = (
            answers.number(headers.get(f"X-HubSpot-RateLimit-{word}"))
            for word in ("Daily", "Daily-Remaining")
        )
        if allowed and left is not None:
            self.allowance.report(allowed - left, allowed)
        self.clock.note(headers)

    # Sign-in

    def _current(self) -> str:
        auth = self.settings.auth
        if isinstance(auth, StaticToken):
            return auth.token.reveal()
        return self._token.current(lambda: self._refreshed(auth))

    def _refreshed(self, auth: OAuth) -> Token:
        form = {
            "grant_type": "refresh_token",
            "client_id": auth.client_id.reveal(),
            "client_secret": auth.client_secret.reveal(),
            "refresh_token": auth.refresh_token.reveal(),
        }
        self.api_calls += 1
        try:
            answer = self._wire.send("POST", paths.TOKEN, form=form)
            if answer.status < 300:
                return decoded(answer, Token, "sign-in")
            error = translated("sign-in", answer.status, answer.body, answer.headers)
            if isinstance(error, Busy | AnswerLost | QuotaExhausted):
                raise error
        except AnswerLost as lost:
            # The call that needs the token has not been sent: also a change may be tried again.
            raise NotSent(lost.message, hint=lost.hint) from None
        raise SignInRefused(error.message, hint=APP)


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def decoded(answer: Answer, kind: type[T], name: str) -> T:
    """The body as `kind`.

    Raises:
        AnswerLost: it is not JSON as a whole, so the call may be repeated.
        UnexpectedAnswer: it is JSON of another form.
    """
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind, strict=False)
    read: T = answers.decoded(answer.body, _decoders[kind], "HubSpot", name)
    return read
