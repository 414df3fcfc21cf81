"""Changes of one of our fields, and what becomes of them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from pipelint.connectors.base import Change, Outcome
from pipelint.connectors.salesforce.connector import SalesforceConnector

HYGIENE = "Pipelint_Hygiene__c"


def changes(ids: list[str], value: int = 72) -> list[Change]:
    return [Change("opportunity", id_, {HYGIENE: Decimal(value)}) for id_ in ids]


def write(connector: SalesforceConnector, made: list[Change]) -> dict[str, Outcome]:
    found = list(connector.write(made))
    assert sorted(outcome.id for outcome in found) == sorted(change.id for change in made)
    return {outcome.id: outcome for outcome in found}


def counts(outcomes: dict[str, Outcome]) -> dict[str, int]:
    return Counter(outcome.status for outcome in outcomes.values())
