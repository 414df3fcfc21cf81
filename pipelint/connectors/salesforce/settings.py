"""What pipelint.yaml may say about a Salesforce connection."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, field_validator, model_validator

from pipelint.config import settings
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
_NEEDS: Final = {"client_credentials": ("client_id", "client_secret"), "access_token": ("token",)}


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


class Auth(settings.Settings):
    """How to sign in without a person (fact sheet §1)."""

    flow: Literal["client_credentials", "access_token"]
    client_id: SecretRef | None = None
    client_secret: SecretRef | None = None
    token: SecretRef | None = None

    @field_validator("flow", mode="before")
    @classmethod
    def _known_flow(cls, flow: object) -> object:
        if flow in _LATER:
            raise wrong(f"sign-in with flow: {flow} is not supported yet", _USE)
        if flow in _REFUSED:
            raise wrong(_REFUSED[str(flow)], _USE)
        return flow

    @model_validator(mode="after")
    def _complete(self) -> Auth:
        needed = _NEEDS[self.flow]
        for name in ("client_id", "client_secret", "token"):
            given = getattr(self, name) is not None
            if given != (name in needed):
                verb = "does not take" if given else "needs"
                raise wrong(f"flow: {self.flow} {verb} {name}", f"it takes {' and '.join(needed)}")
        return self


class Settings(settings.Settings):
    """A connection with `crm: salesforce`."""

    crm: Literal["salesforce"]
    base_url: Annotated[str, AfterValidator(_base_url)]
    auth: Auth
    api_version: Annotated[str, AfterValidator(_version)] = API_VERSION
    stop_at: Percent = STOP_AT
    """The share of the org's daily API calls at which a run stops, so that other integrations go on."""
