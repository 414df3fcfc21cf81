"""What pipelint.yaml may say about a Pipedrive connection."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from pydantic import Field, PositiveInt

from pipelint.config import validate
from pipelint.config.secrets import SecretRef
from pipelint.config.values import Percent
from pipelint.connectors.address import Address

OAUTH_URL: Final = "https://oauth.pipedrive.com"

SMALLEST_DAY: Final = 30_000
"""Tokens a day on the smallest plan with one seat (fact sheet pipedrive §6)."""

SHARE: Final = Decimal("0.5")


class ApiToken(validate.Settings):
    """The API token of a user who sees all deals: best one of its own, for it has all rights of that user."""

    token: SecretRef = Field(examples=['"${env:PIPEDRIVE_TOKEN}"'])


class OAuth(validate.Settings):
    """A private app: four times the calls in a short time, scopes, and it can be revoked by itself."""

    client_id: SecretRef = Field(examples=['"${env:PIPEDRIVE_CLIENT_ID}"'])
    client_secret: SecretRef = Field(examples=['"${env:PIPEDRIVE_CLIENT_SECRET}"'])
    refresh_token: SecretRef = Field(examples=['"${env:PIPEDRIVE_REFRESH_TOKEN}"'])
    oauth_url: Address = Field(default=OAUTH_URL, description="where access tokens are got")


class Settings(validate.Settings):
    """A connection with `crm: pipedrive`."""

    crm: Literal["pipedrive"]
    base_url: Address = Field(
        description="the company's own address", examples=["https://acme.pipedrive.com"]
    )
    auth: ApiToken | OAuth = Field(description="an API token, or a private app's credentials")
    daily_tokens: PositiveInt = Field(
        default=SMALLEST_DAY,
        description="API tokens that the company has a day: 30000 times the plan's factor times the seats",
    )
    share: Percent = Field(
        default=SHARE,
        description="the share of the company's daily tokens that pipelint may use; the rest is for others",
        json_schema_extra={"default": "50%"},
    )
    protect_rotting: bool = Field(
        default=False,
        description="do not write to deals that are rotten or about to be: a write would make them look fresh",
    )
    role_field: str | None = Field(
        default=None, description="the person field that holds the part somebody has in a decision"
    )
