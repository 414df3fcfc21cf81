"""Each way to sign in, what it sends, and what is said when it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pipelint.config.masking import masker
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.connectors.salesforce.settings import Settings
from pipelint.connectors.salesforce.signin import Credentials, audience
from pipelint.errors import Fix, SignInRefused
from pipelint.records import Stream
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.auth import REFRESH_TOKEN

Connect = Callable[..., SalesforceConnector]
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
USER = "integration@sandbox.example"


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def with_jwt(key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The `auth:` of a connection that signs with the key."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "salesforce.key").write_bytes(pem)
    monkeypatch.setenv("SF_CLIENT_ID", "sandbox-client")
    file = f"${{file:{tmp_path / 'salesforce.key'}}}"
    return {"flow": "jwt", "client_id": "${env:SF_CLIENT_ID}", "username": USER, "private_key": file}


def credentials(auth: dict[str, Any], base_url: str = "https://acme.my.salesforce.com") -> Credentials:
    return Credentials(Settings.model_validate({"crm": "salesforce", "base_url": base_url, "auth": auth}))


def test_a_jwt_is_signed_with_the_key_and_says_who_we_are(
    with_jwt: dict[str, Any], key: rsa.RSAPrivateKey
) -> None:
    form = credentials(with_jwt).form(NOW)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert jwt.get_unverified_header(form["assertion"])["alg"] == "RS256"
    claims = jwt.decode(
        form["assertion"],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert claims == {
        "iss": "sandbox-client",
        "sub": USER,
        "aud": "https://login.salesforce.com",
        "exp": int(NOW.timestamp()) + 180,
    }
    assert form["assertion"] not in masker.mask(f"sent {form['assertion']}")


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--dev.my.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_the_audience_follows_the_kind_of_org(base_url: str, expected: str) -> None:
    assert audience(base_url) == expected


def test_a_given_audience_is_taken(with_jwt: dict[str, Any]) -> None:
    form = credentials(with_jwt | {"audience": "https://test.salesforce.com"}).form(NOW)
    claims = jwt.decode(form["assertion"], options={"verify_signature": False})
    assert claims["aud"] == "https://test.salesforce.com"


def test_a_key_that_is_none_is_refused_without_showing_it(with_jwt: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "salesforce.key").write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n")
    with pytest.raises(SignInRefused, match="cannot be used to sign") as caught:
        credentials(with_jwt).form(NOW)
    assert "nonsense" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert "PEM" in caught.value.hint


def test_a_jwt_opens_a_session(
    small_org: Path, connect: Connect, with_jwt: dict[str, Any], key: rsa.RSAPrivateKey
) -> None:
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with SalesforceSandbox(state=small_org, now=NOW, certificate=public.decode()) as sandbox:
        assert list(connect(sandbox, auth=with_jwt).pull(Stream.OWNERS, None, ()))


def test_a_user_who_is_not_approved_is_explained(
    sandbox: SalesforceSandbox, connect: Connect, with_jwt: dict[str, Any]
) -> None:
    with pytest.raises(SignInRefused) as caught:
        list(connect(sandbox, auth=with_jwt | {"username": "nobody"}).pull(Stream.OWNERS, None, ()))
    for word in ("certificate", "pre-authorised", "audience", "hasn't approved"):
        assert word in caught.value.hint


def refresh(monkeypatch: pytest.MonkeyPatch, token: str) -> dict[str, Any]:
    monkeypatch.setenv("SF_REFRESH_TOKEN", token)
    return {
        "flow": "refresh_token",
        "client_id": "${env:SF_CLIENT_ID}",
        "client_secret": "${env:SF_CLIENT_SECRET}",
        "refresh_token": "${env:SF_REFRESH_TOKEN}",
    }


def test_a_refresh_token_opens_a_session_and_renews_it(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = connect(sandbox, auth=refresh(monkeypatch, REFRESH_TOKEN))
    for _ in range(2):
        assert list(connector.pull(Stream.OWNERS, None, ()))
        sandbox.expire_sessions()


def test_a_consent_that_was_withdrawn_is_explained(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SignInRefused, match="expired access/refresh token") as caught:
        list(connect(sandbox, auth=refresh(monkeypatch, "old")).pull(Stream.OWNERS, None, ()))
    assert "consent" in caught.value.hint


def test_a_rotated_refresh_token_serves_this_run_and_is_warned_about(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    session = {"access_token": sandbox.token(), "instance_url": sandbox.base_url}
    rotated = session | {"refresh_token": "the-next-one"}
    body = json.dumps(rotated)
    sandbox.faults.add("respond", path="/oauth2/token", status=200, body=body)
    connector = connect(sandbox, auth=refresh(monkeypatch, REFRESH_TOKEN))
    assert list(connector.pull(Stream.OWNERS, None, ()))
    assert "switch rotation off" in caplog.text
    assert "the-next-one" not in caplog.text
    assert connector._client._credentials.form(NOW)["refresh_token"] == "the-next-one"


@pytest.mark.parametrize(("version", "why"), [("70.0", "too new here"), ("25.0", "retired")])
def test_a_version_that_is_not_spoken_is_told_from_a_missing_object(
    sandbox: SalesforceSandbox, connect: Connect, version: str, why: str
) -> None:
    with pytest.raises(Fix, match=why) as caught:
        list(connect(sandbox, api_version=version).pull(Stream.OWNERS, None, ()))
    assert "31.0 to 68.0" in caught.value.message
    assert "api_version: '68.0'" in caught.value.hint


def test_an_object_that_is_missing_asks_for_the_versions_once(
    sandbox: SalesforceSandbox, connect: Connect
) -> None:
    sandbox.faults.add("NOT_FOUND", path="/(Lead|Task)/describe", status=404, times=0)
    assert Stream.LEADS not in connect(sandbox).streams()
    assert sum(request.path == "/services/data" for request in sandbox.requests) == 1
