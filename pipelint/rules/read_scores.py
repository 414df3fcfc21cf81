"""Reads `scores:` into typed scores, each mistake with its place and the way out (rules.md §4.10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelint.config.nodes import List, Map, Node, Problems, Text, kind_of
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.form import Form, entries
from pipelint.rules.own_fields import OWN_FIELDS
from pipelint.rules.read_facts import FactReader
from pipelint.rules.read_rules import KINDS, read_applies_to
from pipelint.rules.read_score_lines import NAME, NAME_HINT, LineReader
from pipelint.rules.scope import Scope
from pipelint.rules.scores import SCORE_STATUSES, Category, Grade, Score, ScoreStatus
from pipelint.rules.sections import Entry

_KEYS = ("for", "applies_to", "categories", "points", "cap", "grades", "status")
_LONGEST = 25  # 'Pipelint_…_Grade' must fit into the 40 characters of a field's name


@dataclass(frozen=True, slots=True)
class ScoreContext:
    """What a score is read against; what it may name holds no scores, so that no circle can come about."""

    scopes: Mapping[RecordKind, Scope]
    facts: Mapping[RecordKind, FactReader]
    languages: tuple[str, ...]
    overrides: Mapping[str, Node]
    """By score: what the project changes of a score that a used pack defines."""


def read_scores(section: Mapping[str, Entry], context: ScoreContext, problems: Problems) -> dict[str, Score]:
    """Every score; one with mistakes, too, so that a rule that reads it is no second mistake."""
    return {name: _ScoreReader(name, entry, context, problems).read() for name, entry in section.items()}


class _ScoreReader:
    def __init__(self, name: str, entry: Entry, context: ScoreContext, problems: Problems) -> None:
        self.name = name
        self.entry = entry
        self.context = context
        self.problems = problems
        self.form = Form(entry.node, f"the score {name}", _KEYS, problems)
        self.kind: RecordKind = self.form.choice("for", KINDS) or "opportunity"
        scope = context.scopes[self.kind]
        self.lines = LineReader(name, self.kind, scope, context.facts[self.kind], context.languages, problems)

    def read(self) -> Score:
        self.check_name()
        categories = tuple(self.categories())
        return Score(
            name=self.name,
            kind=self.kind,
            status=self.status(),
            scope=read_applies_to(self.form, self.context.scopes[self.kind], self.problems),
            categories=categories,
            items=tuple(self.lines.items(self.listed("points"), categories)),
            caps=tuple(sorted(self.lines.caps(self.listed("cap")), key=lambda cap: cap.at)),
            grades=tuple(self.grades()),
            place=self.entry.key.place,
            origin=self.entry.origin,
        )

    def check_name(self) -> None:
        place = self.entry.key.place
        if len(self.name) > _LONGEST:
            self.problems.error(
                place,
                f"the score's name has {len(self.name)} characters",
                f"{_LONGEST} leave room for the names of its fields in the CRM",
            )
        elif not NAME.fullmatch(self.name):
            self.problems.error(place, f"'{self.name}' is no score name", NAME_HINT)
        elif self.name.replace("-", "_") in OWN_FIELDS:
            self.problems.error(
                place, f"'{self.name}' is the name of another field of ours", "choose another name"
            )

    def status(self) -> ScoreStatus:
        override = self.context.overrides.get(self.name)
        changed = (
            Form(override, f"the override of {self.name}", ("status",), self.problems) if override else None
        )
        form = changed if changed is not None and changed.has("status") else self.form
        return form.choice("status", SCORE_STATUSES) or "on"

    def categories(self) -> Iterator[Category]:
        node = self.form.node("categories")
        if node is None:
            self.problems.error(
                self.entry.key.place, "'categories' is missing", "name at least one, e.g. fit: {max: 40}"
            )
        for key, value in entries(node, "categories", self.problems):
            form = Form(value, f"the category {key.value}", ("min", "max"), self.problems)
            if not NAME.fullmatch(key.value):
                self.problems.error(key.place, f"'{key.value}' is no name of a category", NAME_HINT)
            if isinstance(value, Map) and not form.has("max"):
                hint = f"say how much {key.value} can give, e.g. {{max: 40}}"
                self.problems.error(key.place, f"'max' is missing in the category {key.value}", hint)
            low, high = self.lines.number(form.text("min")) or 0, self.lines.number(form.text("max")) or 0
            if form.has("max") and low > high:
                self.problems.error(value.place, f"the 'min' of {key.value} is above its 'max'")
            yield Category(key.value, low, high)

    def grades(self) -> Iterator[Grade]:
        before: tuple[Text, Text] | None = None
        lowest = 0
        for key, value in entries(self.form.node("grades"), "grades", self.problems):
            if not isinstance(value, Text):
                self.problems.error(
                    value.place, f"{kind_of(value)} stands where the lowest total of {key.value} is expected"
                )
                continue
            at_least = self.lines.number(value)
            if at_least is None:
                continue
            if before is not None and at_least >= lowest:
                self.problems.error(
                    value.place,
                    f"the grade {key.value} begins at {value.value}, not below {before[0].value} ({before[1].value})",
                    "list the grades from the best to the worst, each with the total it begins at",
                )
            before, lowest = (key, value), at_least
            yield Grade(key.value, at_least)

    def listed(self, key: str) -> tuple[Node, ...]:
        node = self.form.node(key)
        if isinstance(node, List):
            return node.items
        if node is not None:
            self.problems.error(
                node.place, f"'{key}' takes a list, here stands {kind_of(node)}", "start each with '- '"
            )
        elif key == "points":
            self.problems.error(self.entry.key.place, "'points' is missing", "list what gives points")
        return ()
