"""Reads the lines of a score: what gives points and what caps the total (rules.md §4.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipelint.config.nodes import List, Node, Problems, Text, did_you_mean
from pipelint.errors import Place
from pipelint.rules.calendar import Length
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.facts import Fact
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.form import Form
from pipelint.rules.literals import Literals, settings_in
from pipelint.rules.messages import Texts, check_slots, read_texts
from pipelint.rules.read_facts import FactReader
from pipelint.rules.scope import Scope
from pipelint.rules.scores import Band, Bands, Cap, Category, Item, PerRow, rows_name

_ITEM_KEYS = (
    "name", "category", "points", "when", "first_match", "for_each", "where", "max", "fades_over", "because",
)  # fmt: skip
_FORMS = ("when", "first_match", "for_each")
_OF_ROWS = ("where", "max", "fades_over")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME_HINT = "use lower-case letters, digits and single hyphens"
_POINTS = Field("points", FieldType.NUMBER, "")


class LineReader:
    """Reads items and caps of one score."""

    def __init__(
        self,
        score: str,
        kind: RecordKind,
        scope: Scope,
        facts: FactReader,
        languages: tuple[str, ...],
        problems: Problems,
    ) -> None:
        self.score = score
        self.kind: RecordKind = kind
        self.scope = scope
        self.facts = facts
        self.languages = languages
        self.problems = problems

    def items(self, nodes: Sequence[Node], categories: Sequence[Category]) -> Iterator[Item]:
        places: dict[str, Place] = {}
        names = [category.name for category in categories]
        for node in nodes:
            form = Form(node, f"an item of {self.score}", _ITEM_KEYS, self.problems)
            name = form.required("name", "it names what is not known and is shown by 'explain'")
            if name is not None:
                self.item_name(name, places)
            category = form.required("category", f"it is one of: {', '.join(names)}")
            if category is not None and names and category.value not in names:
                hint = did_you_mean(category.value, names) or f"known are: {', '.join(names)}"
                self.problems.error(
                    category.place, f"{self.score} has no category named '{category.value}'", hint
                )
            made = self.item_form(form, name.value if name else "")
            because = self.because(form)
            if made is not None and name is not None and category is not None:
                yield Item(name.value, category.value, made, because, form.place)

    def item_name(self, name: Text, places: dict[str, Place]) -> None:
        if not NAME.fullmatch(name.value):
            self.problems.error(name.place, f"'{name.value}' is no name of an item", NAME_HINT)
        elif name.value in places:
            first = places[name.value]
            self.problems.error(
                name.place, f"{self.score} has two items named '{name.value}'", f"the first is at {first}"
            )
        places.setdefault(name.value, name.place)

    def item_form(self, form: Form, name: str) -> Bands | PerRow | None:
        given = [key for key in _FORMS if form.has(key)]
        if len(given) != 1:
            found = f"here are {' and '.join(given)}" if given else "here is none"
            what = f"an item has exactly one of 'when', 'first_match' and 'for_each'; {found}"
            self.problems.error(form.place, what)
            return None
        for key in _OF_ROWS:
            if form.has(key) and given != ["for_each"]:
                what = f"'{key}' belongs to 'for_each': there are no rows here"
                self.problems.error(form.key_place(key), what)
        if given == ["first_match"]:
            return self.first_match(form)
        points = self.points(form)
        if given == ["for_each"]:
            return self.per_row(form, name, points)
        condition = self.condition(form)
        return None if condition is None or points is None else Bands((Band(condition, points),))

    def points(self, form: Form) -> int | None:
        return self.number(form.required("points", "say how many it gives; fewer than 0 take some away"))

    def first_match(self, form: Form) -> Bands | None:
        node = form.node("first_match")
        if form.has("points"):
            self.problems.error(form.key_place("points"), "the points stand in each row of 'first_match'")
        if not isinstance(node, List) or not node.items:
            hint = "start each with '- ', e.g. - {when: {amount: {at_least: 1000}}, points: 5}"
            self.problems.error(form.key_place("first_match"), "'first_match' takes a list of rows", hint)
            return None
        bands = []
        for row in node.items:
            band = Form(row, "a row of 'first_match'", ("when", "points"), self.problems)
            condition, points = self.condition(band), self.points(band)
            if condition is not None and points is not None:
                bands.append(Band(condition, points))
        return Bands(tuple(bands)) if len(bands) == len(node.items) else None

    def condition(self, form: Form) -> Condition | None:
        node = form.node("when")
        if node is None:
            self.problems.error(form.place, f"'when' is missing in {form.what}")
            return None
        settings = list(settings_in(node))
        for text in settings:
            self.no_settings(text)
        return None if settings else read_condition(node, self.scope, self.problems)

    def per_row(self, form: Form, name: str, points: int | None) -> PerRow | None:
        node = form.node("where")
        settings = list(settings_in(node)) if node is not None else []
        for text in settings:
            self.no_settings(text)
        rows = None if settings else self.facts.rows(form, "for_each")
        span, most = self.span(form), self.number(form.text("max"))
        if most is not None and points is not None and most * points <= 0:
            hint = f"write {'max: 24' if points > 0 else 'max: -24'}, or leave it out"
            self.problems.error(
                form.key_place("max"), "'max' is where the points stop, so it has their sign", hint
            )
        if rows is None or points is None:
            return None
        if span is not None:
            time = rows.entity.field(rows.entity.time)
            if time is None:
                what = f"{rows.entity.name} have no date, so their points cannot fade"
                self.problems.error(form.key_place("fades_over"), what)
                return None
            rows = replace(rows, function="fading", value=time, span=span)
        called = rows_name(self.score, name)
        field = Field(called, FieldType.NUMBER, rows.entity.name, Origin.FACT, called)
        return PerRow(Fact(called, self.kind, field, rows, form.place), points, most, span)

    def span(self, form: Form) -> int | None:
        text = form.text("fades_over")
        if text is None:
            return None
        length = Length.parse(text.value)
        if length is not None and length.fixed and not length.is_clock and length.count:
            return length.size
        self.problems.error(text.place, f"points cannot fade over '{text.value}'", "write days, e.g. 90 days")
        return None

    def caps(self, nodes: Sequence[Node]) -> Iterator[Cap]:
        for node in nodes:
            form = Form(node, f"a cap of {self.score}", ("when", "at", "because"), self.problems)
            condition = self.condition(form)
            at = self.number(form.required("at", "say what the total cannot exceed, e.g. at: 50"))
            because = self.because(form)
            if condition is not None and at is not None:
                yield Cap(condition, at, because)

    def because(self, form: Form) -> Texts | None:
        node = form.node("because")
        check_slots(node, self.scope.fields, self.problems)
        return read_texts(node, self.problems, self.languages)

    def number(self, text: Text | None) -> int | None:
        """Points × 10 000; None where there is nothing, or a mistake that was reported."""
        if text is None:
            return None
        if text.value.startswith("$"):
            self.no_settings(text)
            return None
        number = Literals(self.scope, self.problems).number(text, _POINTS)
        return None if number is None else number.scaled

    def no_settings(self, text: Text) -> None:
        hint = "write the value itself: only rules have settings"
        self.problems.error(text.place, f"a score has no setting '{text.value[1:]}'", hint)
