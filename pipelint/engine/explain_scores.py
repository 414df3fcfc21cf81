"""Where the points of a record come from: every item of a score, and why one is not known (rules.md §4.10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pipelint.engine.evidence import LAST_ALONE, lack_of
from pipelint.engine.scores import Score, cap_of, points, said, score_of
from pipelint.engine.source import Source
from pipelint.rules.conditions import fields_in
from pipelint.rules.explain import Explainer, Row
from pipelint.rules.messages import Reader
from pipelint.rules.scores import Bands, Item, PerRow
from pipelint.rules.scores import Score as Definition


@dataclass(frozen=True, slots=True)
class ItemExplained:
    """One line: its points, None where they are not known, and then what is missing."""

    name: str
    category: str
    points: Decimal | None
    because: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoreExplained:
    """A score and all of its lines; `cap` is why the total is lower than its categories add up to."""

    score: Score
    place: str
    items: tuple[ItemExplained, ...]
    cap: str


def explain_scores(source: Source, row: Row, reader: Reader, only: str | None) -> Iterator[ScoreExplained]:
    """The scores of one prepared record that is in their scope, or the one that is asked for."""
    explainer = Explainer(source.compiled.inputs, source.compiled.moment)
    for definition in source.pack.live_scores(source.compiled.kind):
        if only not in {None, definition.name} or row[definition.field.main.name] is None:
            continue
        cap = cap_of(definition, row)
        yield ScoreExplained(
            score=score_of(source, definition, row, reader),
            place=str(definition.place),
            items=tuple(_item(source, definition, item, row, reader, explainer) for item in definition.items),
            cap="" if cap is None else said(cap.because, f"at most {points(cap.at)}", reader),
        )


def _item(
    source: Source, definition: Definition, item: Item, row: Row, reader: Reader, explainer: Explainer
) -> ItemExplained:
    given = row[definition.column("item", item.name)]
    return ItemExplained(
        item.name,
        item.category,
        None if given is None else points(int(given)),
        said(item.because, "", reader) if given else "",
        tuple(dict.fromkeys(_missing(source, item, row, explainer))) if given is None else (),
    )


def _missing(source: Source, item: Item, row: Row, explainer: Explainer) -> Iterator[str]:
    match item.form:
        case Bands(bands):
            unknown = next(b.condition for b in bands if explainer.answer(b.condition, row) is not False)
            for leaf in explainer.deciding(unknown, row):
                for field in fields_in(leaf.test):
                    if lack := lack_of(source.compiled.inputs, field, row):
                        yield f"{field.name} is {lack}"
                    elif row.get(field.main.name) is None:
                        yield f"{field.name} is blank"
        case PerRow(fact):
            entity = fact.field.about
            inputs = source.compiled.inputs
            if fact.name in inputs.unsynced:
                yield f"{entity} are not synced"
            elif fact.name in inputs.untold:
                yield f"{entity} are {LAST_ALONE}"
            else:
                yield f"{entity} are not synced far enough back"
