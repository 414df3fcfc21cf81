"""The fields that pipelint writes into a CRM, by the keys of `crm_fields:` (architecture §6), as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipelint.rules.scores import Score, grade_key

Form: TypeAlias = Literal["flags", "choice", "text", "long_text", "number", "date"]


@dataclass(frozen=True, slots=True)
class OwnFieldDefinition:
    """One field of ours: its label in the CRM, its form, and the help text that people see there."""

    label: str
    form: Form
    help: str
    on_leads: bool = False


OWN_FIELDS: dict[str, OwnFieldDefinition] = {
    "flags": OwnFieldDefinition(
        "Pipelint flags",
        "flags",
        "The rules that this record breaks today. Written by pipelint.",
        on_leads=True,
    ),
    "severity": OwnFieldDefinition(
        "Pipelint severity",
        "choice",
        "The worst of the flags: error, warning, info, or clean. Written by pipelint.",
    ),
    "summary": OwnFieldDefinition(
        "Pipelint summary", "text", "The worst flags in one line. Written by pipelint.", on_leads=True
    ),
    "details": OwnFieldDefinition(
        "Pipelint details",
        "long_text",
        "Each flag with what was found and how to mend it. Written by pipelint.",
    ),
    "hygiene": OwnFieldDefinition(
        "Pipelint hygiene", "number", "100 minus 20 per error and 8 per warning. Written by pipelint."
    ),
    "flagged_since": OwnFieldDefinition(
        "Pipelint flagged since",
        "date",
        "The day from which this record has had a flag. Written by pipelint.",
    ),
}


def score_fields(score: Score) -> dict[str, OwnFieldDefinition]:
    """The fields of one score, by key: its total and, where it has grades, its grade."""
    name = score.name.replace("-", " ")
    help_ = f"The score {score.name}. Written by pipelint."
    fields = {score.name: OwnFieldDefinition(f"Pipelint {name}", "number", help_, on_leads=True)}
    if score.grades:
        help_ = f"The grade of the score {score.name}. Written by pipelint."
        fields[grade_key(score.name)] = OwnFieldDefinition(
            f"Pipelint {name} grade", "choice", help_, on_leads=True
        )
    return fields


SEVERITY_CHOICES = ("error", "warning", "info", "clean")
