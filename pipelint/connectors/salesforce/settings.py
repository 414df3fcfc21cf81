"""What pipelint.yaml may say about a Salesforce connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, field_validator

from pipelint.config import validate
from pipelint.config.secrets import SecretRef
from pipelint.config.values import Duration, Percent, expected, wrong
from pipelint.connectors.address import Address
from pipelint.connectors.quota import STOP_AT

API_VERSION: Final = "68.0"
"""Winter '27. Versions live for years; 31.0 to 40.0 go in Summer '28 (fact sheet §2)."""

BULK_ABOVE: Final = 20_000
"""Below, ten pages of 2,000 are quicker than a job, which needs five calls and its own time to start."""

REREAD: Final = timedelta(days=1)

_REFUSED: Final = {
    "password": "Salesforce is retiring the username-password flow, and newer orgs block it",
    "soap": "Salesforce retires SOAP login() in Summer '27, and newer orgs have it switched off",
}
_SOAP_KEYS: Final = {"password", "security_token"}
_USE: Final = "use flow: client_credentials with an External Client App"

PRODUCTION: Final = "https://login.salesforce.com"
TEST: Final = "https://test.salesforce.com"


def _my_domain(address: str) -> str:
    if address.endswith(".lightning.force.com"):
        hint = "write the My Domain address that ends in .my.salesforce.com"
        raise wrong("the API is not served at lightning.force.com", hint)
    return address


def _version(text: str) -> str:
    if not re.fullmatch(r"\d{2}\.0", text):
        raise expected(f"an API version such as {API_VERSION}")
    return text


class ClientCredentials(validate.Settings):
    """The way for unattended jobs: an app of the org that runs as one integration user (fact sheet §1)."""

    flow: Literal["client_credentials"]
    client_id: SecretRef = Field(examples=['"${env:SF_CLIENT_ID}"'])
    client_secret: SecretRef = Field(examples=['"${env:SF_CLIENT_SECRET}"'])


class Jwt(validate.Settings):
    """A signed statement of who we are: the app holds the certificate, we hold the key (fact sheet §1)."""

    flow: Literal["jwt"]
    client_id: SecretRef = Field(examples=['"${env:SF_CLIENT_ID}"'])
    username: str = Field(
        description="the integration user, who must be pre-authorised for the app",
        examples=["pipelint@acme.example"],
    )
    private_key: SecretRef = Field(examples=['"${file:salesforce.key}"'])
    audience: Literal["https://login.salesforce.com", "https://test.salesforce.com"] | None = Field(
        default=None,
        description="who the statement is for; left out, test.salesforce.com for the address of a sandbox "
        "and login.salesforce.com for any other",
    )


class RefreshToken(validate.Settings):
    """A token from one browser consent; with rotation switched off, since a new one cannot be kept."""

    flow: Literal["refresh_token"]
    client_id: SecretRef = Field(examples=['"${env:SF_CLIENT_ID}"'])
    client_secret: SecretRef | None = Field(default=None, examples=['"${env:SF_CLIENT_SECRET}"'])
    refresh_token: SecretRef = Field(examples=['"${env:SF_REFRESH_TOKEN}"'])


class AccessToken(validate.Settings):
    """A token that somebody else got, for tests and CI; it cannot be renewed."""

    flow: Literal["access_token"]
    token: SecretRef = Field(examples=['"${env:SF_ACCESS_TOKEN}"'])


class Settings(validate.Settings):
    """A connection with `crm: salesforce`."""

    crm: Literal["salesforce"]
    base_url: Annotated[Address, AfterValidator(_my_domain)] = Field(
        description="the My Domain address", examples=["https://acme.my.salesforce.com"]
    )
    auth: ClientCredentials | Jwt | RefreshToken | AccessToken = Field(
        discriminator="flow", description="how to sign in without a person"
    )
    api_version: Annotated[str, AfterValidator(_version)] = Field(
        default=API_VERSION, description="the version of the REST API"
    )
    stop_at: Percent = Field(
        default=STOP_AT,
        description="the share of the org's daily API calls at which a run stops, so that others go on",
        json_schema_extra={"default": "80%"},
    )
    bulk_above: int = Field(
        default=BULK_ABOVE,
        ge=0,
        description="the number of rows above which a stream is read through the Bulk API, in fewer calls",
    )
    reread: Duration = Field(
        default=REREAD,
        description="how often records are read whole, since formulas, sharing and renamed lookups change "
        "without a trace; activities seven times more rarely",
        json_schema_extra={"default": "1d"},
    )

    @field_validator("auth", mode="before")
    @classmethod
    def _unattended(cls, auth: object) -> object:
        given = auth if isinstance(auth, Mapping) else {}
        flow = given.get("flow")
        if flow in _REFUSED:
            raise wrong(_REFUSED[flow], _USE)
        if _SOAP_KEYS & given.keys():
            raise wrong(_REFUSED["soap"], _USE)
        return auth
