"""What currencies are worth, in orgs that have several (fact sheet §4).

Salesforce gives the units of a currency that one unit of the corporate currency buys; with advanced currency
management also by date, from which opportunities are converted by their close date.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import day, identity, number
from pipelint.errors import PermissionMissing
from pipelint.records import ExchangeRate

STATIC: Final = "CurrencyType"
DATED: Final = "DatedConversionRate"


def known(client: Client) -> bool:
    """Whether there are rates: only where opportunities say a currency of their own, which costs no call."""
    try:
        several = client.describe("Opportunity").sees("CurrencyIsoCode")
    except PermissionMissing:
        return False
    return several and _sees(client, STATIC)


def rates(client: Client) -> list[ExchangeRate]:
    """The rate of each currency for ever, and the dated ones that stand before it."""
    found = list(_of(client, STATIC, "IsoCode", "ConversionRate"))
    if _sees(client, DATED):
        found += _of(client, DATED, "IsoCode", "ConversionRate", "StartDate")
    return found


def _of(client: Client, sobject: str, *columns: str) -> Iterator[ExchangeRate]:
    statement = soql.select(("Id", *columns), sobject, order_by=["Id"])
    for row in client.rows(statement, name=f"query {sobject}"):
        start, rate = day(row.get("StartDate")), number(row["ConversionRate"])
        yield ExchangeRate(str(identity(row["Id"])), row["IsoCode"], start, rate)


def _sees(client: Client, sobject: str) -> bool:
    try:
        client.describe(sobject)
    except PermissionMissing:
        return False
    return True
