"""Getting an access token: what each way to sign in sends to the org's token endpoint (fact sheet §1).

All of them ask the org's own My Domain host; a token is never logged, stored or revoked: all jobs of a user
through one app share its session, and giving it back would sign out the others.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, assert_never
from urllib.parse import urlsplit

import msgspec

from pipelint.config.masking import masker
from pipelint.connectors.salesforce.settings import (
    PRODUCTION,
    TEST,
    AccessToken,
    ClientCredentials,
    Jwt,
    RefreshToken,
    Settings,
)
from pipelint.errors import SignInRefused

TOKEN_PATH: Final = "/services/oauth2/token"  # noqa: S105 - a path
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE: Final = timedelta(minutes=3)
"""How long a signed statement holds: it is used at once, and Salesforce refuses long ones."""

HINTS: Final[Mapping[str, str]] = {
    "client_credentials": "check client id and secret, the run-as user, and that the app enables the client "
    "credentials flow",
    "jwt": "check that the app holds the certificate of private_key, that username is pre-authorised in its "
    "policies, and that audience fits: test.salesforce.com for a sandbox; Salesforce says \"hasn't approved "
    'this consumer" for all of these',
    "refresh_token": "the consent has ended or was withdrawn: give it again in the browser, and set the app's "
    "refresh token policy to last until revoked, without rotation",
}
"""What to look at when the token endpoint refuses: its own words rarely tell."""

_log = logging.getLogger(__name__)


class Token(msgspec.Struct):
    """The answer of the token endpoint; `id` ends with the user's id."""

    access_token: str
    instance_url: str
    id: str = ""
    refresh_token: str = ""


class Credentials:
    """What a connection signs in with."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rotated = ""

    @property
    def flow(self) -> str:
        return self._settings.auth.flow

    def given(self) -> Token | None:
        """The token that stands in the settings itself, with which nothing is to be asked."""
        auth = self._settings.auth
        if not isinstance(auth, AccessToken):
            return None
        return Token(auth.token.reveal(), self._settings.base_url)

    def form(self, now: datetime) -> dict[str, str]:
        """The fields to post; `now` is the server's time where it is known."""
        auth = self._settings.auth
        match auth:
            case ClientCredentials():
                return {
                    "grant_type": "client_credentials",
                    "client_id": auth.client_id.reveal(),
                    "client_secret": auth.client_secret.reveal(),
                }
            case Jwt():
                return {"grant_type": _JWT_GRANT, "assertion": _assertion(auth, self._settings.base_url, now)}
            case RefreshToken():
                secret = {"client_secret": auth.client_secret.reveal()} if auth.client_secret else {}
                return {
                    "grant_type": "refresh_token",
                    "client_id": auth.client_id.reveal(),
                    "refresh_token": self._rotated or auth.refresh_token.reveal(),
                    **secret,
                }
            case AccessToken():
                raise SignInRefused("the access token is not accepted any more", hint="give a new one")
            case _:
                assert_never(auth)

    def took(self, token: Token) -> None:
        """Learn from an answer: its secrets, and a refresh token that replaces ours for this run."""
        masker.register(token.access_token)
        if token.refresh_token and self.flow == "refresh_token":
            masker.register(token.refresh_token)
            if not self._rotated:
                _log.warning(
                    "Salesforce gave a new refresh token, which cannot be kept: switch rotation off in the app",
                    extra={"event": "refresh token rotated"},
                )
            self._rotated = token.refresh_token


def _assertion(auth: Jwt, base_url: str, now: datetime) -> str:
    """The signed statement; RS256 is the only algorithm that Salesforce takes."""
    import jwt  # brings the cryptography library, which is slow to import

    claims = {
        "iss": auth.client_id.reveal(),
        "sub": auth.username,
        "aud": auth.audience or audience(base_url),
        "exp": int((now + _LIFE).timestamp()),
    }
    try:
        signed = jwt.encode(claims, auth.private_key.reveal(), algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise SignInRefused(
            "the private key cannot be used to sign",
            hint="private_key takes an RSA key in PEM form without a password, e.g. of: openssl genrsa 2048",
        ) from None
    masker.register(signed)
    return signed


def audience(base_url: str) -> str:
    """Who a statement is for: sandboxes sign in at test, everything else at login.

    >>> audience("https://acme--dev.sandbox.my.salesforce.com")
    'https://test.salesforce.com'
    """
    host = urlsplit(base_url).hostname or ""
    return TEST if ".sandbox." in host or "--" in host else PRODUCTION
