"""Scores for people: how the grades are spread, the best and the worst, and the lines of a single one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pipelint.engine.explain_scores import ItemExplained, ScoreExplained
from pipelint.engine.scores import Score
from pipelint.engine.tally import ScoreTally
from pipelint.render.documents import number
from pipelint.render.table import table


def scores_table(scored: Mapping[str, ScoreTally], color: bool) -> str:
    """One line for each score: how many records, their grades, the best and the worst."""
    rows = [
        (name, f"{tally.records:,}", _grades(tally), _named(tally.best), _named(tally.worst))
        for name, tally in scored.items()
    ]
    headers = ("score", "records", "grades", "best", "worst")
    return table(headers, rows, color=color, right=(1,)) if rows else ""


def _grades(tally: ScoreTally) -> str:
    return ", ".join(f"{grade} {count:,}" for grade, count in tally.by_grade.items())


def _named(scores: Sequence[Score]) -> str:
    return ", ".join(f"{score.name or score.id} ({score.total})" for score in scores)


def explained_lines(explained: ScoreExplained, *, color: bool) -> list[str]:
    """A score in full: the total, each item with its points, and what is not known."""
    score = explained.score
    grade = f" ({score.grade})" if score.grade else ""
    name = f"\x1b[1m{score.score}\x1b[0m" if color else score.score
    lines = [f"{name}   {score.total}{grade}   {explained.place}"]
    width = max(len(item.name) for item in explained.items) if explained.items else 0
    for category, value in score.categories.items():
        lines.append(f"  {category}: {shown(value)}")
        lines += [
            f"    {item.name:<{width}}  {_of_item(item)}".rstrip()
            for item in explained.items
            if item.category == category
        ]
    if explained.cap:
        lines.append(f"  capped: {explained.cap}")
    return lines


def _of_item(item: ItemExplained) -> str:
    if item.points is None:
        return f"{'?':>6}  not known: {', '.join(item.missing)}"
    return f"{shown(item.points):>6}  {item.because}"


def shown(value: Decimal) -> str:
    """Points with at most one decimal."""
    rounded = value.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded:f}".removesuffix(".0")


def explained_document(explained: ScoreExplained) -> dict[str, Any]:
    """One score of `pipelint.explain/1`."""
    score = explained.score
    return {
        "score": score.score,
        "total": score.total,
        "grade": score.grade,
        "categories": {name: number(value) for name, value in score.categories.items()},
        "cap": explained.cap or None,
        "items": [
            {
                "name": item.name,
                "category": item.category,
                "points": None if item.points is None else number(item.points),
                "because": item.because,
                "missing": list(item.missing),
            }
            for item in explained.items
        ],
    }
