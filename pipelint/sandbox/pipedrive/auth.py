"""Who calls: API tokens, which do not expire, and OAuth access tokens, which do."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from werkzeug.datastructures import Authorization

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.pipedrive.errors import unauthorized

SCOPES = (
    "base", "deals:full", "contacts:full", "activities:full", "users:read", "recents:read",
    "deal-fields:full", "contact-fields:full", "leads:full", "products:read", "admin",
)  # fmt: skip
REFRESH_LIFE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, and what the app may do in that name; an API token may do all (`scopes` None)."""

    token: str
    user_id: int
    scopes: frozenset[str] | None = None


@dataclass(slots=True)
class _Grant:
    user_id: int
    scopes: frozenset[str]
    used_at: datetime


class OAuthError(Exception):
    """A refusal of the token endpoint."""


class Auth:
    """Hands out tokens and knows them again."""

    def __init__(self, clock: Clock, *, client_id: str, client_secret: str, seconds: int) -> None:
        self._clock = clock
        self._client = client_id, client_secret
        self._life = timedelta(seconds=seconds)
        self._api_tokens: dict[str, int] = {}
        self._access: dict[str, tuple[Caller, datetime]] = {}
        self._grants: dict[str, _Grant] = {}
        self._lock = threading.Lock()

    def api_token(self, user_id: int) -> str:
        """The one API token of this user."""
        with self._lock:
            for token, owner in self._api_tokens.items():
                if owner == user_id:
                    return token
            token = secrets.token_hex(20)
            self._api_tokens[token] = user_id
            return token

    def regenerate(self, user_id: int) -> str:
        """A new API token, with which the old one ends."""
        with self._lock:
            self._api_tokens = {token: it for token, it in self._api_tokens.items() if it != user_id}
        return self.api_token(user_id)

    def grant(self, user_id: int, scopes: tuple[str, ...] = SCOPES) -> str:
        """The refresh token of an app that this user let in."""
        token = f"1:1:{secrets.token_hex(20)}"
        with self._lock:
            self._grants[token] = _Grant(user_id, frozenset({"base", *scopes}), self._clock.now())
        return token

    def expire(self) -> int:
        """End all access tokens; the apps can refresh them."""
        with self._lock:
            count = len(self._access)
            self._access.clear()
            return count

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who a request comes from.

        Raises:
            PipedriveError: 401, no token that is valid now in a header; in the URL it does not count.
        """
        headers = {name.lower(): value for name, value in headers.items()}
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        given = headers.get("x-api-token", "")
        with self._lock:
            if given in self._api_tokens:
                return Caller(given, self._api_tokens[given])
            found = self._access.get(bearer.strip()) if kind == "Bearer" else None
            if found is None or found[1] <= self._clock.now():
                raise unauthorized()
            return found[0]

    def token(
        self, authorization: Authorization | None, form: Mapping[str, str], domain: str
    ) -> dict[str, object]:
        """The answer of the token endpoint.

        Raises:
            OAuthError: with the word that the endpoint answers.
        """
        if authorization is None or authorization.type != "basic":
            raise OAuthError("invalid_client")
        if (authorization.username, authorization.password) != self._client:
            raise OAuthError("invalid_client")
        if form.get("grant_type") != "refresh_token":
            raise OAuthError("unsupported_grant_type")
        refresh, now = form.get("refresh_token", ""), self._clock.now()
        with self._lock:
            grant = self._grants.get(refresh)
            if grant is None or now - grant.used_at > REFRESH_LIFE:
                raise OAuthError("invalid_grant")
            grant.used_at = now
            token = f"v1u:{secrets.token_urlsafe(48)}"
            self._access[token] = Caller(token, grant.user_id, grant.scopes), now + self._life
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self._life.total_seconds()) - 1,
            "refresh_token": refresh,
            "scope": ",".join(sorted(grant.scopes)),
            "api_domain": domain,
        }
