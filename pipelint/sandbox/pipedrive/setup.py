"""A company before anybody sells: an admin, two pipelines, activity types, and the fields they added."""

from __future__ import annotations

from collections.abc import Mapping

from pipelint.sandbox.deals import LOSS_REASONS, ROLES
from pipelint.sandbox.organisation import OPEN_STAGES, RETIRED_STAGE, SOURCES
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.schema import PIPELINES, STAGES, USERS

ADMIN = 11_000_001
"""The user whose API token the integration has; users have ids of another size than all else."""
MANAGER = 11_000_002
"""Somebody who is no admin."""

FOUNDED = "2020-01-06T08:00:00Z"
"""When its pipelines and stages were made."""

PIPELINE_IDS = {"new-business": 1, "renewal": 2}
PROBABILITIES = {
    "Prospecting": 10,
    "Qualification": 10,
    "Needs Analysis": 20,
    "Value Proposition": 50,
    "Id. Decision Makers": 60,
    "Perception Analysis": 70,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    RETIRED_STAGE: 80,
}
ROTTEN_AFTER = {"Proposal/Price Quote": 30, "Negotiation/Review": 21}
"""Days without a change after which a deal rots, in the stages where that is switched on."""

CATEGORIES = ("Pipeline", "Best Case", "Commit", "Omitted")
USUAL_CATEGORY = {
    "Proposal/Price Quote": "Best Case",
    "Negotiation/Review": "Commit",
    RETIRED_STAGE: "Best Case",
}
"""What sellers choose in a late stage, unless they know better; before that it is all pipeline."""
DEAL_FIELDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Need": ("text", ()),
    "Decision makers": ("varchar", ()),
    "Budget": ("varchar", ()),
    "Customer deadline": ("date", ()),
    "Main risk": ("varchar", ()),
    "Next step": ("varchar", ()),
    "Next step date": ("date", ()),
    "Forecast category": ("enum", CATEGORIES),
    "Lead source": ("enum", tuple(it for it in SOURCES if it)),
}
PERSON_FIELDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Role": ("enum", (*ROLES, "Business User")),
    "Position": ("varchar", ()),
}
"""What this company added long before pipelint came."""

ACTIVITY_TYPES = ("call", "meeting", "task", "deadline", "email", "lunch")


def set_up(company: Company) -> None:
    """Fill an empty company."""
    store, now = company.store, company.now()
    store.insert(
        USERS, user_row(ADMIN, "Pipelint Integration", "integration@sandbox.example", now, admin=True)
    )
    store.insert(USERS, user_row(MANAGER, "Martin Keller", "manager@sandbox.example", now))
    store.keep(
        "activity types",
        [
            {
                "id": number,
                "order_nr": number,
                "name": key.capitalize(),
                "key_string": key,
                "icon_key": key,
                "active_flag": True,
                "color": "FFFFFF",
                "is_custom_flag": False,
                "add_time": "2020-01-01 00:00:00",
                "update_time": "2020-01-01 00:00:00",
            }
            for number, key in enumerate(ACTIVITY_TYPES, start=1)
        ],
    )
    for name, number in PIPELINE_IDS.items():
        store.insert(
            PIPELINES,
            {
                "id": number,
                "name": name.replace("-", " ").capitalize(),
                "order_nr": number,
                "is_deleted": False,
                "is_deal_probability_enabled": True,
                "add_time": FOUNDED,
                "update_time": FOUNDED,
            },
        )
        _stages(company, name, number)
    reasons = company.fields.get("deals", "lost_reason")
    reasons["options"] = [{"id": number, "label": it} for number, it in enumerate(LOSS_REASONS, start=1)]
    for object_, fields in (("deals", DEAL_FIELDS), ("persons", PERSON_FIELDS)):
        for label, (kind, choices) in fields.items():
            options = {"options": [{"label": it} for it in choices]} if choices else {}
            company.fields.create(object_, {"field_name": label, "field_type": kind, **options})


def _stages(company: Company, pipeline: str, number: int) -> None:
    for order, name in enumerate((*OPEN_STAGES[pipeline], RETIRED_STAGE), start=1):
        company.store.insert(
            STAGES,
            {
                "order_nr": order,
                "name": name,
                "is_deleted": name == RETIRED_STAGE,
                "deal_probability": PROBABILITIES[name],
                "pipeline_id": number,
                "is_deal_rot_enabled": name in ROTTEN_AFTER,
                "days_to_rotten": ROTTEN_AFTER.get(name),
                "add_time": FOUNDED,
                "update_time": FOUNDED,
            },
        )


def user_row(
    number: int, name: str, email: str, now: str, *, active: bool = True, admin: bool = False
) -> dict[str, object]:
    """A user; who has left is no longer active, but still listed."""
    return {
        "id": number,
        "name": name,
        "email": email,
        "default_currency": "EUR",
        "locale": "fr_FR",
        "lang": 1,
        "activated": True,
        "last_login": now,
        "created": now,
        "modified": now,
        "has_created_company": admin,
        "active_flag": active,
        "timezone_name": "Europe/Paris",
        "timezone_offset": "+01:00",
        "role_id": 1,
        "is_deleted": False,
        "is_admin": admin,
    }
