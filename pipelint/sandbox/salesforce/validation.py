"""The organisation's own validation rules, which bite on any save of the whole record (hazard W1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.store import Row, Store


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A rule as an administrator would have written it; `broken` says what its formula says."""

    name: str
    active: bool
    message: str
    formula: str
    broken: Callable[[Row], bool]
    field: str | None = None


RULES = (
    ValidationRule(
        "Closed_lost_needs_loss_reason",
        active=True,
        message="Closed deals need a loss reason.",
        formula="AND(ISPICKVAL(StageName, 'Closed Lost'), ISBLANK(TEXT(Loss_Reason__c)))",
        broken=lambda deal: deal["StageName"] == "Closed Lost" and not deal["Loss_Reason__c"],
        field="Loss_Reason__c",
    ),
    ValidationRule(
        "Negotiation_needs_amount",
        active=True,
        message="Deals under negotiation need an amount.",
        formula="AND(ISPICKVAL(StageName, 'Negotiation/Review'), BLANKVALUE(Amount, 0) = 0)",
        broken=lambda deal: deal["StageName"] == "Negotiation/Review" and not deal["Amount"],
        field="Amount",
    ),
    ValidationRule(
        "Proposal_needs_budget",
        active=False,
        message="A proposal needs a budget.",
        formula="AND(ISPICKVAL(StageName, 'Proposal/Price Quote'), ISBLANK(Budget__c))",
        broken=lambda deal: deal["StageName"] == "Proposal/Price Quote" and not deal["Budget__c"],
    ),
)

_BY_NAME = {rule.name: rule for rule in RULES}


def validate(store: Store, deal: Row) -> None:
    """Refuse the record when an active rule of the organisation does not accept it."""
    for row in store.find_all(store.schema["ValidationRule"], Active=1):
        rule = _BY_NAME[str(row["ValidationName"])]
        if rule.broken(deal):
            raise SalesforceError(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                str(row["ErrorMessage"]),
                [rule.field] if rule.field else [],
            )
