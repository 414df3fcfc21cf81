"""Talking to one portal: sign-in, the limits of HubSpot, and pages; one retry policy, one count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from pipelint.connectors import answers
from pipelint.connectors.base import ConnectContext
from pipelint.connectors.clock import ServerClock
from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.hubspot import paths
from pipelint.connectors.hubspot.answers import Account, Batch, Call, Query, Rows, decoded
from pipelint.connectors.hubspot.pace import Pace
from pipelint.connectors.hubspot.paths import Paths
from pipelint.connectors.hubspot.refusal import APP, RecordLocked, translated
from pipelint.connectors.hubspot.settings import OAuth, Settings, StaticToken
from pipelint.connectors.hubspot.wire import Answer, Wire
from pipelint.connectors.oauth import AccessToken, Token
from pipelint.connectors.quota import Allowance
from pipelint.connectors.retry import RetryPolicy
from pipelint.errors import Busy, QuotaExhausted, Retry, SessionExpired, SignInRefused

T = TypeVar("T")
B = TypeVar("B", bound=Batch)


class Client:
    """One sign-in, one retry policy and one count for every request to the portal."""

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
                said = f"{failed.name}: {failed.said}"
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
