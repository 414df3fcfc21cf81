"""What pipelint.yaml may say about a HubSpot connection."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from pipelint.config import validate
from pipelint.config.secrets import SecretRef
from pipelint.config.values import Percent, expected
from pipelint.connectors.address import Address
from pipelint.connectors.quota import STOP_AT

BASE_URL: Final = "https://api.hubapi.com"

READ_VERSION: Final = "2026-09"
"""Versions are dates; each lives 18 months (fact sheet hubspot §1)."""

WRITE_VERSION: Final = "2026-03"
"""From 2026-09 on, the portal's rules for people are enforced on what we write, too (fact sheet hubspot §1)."""


def _version(text: str) -> str:
    if not re.fullmatch(r"v3|20\d\d-0[39]", text):
        raise expected(f"an API version such as {READ_VERSION}, or v3")
    return text


Version = Annotated[str, AfterValidator(_version)]


class StaticToken(validate.Settings):
    """A service key, or the token of an existing private app: the way for unattended jobs."""

    token: SecretRef = Field(examples=['"${env:HUBSPOT_TOKEN}"'])


class OAuth(validate.Settings):
    """An app that several accounts have installed; its access tokens live half an hour."""

    client_id: SecretRef = Field(examples=['"${env:HUBSPOT_CLIENT_ID}"'])
    client_secret: SecretRef = Field(examples=['"${env:HUBSPOT_CLIENT_SECRET}"'])
    refresh_token: SecretRef = Field(examples=['"${env:HUBSPOT_REFRESH_TOKEN}"'])


class Settings(validate.Settings):
    """A connection with `crm: hubspot`."""

    crm: Literal["hubspot"]
    auth: StaticToken | OAuth = Field(description="a service key, or an app's credentials")
    base_url: Address = Field(default=BASE_URL, description="HubSpot's own address, also for EU accounts")
    read_version: Version = Field(default=READ_VERSION, description="the version of the API for reading")
    write_version: Version = Field(
        default=WRITE_VERSION,
        description="the version for writing; from 2026-09 on the portal's required fields bind us, too",
    )
    stop_at: Percent = Field(
        default=STOP_AT,
        description="the share of the account's daily API calls at which a run stops, so that others go on",
        json_schema_extra={"default": "80%"},
    )
