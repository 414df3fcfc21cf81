"""Sign-in: the OAuth token endpoint and the sessions it opens (fact sheet §1)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.salesforce.errors import OAuthError, SalesforceError
from pipelint.sandbox.salesforce.org import INTEGRATION_USER, Org

REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - the sandbox's published credential, it protects nothing

AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
ASSERTION_LIFE = timedelta(minutes=5)


@dataclass(slots=True)
class Session:
    """A signed-in user; it ends when nobody has used it for a while."""

    user_id: str
    used_at: datetime


class Auth:
    """Hands out tokens and knows whose they are.

    `certificate` is what the app trusts JWT assertions by: PEM, an X.509 certificate or a bare public key.
    """

    def __init__(
        self,
        org: Org,
        clock: Clock,
        *,
        client_id: str,
        client_secret: str,
        seconds: int,
        certificate: str = "",
    ) -> None:
        self._org = org
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._key = _public_key(certificate) if certificate else None
        self._life = timedelta(seconds=seconds)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def token(self, form: Mapping[str, str], instance_url: str) -> dict[str, str]:
        """The answer of the token endpoint."""
        match form.get("grant_type"):
            case "client_credentials":
                self._check_client(form)
                user_id = self._org.user(INTEGRATION_USER)
            case "refresh_token":
                self._check_client(form)
                if form.get("refresh_token") != REFRESH_TOKEN:
                    raise OAuthError("invalid_grant", "expired access/refresh token")
                user_id = self._org.user(INTEGRATION_USER)
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                user_id = self._asserted(form.get("assertion", ""))
            case _:
                raise OAuthError("unsupported_grant_type", "grant type not supported")
        user = self._org.store.get(self._org.store.schema["User"], user_id)
        if user is None or not user["IsActive"]:
            raise OAuthError("inactive_user", "user is inactive")
        organization = self._org.store.find_all(self._org.store.schema["Organization"])[0]["Id"]
        return {
            "access_token": self.open(user_id, str(organization)),
            "instance_url": instance_url,
            "id": f"{instance_url}/id/{organization}/{user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(self._clock.now().timestamp() * 1000)),
            "scope": "api",
        }

    def open(self, user_id: str, organization: str = "00D") -> str:
        """A token for this user: the same one as long as it lives, as jobs of one app share it."""
        with self._lock:
            for token, session in self._sessions.items():
                if session.user_id == user_id and self._alive(session):
                    return token
            token = f"{organization[:15]}!{secrets.token_urlsafe(48)}"
            self._sessions[token] = Session(user_id, self._clock.now())
            return token

    def user_of(self, header: str) -> str:
        """The user behind an Authorization header."""
        kind, _, token = header.partition(" ")
        with self._lock:
            session = self._sessions.get(token.strip())
            if kind not in {"Bearer", "OAuth"} or session is None or not self._alive(session):
                raise SalesforceError("INVALID_SESSION_ID")
            session.used_at = self._clock.now()
            return session.user_id

    def expire(self) -> int:
        """End all sessions, and tell how many there were."""
        with self._lock:
            count = len(self._sessions)
            self._sessions.clear()
            return count

    def _alive(self, session: Session) -> bool:
        return self._clock.now() - session.used_at < self._life

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self._client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self._client_secret:
            raise OAuthError("invalid_client", "invalid client credentials")

    def _asserted(self, assertion: str) -> str:
        """The user that a signed JWT speaks for."""
        if self._key is None:
            raise OAuthError("invalid_grant", "invalid assertion")
        try:
            # Audience and time are checked below, in Salesforce's words and by the sandbox's clock.
            claims = jwt.decode(
                assertion,
                self._key,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "require": ["iss", "sub", "aud", "exp"]},
            )
            expires = datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.InvalidTokenError, TypeError, ValueError):
            raise OAuthError("invalid_grant", "invalid assertion") from None
        if claims["iss"] != self._client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if claims["aud"] not in AUDIENCES:
            raise OAuthError("invalid_grant", "audience is invalid")
        if not self._clock.now() < expires <= self._clock.now() + ASSERTION_LIFE:
            raise OAuthError("invalid_grant", "expired authorization code")
        try:
            return self._org.user(claims["sub"])
        except LookupError:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer") from None


def _public_key(pem: str) -> RSAPublicKey:
    """The RSA key of a certificate, or a bare one.

    Raises:
        ValueError: neither, or not RSA.
    """
    data = pem.encode()
    is_certificate = "BEGIN CERTIFICATE" in pem
    key = load_pem_x509_certificate(data).public_key() if is_certificate else load_pem_public_key(data)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the certificate of a JWT app holds an RSA key")  # noqa: TRY004 - a wrong value
    return key
