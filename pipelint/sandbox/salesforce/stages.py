"""The sales processes: which stages exist, what each says by default, and which record type uses which."""

from __future__ import annotations

from typing import NamedTuple


class Stage(NamedTuple):
    """A row of OpportunityStage; `category` is the label of its forecast category."""

    name: str
    probability: int
    category: str
    closed: bool = False
    won: bool = False
    active: bool = True


FORECAST_CATEGORIES = (
    ("Omitted", "Omitted"),
    ("Pipeline", "Pipeline"),
    ("BestCase", "Best Case"),
    ("Forecast", "Commit"),
    ("Closed", "Closed"),
)
"""API value of ForecastCategory, and the value of ForecastCategoryName that goes with it."""

STAGES = (
    Stage("Prospecting", 10, "Pipeline"),
    Stage("Qualification", 10, "Pipeline"),
    Stage("Needs Analysis", 20, "Pipeline"),
    Stage("Value Proposition", 50, "Pipeline"),
    Stage("Id. Decision Makers", 60, "Pipeline"),
    Stage("Perception Analysis", 70, "Pipeline"),
    Stage("Proposal/Price Quote", 75, "Best Case"),
    Stage("Negotiation/Review", 90, "Commit"),
    Stage("Closed Won", 100, "Closed", closed=True, won=True),
    Stage("Closed Lost", 0, "Omitted", closed=True),
    Stage("Verbal Agreement", 80, "Best Case", active=False),
)
"""Salesforce's own stages, and one that was switched off while old deals still sit in it."""

STAGE = {stage.name: stage for stage in STAGES}

RECORD_TYPE_STAGES = {
    "New_Business": tuple(stage.name for stage in STAGES if stage.active),
    "Renewal": (
        "Qualification",
        "Value Proposition",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ),
}
