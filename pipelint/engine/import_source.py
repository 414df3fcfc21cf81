"""The pipelines and stages of a CRM as `stages import` reads them, straight from the connector."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from pipelint.connectors.base import Connector
from pipelint.engine.import_places import NativePipeline
from pipelint.errors import UsageError
from pipelint.records import Opportunity, Pipeline, Record, Stage, Stream

R = TypeVar("R", bound=Record)


def native_pipelines(connector: Connector, pulled: Iterable[Stage] = ()) -> list[NativePipeline]:
    """Every pipeline in use with its stages in order; one without an id where the CRM names none.

    A connection without stages of their own, such as exported files, has those of its opportunities. `pulled`
    are stages that opportunities in the cache are in, whether the CRM still lists them or not.

    Raises:
        UsageError: no stage is to be found anywhere.
    """
    streams = connector.streams()
    known = {each.id: each for each in _rows(connector, Stream.PIPELINES, Pipeline)}
    listed = list(_rows(connector, Stream.STAGES, Stage))
    told_here = Stream.STAGES in streams and (known or any(stage.pipeline for stage in listed))
    seen = {} if told_here else _seen(connector)
    stages = [*listed] or [stage for found in seen.values() for stage in found]
    if listed:
        told = {(stage.pipeline, stage.id) for stage in listed}
        stages += [each for each in pulled if not {(each.pipeline, each.id), ("", each.id)} & told]
    if not stages:
        raise UsageError(
            f"'{connector.name}' delivers no stages",
            hint="map the column that holds the stage, under streams: opportunities: columns: {stage: …}",
        )
    ids = [each.id for each in known.values() if each.active is not False]
    ids = (
        ids or list(dict.fromkeys(stage.pipeline for stage in stages if stage.pipeline)) or list(seen) or [""]
    )
    labels: Mapping[str, str] = {each.id: each.label or each.id for each in known.values()}
    found = [
        NativePipeline(
            name,
            labels.get(name, name),
            tuple(sorted((s for s in stages if s.pipeline in {name, ""}), key=_position)),
            ordered=bool(listed) or all(s.probability is not None for s in seen.get(name, ())),
        )
        for name in ids
    ]
    return [each for each in found if each.stages]


def pulled_stages(db: sqlite3.Connection, connection: str) -> list[Stage]:
    """The stages that opportunities in the cache are in: none that the CRM need list as active."""
    rows = db.execute(
        """
        SELECT stage, coalesce(pipeline, ''), min(is_open), max(is_won), avg(probability) FROM opportunity
        WHERE connection = ? AND stage IS NOT NULL GROUP BY 1, 2 ORDER BY 5, 1
        """,
        (connection,),
    )
    return [
        Stage(
            stage,
            pipeline,
            is_open=None if is_open is None else bool(is_open),
            is_won=None if is_won is None else bool(is_won),
            probability=None if chance is None else Decimal(round(chance)),
            active=False,
        )
        for stage, pipeline, is_open, is_won, chance in rows
    ]


def _rows(connector: Connector, stream: Stream, record: type[R]) -> Iterator[R]:
    if stream in connector.streams():
        for page in connector.pull(stream, None, ()):
            yield from (row for row in page.records if isinstance(row, record))


def _seen(connector: Connector) -> dict[str, list[Stage]]:
    """The stages that opportunities are in, by pipeline: by probability if all have one, else as they come."""
    found: dict[tuple[str, str], list[Opportunity]] = {}
    for row in _rows(connector, Stream.OPPORTUNITIES, Opportunity):
        if row.stage is not None:
            alike = found.setdefault((row.pipeline or "", row.stage), [])
            if len(alike) < _ENOUGH:
                alike.append(row)
    by_pipeline: dict[str, list[Stage]] = {}
    for (pipeline, stage), rows in found.items():
        first = rows[0]
        chances = [row.probability for row in rows if row.probability is not None]
        chance = Decimal(sum(chances)) / len(chances) if len(chances) == len(rows) else None
        here = by_pipeline.setdefault(pipeline, [])
        here.append(Stage(stage, pipeline, None, len(here), first.is_open, first.is_won, chance))
    for pipeline, stages in by_pipeline.items():
        if all(stage.probability is not None for stage in stages):
            by_pipeline[pipeline] = [
                stage._replace(position=at)
                for at, stage in enumerate(sorted(stages, key=lambda stage: stage.probability or 0))
            ]
    return by_pipeline


_ENOUGH = 200
"""So many opportunities of a stage show its usual probability."""


def _position(stage: Stage) -> tuple[bool, int]:
    return stage.position is None, stage.position or 0
