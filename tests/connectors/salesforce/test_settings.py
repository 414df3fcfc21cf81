"""What pipelint.yaml may say about a Salesforce connection, and how mistakes are answered."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelint.connectors.salesforce.settings import (
    API_VERSION,
    AccessToken,
    ClientCredentials,
    Jwt,
    RefreshToken,
    Settings,
)

AUTH = {"flow": "client_credentials", "client_id": "${env:A}", "client_secret": "${env:B}"}

JWT = {"flow": "jwt", "client_id": "${env:A}", "username": "u@acme.example", "private_key": "${file:k}"}


def settings(**changed: Any) -> Settings:
    given = {"crm": "salesforce", "base_url": "https://acme.my.salesforce.com", "auth": AUTH}
    return Settings.model_validate(given | changed)


def test_client_credentials() -> None:
    found = settings()
    assert isinstance(found.auth, ClientCredentials)
    assert found.api_version == API_VERSION


def test_jwt() -> None:
    assert isinstance(settings(auth=JWT).auth, Jwt)


def test_refresh_token_needs_no_secret() -> None:
    found = settings(auth={"flow": "refresh_token", "client_id": "${env:A}", "refresh_token": "${env:R}"})
    assert isinstance(found.auth, RefreshToken)


def test_access_token() -> None:
    assert isinstance(settings(auth={"flow": "access_token", "token": "${env:T}"}).auth, AccessToken)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"auth": AUTH | {"flow": "jwt"}}, "private_key"),
        ({"auth": JWT | {"private_key": "-----BEGIN plain"}}, "a secret in plain text"),
        ({"auth": JWT | {"audience": "https://acme.my.salesforce.com"}}, "test.salesforce.com"),
        ({"auth": {"username": "a", "password": "b", "security_token": "c"}}, r"retires SOAP login\(\)"),
        ({"auth": AUTH | {"password": "b"}}, r"retires SOAP login\(\)"),
        ({"bulk_above": -1}, "greater than or equal to 0"),
        ({"reread": "daily"}, "a length of time"),
        ({"auth": AUTH | {"flow": "password"}}, "retiring the username-password flow"),
        ({"auth": AUTH | {"flow": "soap"}}, r"retires SOAP login\(\) in Summer '27"),
        ({"auth": AUTH | {"flow": "magic"}}, "client_credentials"),
        ({"auth": {"flow": "client_credentials", "client_id": "${env:A}"}}, "client_secret"),
        ({"auth": AUTH | {"token": "${env:T}"}}, "token"),
        ({"auth": AUTH | {"client_secret": "plain"}}, "a secret in plain text"),
        ({"base_url": "http://acme.my.salesforce.com"}, "cannot be used|not an address"),
        ({"base_url": "https://acme.lightning.force.com"}, "not served at lightning"),
        ({"api_version": "59"}, "an API version such as"),
        ({"timeout": 3}, "timeout"),
    ],
)
def test_mistakes_are_explained(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as caught:
        settings(**changed)
    assert "plain'" not in str(caught.value)
