"""Sign-in: a static service key, and OAuth access tokens that end after half an hour (fact sheet §2)."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.hubspot.errors import Detail, HubSpotError, OAuthError

SERVICE_KEY = "pat-eu1-sandbox-service-key"
REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - published like the key above, it protects nothing

SCOPES = frozenset(
    f"crm.{what}.{name}.{may}"
    for what, names in {
        "objects": ("deals", "contacts", "companies", "owners", "line_items", "leads"),
        "schemas": ("deals", "contacts", "companies"),
    }.items()
    for name in names
    for may in ("read", "write")
) | {
    "sales-email-read",
    "automation",
    "crm-pipelines-governance-read",
    "crm-pipelines-locked-stages-access",
}
"""Everything the sandbox knows; a token has all of it unless it was made with less."""


@dataclass(slots=True)
class Token:
    """What a token may do, and until when."""

    scopes: frozenset[str]
    ends_at: datetime | None = None
    ended: bool = False

    def require(self, *scopes: str) -> None:
        """Refuse a call for which none of these scopes was granted."""
        if not self.scopes & set(scopes):
            raise HubSpotError(
                403,
                "This app hasn't been granted all required scopes to make this call."
                " Read more about required scopes here: https://developers.hubspot.com/scopes.",
                details=[
                    Detail(
                        "One or more of the following scopes are required.",
                        context={"requiredGranularScopes": scopes},
                    )
                ],
                links={"scopes": "https://developers.hubspot.com/scopes"},
            )


class Auth:
    """Hands out tokens and knows what they may do."""

    def __init__(self, clock: Clock, *, client_id: str, client_secret: str, seconds: int) -> None:
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._life = timedelta(seconds=seconds)
        self._tokens = {SERVICE_KEY: Token(SCOPES)}
        self._made = 0
        self._lock = threading.Lock()

    def key(self, scopes: Collection[str] = SCOPES) -> str:
        """A service key with these scopes: it does not end by itself."""
        if frozenset(scopes) == SCOPES:
            return SERVICE_KEY
        return self._add(f"{SERVICE_KEY}-", Token(frozenset(scopes)))

    def token(self, form: Mapping[str, str]) -> dict[str, object]:
        """The answer of the token endpoint to a refresh token."""
        for name, right, status in (
            ("client_id", self._client_id, "BAD_CLIENT_ID"),
            ("client_secret", self._client_secret, "BAD_CLIENT_SECRET"),
            ("grant_type", "refresh_token", "BAD_GRANT_TYPE"),
            ("refresh_token", REFRESH_TOKEN, "BAD_REFRESH_TOKEN"),
        ):
            if form.get(name) != right:
                raise OAuthError(status, f"missing or invalid {name}")
        access = self._add("sandbox-access-", Token(SCOPES, self._clock.now() + self._life))
        return {
            "token_type": "bearer",
            "refresh_token": REFRESH_TOKEN,
            "access_token": access,
            "expires_in": int(self._life.total_seconds()),
        }

    def introspect(self, form: Mapping[str, str]) -> dict[str, object]:
        """What a token may do, and whether it still may."""
        name = form.get("token", "")
        token = self._tokens.get(name)
        if token is None:
            raise OAuthError("BAD_TOKEN", "the token is not known")
        return {"active": not self._over(token), "token": name, "scopes": sorted(token.scopes)}

    def of(self, header: str) -> Token:
        """The token of an `Authorization` header."""
        scheme, _, name = header.partition(" ")
        token = self._tokens.get(name.strip())
        if scheme.lower() != "bearer" or token is None:
            raise HubSpotError(
                401,
                "Authentication credentials not found. This API supports OAuth 2.0 authentication"
                " and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            )
        if self._over(token):
            raise HubSpotError(
                401, "The OAuth token used to make this call expired.", category="EXPIRED_AUTHENTICATION"
            )
        return token

    def expire(self) -> int:
        """End every OAuth token handed out so far; service keys stay. Answers how many there were."""
        with self._lock:
            ending = [it for it in self._tokens.values() if it.ends_at is not None and not it.ended]
            for it in ending:
                it.ended = True
        return len(ending)

    def _over(self, token: Token) -> bool:
        return token.ended or (token.ends_at is not None and token.ends_at <= self._clock.now())

    def _add(self, prefix: str, token: Token) -> str:
        with self._lock:
            self._made += 1
            name = f"{prefix}{self._made}"
            self._tokens[name] = token
        return name
