"""Which pipeline and which stage of a pack those of a CRM are mapped to."""

from __future__ import annotations

from collections.abc import Collection

from pipelint.rules.pack import Pack, Pipeline, PipelineStage, native_names
from pipelint.rules.text import fold


def pipeline_of(pack: Pack, spoken: Collection[str], crm: str, connection: str) -> Pipeline | None:
    """The pipeline that names this one by `from:` or is called so, else the first without 'from:'.

    `spoken` are the folded id and label of the CRM's pipeline.
    """
    named = [(each, native_names(each.names, crm, connection)) for each in pack.pipelines]
    by_from = (each for each, names in named if _any(names, spoken))
    by_name = (each for each, names in named if not names and fold(each.name) in spoken)
    rest = (each for each in pack.pipelines if not each.names)
    return next(by_from, None) or next(by_name, None) or next(rest, None)


def member_of(pipeline: Pipeline, spoken: Collection[str], crm: str, connection: str) -> PipelineStage | None:
    """The stage of a pack's pipeline that names this one, or is called so and has no 'from:'."""
    for each in pipeline.stages:
        names = native_names(each.names, crm, connection) if each.names else (each.stage.name,)
        if _any(names, spoken):
            return each
    return None


def _any(names: Collection[str], spoken: Collection[str]) -> bool:
    return any(fold(name) in spoken for name in names)
