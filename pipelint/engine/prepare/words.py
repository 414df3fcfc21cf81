"""Which of our words a CRM's word means: stages, roles, activity types, forecast categories, choices."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pipelint.rules.catalogue import ACTIVITY_TYPES, FORECAST_CATEGORIES, ROLES
from pipelint.rules.native_stages import member_of, pipeline_of
from pipelint.rules.pack import NativeNames, Pack, Words, native_names
from pipelint.rules.text import fold

# What the CRMs usually call them; a pack lists only what differs (rules.md §4.1).
_USUAL_ROLES = {
    "economic buyer": "economic_buyer",
    "budget holder": "economic_buyer",
    "budget_holder": "economic_buyer",
    "economic decision maker": "economic_buyer",
    "decision maker": "decision_maker",
    "executive sponsor": "decision_maker",
    "executive_sponsor": "decision_maker",
    "business user": "user",
    "end user": "user",
    "end_user": "user",
    "technical buyer": "influencer",
    "evaluator": "influencer",
    "blocker": "other",
}
_USUAL_FORECAST = {
    "pipeline": "upside",
    "bestcase": "best_case",
    "best case": "best_case",
    "mostlikely": "most_likely",
    "most likely": "most_likely",
    "forecast": "commit",
    "omit": "omitted",
    "not forecasted": "omitted",
    "not_forecasted": "omitted",
}


@dataclass(frozen=True, slots=True)
class StageRow:
    """What one native pair of pipeline and stage means; ignored ones are left out of everything."""

    native_pipeline: str | None
    native_stage: str
    pipeline: str | None
    number: int | None
    kind: str | None
    group: int | None
    ignored: bool


def words_of(words: Words, known: Iterable[str], crm: str, connection: str) -> dict[str, str]:
    """The CRM's words (folded) → ours: our own words, the usual ones, then the pack's."""
    usual = {**_USUAL_ROLES} if set(known) == set(ROLES) else {}
    if set(known) == set(FORECAST_CATEGORIES):
        usual = {**_USUAL_FORECAST}
    found = {word: word for word in known} | {word.replace("_", " "): word for word in known} | usual
    return found | _pack_words(words.names, crm, connection)


def choice_words(choices: Mapping[str, NativeNames], crm: str, connection: str) -> dict[str, str]:
    """The same for the values of a choice field; a value without a CRM name is itself."""
    return {fold(word): word for word in choices} | _pack_words(choices, crm, connection)


def _pack_words(names: Mapping[str, NativeNames], crm: str, connection: str) -> dict[str, str]:
    return {fold(native): word for word, by in names.items() for native in native_names(by, crm, connection)}


def role_words(pack: Pack, crm: str, connection: str) -> dict[str, str]:
    """The CRM's words for roles → ours."""
    return words_of(pack.roles, ROLES, crm, connection)


def activity_words(pack: Pack, crm: str, connection: str) -> dict[str, str]:
    """The CRM's words for types of activities → ours."""
    return words_of(pack.activity_types, ACTIVITY_TYPES, crm, connection)


def forecast_places(pack: Pack, crm: str, connection: str) -> dict[str, int]:
    """Forecast words → their place in our order, from 1."""
    words = words_of(pack.forecast_categories, FORECAST_CATEGORIES, crm, connection)
    return {native: FORECAST_CATEGORIES.index(word) + 1 for native, word in words.items()}


NativeStage: TypeAlias = tuple[str | None, str]
"""A native pipeline, and a native stage."""


def stages_in_use(db: sqlite3.Connection, connection: str) -> list[NativeStage]:
    """The native stages that opportunities are in, or moved through."""
    return db.execute(
        """
        SELECT DISTINCT pipeline, stage FROM opportunity WHERE connection = :c AND stage IS NOT NULL
        UNION SELECT DISTINCT o.pipeline, s.to_stage FROM stage_change s
          JOIN opportunity o ON o.connection = s.connection AND o.id = s.opportunity WHERE s.connection = :c
        UNION SELECT DISTINCT o.pipeline, s.from_stage FROM stage_change s
          JOIN opportunity o ON o.connection = s.connection AND o.id = s.opportunity
          WHERE s.connection = :c AND s.from_stage IS NOT NULL
        """,
        {"c": connection},
    ).fetchall()


def stages_seen(db: sqlite3.Connection, connection: str) -> list[NativeStage]:
    """Every native stage in every pipeline, of all that were ever seen: found without looking at any record."""
    return db.execute(
        """
        SELECT p.id, s.id FROM stage_seen p JOIN stage_seen s ON s.connection = p.connection
        WHERE p.connection = ? AND p.what = 'pipeline' AND s.what = 'stage' AND s.id IS NOT NULL
        """,
        (connection,),
    ).fetchall()


def stage_rows(
    db: sqlite3.Connection, pack: Pack, connection: str, crm: str, stages: Iterable[NativeStage]
) -> list[StageRow]:
    """What native stages mean to this pack."""
    labels = Labels(db, connection)
    groups = {"early": 1, "mid": 2, "late": 3}
    rows = []
    for native_pipeline, native_stage in stages:
        pipeline = pipeline_of(pack, labels.pipeline(native_pipeline), crm, connection)
        spoken = labels.stage(native_pipeline, native_stage)
        member = member_of(pipeline, spoken, crm, connection) if pipeline else None
        stage = member.stage if member else None
        rows.append(
            StageRow(
                native_pipeline,
                native_stage,
                pipeline.name if pipeline and stage else None,
                stage.number if stage else None,
                stage.kind if stage else None,
                groups[stage.group] if stage and stage.group else None,
                pipeline is not None and pipeline.ignore,
            )
        )
    return sorted(rows, key=lambda row: (row.native_pipeline or "", row.native_stage))


class Labels:
    """What the CRM shows for its ids, so that a pack may name either."""

    def __init__(self, db: sqlite3.Connection, connection: str) -> None:
        rows = db.execute("SELECT id, label FROM pipeline WHERE connection = ?", (connection,))
        self.pipelines = {native: label for native, label in rows if label}
        rows = db.execute("SELECT pipeline, id, label FROM stage WHERE connection = ?", (connection,))
        self.stages = {(pipeline, native): label for pipeline, native, label in rows if label}

    def pipeline(self, native: str | None) -> set[str]:
        return {fold(name) for name in (native, self.pipelines.get(native or "")) if name}

    def stage(self, pipeline: str | None, native: str) -> set[str]:
        return {fold(name) for name in (native, self._label(pipeline, native)) if name}

    def named(self, pipeline: str | None, native: str) -> tuple[str, str]:
        """A stage and its pipeline for people: by label, with the id behind it where that says something else."""
        label = self._label(pipeline, native)
        if pipeline is None:
            return _named(native, label), "the only pipeline"
        return _named(native, label), f"pipeline {_named(pipeline, self.pipelines.get(pipeline))}"

    def _label(self, pipeline: str | None, native: str) -> str | None:
        return self.stages.get((pipeline or "", native)) or self.stages.get(("", native))


def _named(native: str, label: str | None) -> str:
    return f"'{native}'" if label in {None, native} else f"'{label}' ({native})"
