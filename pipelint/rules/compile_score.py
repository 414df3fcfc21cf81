"""Turns a score into prepared columns: items, then categories, then the total (rules.md §4.10).

Everything stays whole numbers × 10 000. An item that is not known is NULL, so that it can be named, and counts as
nothing; the total is rounded once, at the very end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelint.rules.compile_condition import Inputs, Moment, compile_condition
from pipelint.rules.ir import (
    SCALE,
    TRUE,
    UNKNOWN,
    And,
    Arithmetic,
    Case,
    Coalesce,
    Column,
    Compare,
    Constant,
    Expr,
    Greatest,
    IsNull,
    Least,
    columns_in,
)
from pipelint.rules.lacking import lacking
from pipelint.rules.optimise import simplify
from pipelint.rules.scores import Bands, Category, Item, PerRow, Score


@dataclass(frozen=True, slots=True)
class CompiledScore:
    """A score as columns by name, in layers: each reads the columns of the record and of the layers before."""

    score: Score
    layers: tuple[Mapping[str, Expr], ...]

    @property
    def reads(self) -> frozenset[str]:
        """The columns of the record that it is worked out from."""
        return frozenset(column for expr in self.layers[0].values() for column in columns_in(expr))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it gives."""
        return frozenset(name for layer in self.layers for name in layer)


def compile_score(score: Score, inputs: Inputs, moment: Moment) -> CompiledScore:
    """The score for one connection and moment."""
    layers = _Compiler(score, inputs, moment).layers()
    return CompiledScore(
        score, tuple({name: simplify(expr) for name, expr in layer.items()} for layer in layers)
    )


class _Compiler:
    def __init__(self, score: Score, inputs: Inputs, moment: Moment) -> None:
        self.score = score
        self.inputs = inputs
        self.moment = moment

    def layers(self) -> Iterator[dict[str, Expr]]:
        score = self.score
        yield {
            score.column("scope"): self.scope(),
            score.field.marker: self.missing(),
            score.column("cap"): self.cap(),
            **{score.column("item", item.name): self.item(item) for item in score.items},
        }
        yield {score.column("category", each.name): self.category(each) for each in score.categories}
        yield {score.field.main.name: self.total()}

    def scope(self) -> Expr:
        scope = self.score.scope
        return TRUE if scope is None else compile_condition(scope, self.inputs, self.moment)

    def missing(self) -> Expr:
        """1 where data that was not supplied leaves open whether the record is in scope."""
        scope = self.score.scope
        if scope is None:
            return Constant(0)
        open_ = And((IsNull(self.scope()), lacking([scope], self.inputs)))
        return Case(((open_, Constant(1)),), Constant(0))

    def cap(self) -> Expr:
        """The number of the lowest cap that definitely holds: a guard that is unknown is passed over."""
        cases = tuple(
            (compile_condition(cap.condition, self.inputs, self.moment), Constant(number))
            for number, cap in enumerate(self.score.caps)
        )
        return Case(cases, UNKNOWN) if cases else UNKNOWN

    def item(self, item: Item) -> Expr:
        match item.form:
            case Bands():
                return self.bands(item.form)
            case PerRow():
                return self.per_row(item.form)

    def bands(self, form: Bands) -> Expr:
        """An unknown band stops the search: a later, lower one must not be taken for the truth."""
        cases: list[tuple[Expr, Expr]] = []
        for band in form.bands:
            holds = compile_condition(band.condition, self.inputs, self.moment)
            cases += [(holds, Constant(band.points)), (IsNull(holds), UNKNOWN)]
        return Case(tuple(cases), Constant(0))

    def per_row(self, form: PerRow) -> Expr:
        field = form.fact.field
        if field.name in self.inputs.unsynced:
            return UNKNOWN
        divisor = form.span or SCALE  # a fading row counts its days, any other one itself × 10 000
        value: Expr = Arithmetic("//", Arithmetic("*", field.main, Constant(form.points)), Constant(divisor))
        if form.most is not None:
            most = Constant(form.most)
            value = Least((value, most)) if form.points > 0 else Greatest((value, most))
        if field.name not in self.inputs.partial:
            return value
        # Rows that are missing could only add to what was seen; that matters until nothing more can be added.
        late: list[Expr] = [Compare("=", field.column("partial"), Constant(1))]
        if form.most is not None:
            late.append(Compare("<>", value, Constant(form.most)))
        return Case(((And(tuple(late)), UNKNOWN),), value)

    def category(self, category: Category) -> Expr:
        items = [item for item in self.score.items if item.category == category.name]
        parts = (Coalesce((Column(self.score.column("item", item.name)), Constant(0))) for item in items)
        held = Greatest((_sum(parts), Constant(category.minimum)))
        return Least((held, Constant(category.maximum)))

    def total(self) -> Expr:
        score = self.score
        total = _sum(Column(score.column("category", category.name)) for category in score.categories)
        if score.caps:
            highest = sum(category.maximum for category in score.categories)
            number = Column(score.column("cap"))
            cases = tuple(
                (Compare("=", number, Constant(place)), Constant(cap.at))
                for place, cap in enumerate(score.caps)
            )
            total = Least((total, Case(cases, Constant(highest))))
        rounded = Arithmetic("*", Arithmetic("//", total, Constant(SCALE)), Constant(SCALE))
        in_scope = Compare("=", Column(score.column("scope")), Constant(1))
        return Case(((in_scope, rounded),), UNKNOWN)


def _sum(parts: Iterator[Expr]) -> Expr:
    total: Expr = Constant(0)
    for part in parts:
        total = Arithmetic("+", total, part)
    return total
