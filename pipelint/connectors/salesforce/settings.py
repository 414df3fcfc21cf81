"""What pipelint.yaml may say about a Salesforce connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, field_validator

from pipelint.config import validate
from pipelint.config.secrets import SecretRef
from pipelint.config.values import Percent, expected, wrong
from pipelint.connectors.address import base_address
from pipelint.connectors.quota import STOP_AT

API_VERSION: Final = "68.0"
"""Winter '27. Versions live for years; 31.0 to 40.0 go in Summer '28 (fact sheet §2)."""

_REFUSED: Final = {
    "password": "Salesforce is retiring the username-password flow, and newer orgs block it",
    "soap": "Salesforce retires SOAP login() in Summer '27, and newer orgs have it switched off",
}
_LATER: Final = ("jwt", "refresh_token")
_USE: Final = "use flow: client_credentials with an External Client App"


def _base_url(text: str) -> str:
    try:
        address = base_address(text)
    except ValueError as error:
        raise wrong(f"'{text}' is not an address that can be used", str(error)) from None
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


class AccessToken(validate.Settings):
    """A token that somebody else got, for tests and CI; it cannot be renewed."""

    flow: Literal["access_token"]
    token: SecretRef = Field(examples=['"${env:SF_ACCESS_TOKEN}"'])


class Settings(validate.Settings):
    """A connection with `crm: salesforce`."""

    crm: Literal["salesforce"]
    base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        description="the My Domain address", examples=["https://acme.my.salesforce.com"]
    )
    auth: ClientCredentials | AccessToken = Field(
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

    @field_validator("auth", mode="before")
    @classmethod
    def _unattended(cls, auth: object) -> object:
        flow = auth.get("flow") if isinstance(auth, Mapping) else None
        if flow in _LATER:
            raise wrong(f"sign-in with flow: {flow} is not supported yet", _USE)
        if flow in _REFUSED:
            raise wrong(_REFUSED[flow], _USE)
        return auth
