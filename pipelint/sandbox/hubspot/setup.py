"""The account before its first deal: pipelines, the properties it added, labels, rules, administrators."""

from __future__ import annotations

from pipelint.sandbox.hubspot.moments import midnight
from pipelint.sandbox.hubspot.object_types import CONTACTS, DEALS, LEADS
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Pipeline, Stage
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.property import Group, Option, Property
from pipelint.sandbox.hubspot.rules import ConditionalRule, StageRules, ValidationRule, Workflow

NEW_BUSINESS, RENEWAL = "default", "105893021"
GROUP = "sales_method"

_NEW_BUSINESS_STAGES = (
    # The first ids are words, those of HubSpot's own default pipeline; only the labels were changed.
    ("appointmentscheduled", "Prospecting", 0.1),
    ("qualifiedtobuy", "Qualification", 0.1),
    ("presentationscheduled", "Needs Analysis", 0.2),
    ("decisionmakerboughtin", "Value Proposition", 0.5),
    ("contractsent", "Id. Decision Makers", 0.6),
    ("186012375", "Perception Analysis", 0.7),
    ("186012376", "Proposal/Price Quote", 0.75),
    ("186012377", "Negotiation/Review", 0.9),
    ("closedwon", "Closed Won", 1.0),
    ("closedlost", "Closed Lost", 0.0),
)
_RENEWAL_STAGES = (
    ("186012401", "Qualification", 0.1),
    ("186012402", "Value Proposition", 0.5),
    ("186012403", "Proposal/Price Quote", 0.75),
    ("186012404", "Negotiation/Review", 0.9),
    ("186012405", "Closed Won", 1.0),
    ("186012406", "Closed Lost", 0.0),
)
_RETIRED = {NEW_BUSINESS: "186012378", RENEWAL: "186012407"}
"""The stage "Verbal Agreement" was put away while a deal was still in it."""

_LEAD_STAGES = (
    ("new-stage-id", "New", "NEW"),
    ("attempting-stage-id", "Attempting", "ATTEMPTING"),
    ("connected-stage-id", "Connected", "CONNECTED"),
    ("qualified-stage-id", "Qualified", "QUALIFIED"),
    ("unqualified-stage-id", "Unqualified", "UNQUALIFIED"),
)

LABELS = ("Champion", "Decision maker", "Economic buyer", "Evaluator", "Business user")
"""What people at the customer can be in a deal."""
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Trade Show", "Other")

_CUSTOM = (
    Property("need", "Need", "string", "textarea", GROUP),
    Property("decision_makers", "Decision makers", "string", "text", GROUP),
    Property("budget", "Budget", "string", "text", GROUP),
    Property("deadline", "Customer deadline", "date", "date", GROUP),
    Property("risk", "Main risk", "string", "text", GROUP),
    Property("next_step_date", "Next step date", "date", "date", GROUP),
    Property(
        "lead_source",
        "Lead source",
        "enumeration",
        "select",
        GROUP,
        tuple(Option(it, it) for it in LEAD_SOURCES),
    ),
)
"""What this account added to deals long before pipelint came."""

_WON = {
    "type": "LIST_BASED",
    "shouldReEnroll": False,
    "listFilterBranch": {
        "filterBranchType": "OR",
        "filterBranches": [
            {
                "filterBranchType": "AND",
                "filters": [
                    {
                        "filterType": "PROPERTY",
                        "property": "dealstage",
                        "operation": {"operator": "IS_ANY_OF", "values": ["closedwon"]},
                    }
                ],
            }
        ],
    },
}
"""What a workflow waits for: deals that are won."""


def _stage(stage_id: str, label: str, probability: float) -> Stage:
    closed = probability in {0.0, 1.0}
    return Stage(stage_id, label, {"isClosed": str(closed).lower(), "probability": str(probability)})


def set_up(portal: Portal) -> None:
    """Everything but the people and deals of sales."""
    now = portal.now()
    for number, label, stages in (
        (NEW_BUSINESS, "New business", _NEW_BUSINESS_STAGES),
        (RENEWAL, "Renewals", _RENEWAL_STAGES),
    ):
        retired = _stage(_RETIRED[number], "Verbal Agreement", 0.8)
        retired.archived_at = now
        portal.add_pipeline(DEALS, Pipeline(number, label, [*(_stage(*it) for it in stages), retired]))
    leads = [Stage(stage, label, {"leadState": state}) for stage, label, state in _LEAD_STAGES]
    portal.add_pipeline(LEADS, Pipeline("lead-pipeline-id", "Lead pipeline", leads))
    portal.properties[DEALS].groups[GROUP] = Group(GROUP, "Sales method")
    created = midnight(portal.clock.now().date().replace(month=1, day=8))
    for it in _CUSTOM:
        portal.properties[DEALS].put(
            portal.define(DEALS, it), custom=True, created_at=created, changed_at=created
        )
    for label in LABELS:
        portal.links.types.add(DEALS, CONTACTS, label)
    portal.validation_rules[DEALS].append(ValidationRule("amount", "MIN_NUMBER", ("0",)))
    for lost in (_NEW_BUSINESS_STAGES[-1][0], _RENEWAL_STAGES[-1][0]):
        portal.conditional_rules[DEALS].append(ConditionalRule("dealstage", (lost,), ("closed_lost_reason",)))
    portal.workflows.append(Workflow("1830000001", "Hand over new customers", DEALS.type_id, _WON))
    portal.stage_rules[NEW_BUSINESS] = StageRules(forward_only=("contractsent",))
    portal.owners += [
        Owner(71_000_001, 61_000_001, "Odile", "Ravel", "colleague@sandbox.example", created_at=created),
        Owner(71_000_002, 61_000_002, "Martin", "Keller", "manager@sandbox.example", created_at=created),
    ]
