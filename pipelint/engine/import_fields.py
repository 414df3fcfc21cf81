"""Which field of a CRM may hold what our names mean: need, decision makers, budget and the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelint.connectors.base import FieldInfo
from pipelint.engine.import_places import words
from pipelint.rules.catalogue import OPPORTUNITY_FIELDS, SIX
from pipelint.rules.fields import FieldType
from pipelint.rules.write_yaml import Line, scalar

# What people call these fields in English, French and German; without accents.
_CALLED: dict[str, tuple[str, ...]] = {
    "need": (
        "need", "requirement", "pain", "pain point", "problem", "business need", "besoin", "exigence", "probleme",
        "bedarf", "bedurfnis", "anforderung", "kundenbedarf",
    ),
    "decision_makers": (
        "decision maker", "decider", "buying center", "buying committee", "decideur", "entscheider",
        "entscheidungstrager", "entscheidungstraeger",
    ),
    "budget": ("budget", "enveloppe", "kundenbudget"),
    "deadline": (
        "deadline", "due date", "decision date", "target date", "go live date", "echeance", "date limite",
        "date decision", "date butoir", "frist", "termin", "stichtag", "entscheidungsdatum", "zieltermin",
    ),
    "risk": ("risk", "concern", "blocker", "risque", "frein", "risiko", "risiken"),
    "next_step": (
        "next step", "next action", "prochaine etape", "prochaine action", "nachster schritt", "nachste schritte",
        "naechster schritt", "naechste schritte",
    ),
    "next_step_date": (
        "next step date", "next step due", "next action date", "date prochaine etape", "prochaine etape date",
        "date prochaine action", "datum nachster schritt", "nachster schritt datum", "nachster schritt am",
    ),
    "lost_reason": (
        "lost reason", "loss reason", "reason lost", "reason loss", "closed lost reason", "raison perte", "motif perte",
        "cause perte", "verlustgrund", "absagegrund", "ablehnungsgrund",
    ),
    "champion": ("champion", "internal champion", "sponsor", "promoteur", "fursprecher"),
}  # fmt: skip
_EMPTY_WORDS = frozenset(
    words(
        "a an the of for to in and s your our main primary key customer client customers clients buyer opportunity "
        "deal le la les l un une du de des d pour principal principale principaux acheteur opportunite affaire "
        "der die das des den dem fur von zum zur haupt kunde kunden"
    )
)
_LEAST = 0.5  # at least half of a field's telling words are those that we look for
_MOST_VALUES = 60
_TYPES = {
    "choice": "choice", "choices": "choices", "number": "number", "money": "money", "date": "date",
    "datetime": "date_time",
}  # fmt: skip
_STANDARD = {field.name: field for field in OPPORTUNITY_FIELDS}

WANTED: tuple[str, ...] = (*SIX, "next_step_date", "lost_reason", "champion")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field of the CRM that may be what one of our names means."""

    name: str
    field: FieldInfo

    def entry(self, connection: str) -> list[Line]:
        """It as an entry of `fields:`."""
        known = _STANDARD.get(self.name)
        type_ = _TYPES.get(self.field.type, "text")
        told = [Line(2, f"from: {{{connection}: {scalar(self.field.name)}}}", _remark(self.field))]
        if known is None:
            told += [Line(2, f"label: {scalar(self.field.label)}"), Line(2, "unmapped: blank")]
        if known is None or (type_ != "text" and type_ != known.type):
            told.append(Line(2, f"type: {type_}"))
        if self.field.type in {"choice", "choices"}:
            told += _values(self.field.choices, connection)
        return [Line(1, f"{self.name}:"), *told]


def candidates(fields: Iterable[FieldInfo], names: Sequence[str]) -> dict[str, Candidate]:
    """For each name the field that is called most like it, no field for two names."""
    pairs = [
        (_likeness(name, field), field.custom, -names.index(name), -place, name, field)
        for place, field in enumerate(fields)
        for name in names
        if _suits(name, field)
    ]
    found: dict[str, Candidate] = {}
    for likeness, *_, name, field in sorted(pairs, key=lambda pair: pair[:4], reverse=True):
        taken = name in found or any(other.field.name == field.name for other in found.values())
        if likeness >= _LEAST and not taken:
            found[name] = Candidate(name, field)
    return {name: found[name] for name in names if name in found}


def _suits(name: str, field: FieldInfo) -> bool:
    """Dates for dates (a text may hold one), anything that can be left blank for the rest."""
    known = _STANDARD.get(name)
    if known is not None and known.type is FieldType.DATE:
        return field.type in {"date", "datetime", "text"}
    return field.type not in {"yes_no", "date", "datetime"}


def _likeness(name: str, field: FieldInfo) -> float:
    """How much of a field's label or API name is what people call this: 1 for all of it.

    A date that is only text counts less than a real one.
    """
    known = _STANDARD.get(name)
    doubt = 0.9 if field.type == "text" and known is not None and known.type is FieldType.DATE else 1.0
    return doubt * max(_share(_telling(called), said) for called in _CALLED[name] for said in _said(field))


def _said(field: FieldInfo) -> tuple[frozenset[str], frozenset[str]]:
    return _telling(field.label), _telling(field.name)


def _share(called: frozenset[str], said: frozenset[str]) -> float:
    return len(called) / len(said) if called and called <= said else 0.0


def _telling(text: str) -> frozenset[str]:
    return frozenset(_singular(word) for word in words(text) if word not in _EMPTY_WORDS)


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word


def _values(choices: Mapping[str, str], connection: str) -> list[Line]:
    """The choices, each under its label where the CRM's own value is another."""
    if not choices or len(choices) > _MOST_VALUES:
        return []
    if all(value == label for value, label in choices.items()):
        return [Line(2, "values:"), *(Line(3, f"- {scalar(value)}") for value in choices)]
    labels = list(choices.values())
    told = [
        Line(3, f"{scalar(label if labels.count(label) == 1 else value)}: {{from: {{{connection}: {scalar(value)}}}}}")
        for value, label in choices.items()
    ]  # fmt: skip
    return [Line(2, "values:"), *told]


def _remark(field: FieldInfo) -> str:
    return f"guessed: {field.label}" if field.label != field.name else "guessed by its name"
