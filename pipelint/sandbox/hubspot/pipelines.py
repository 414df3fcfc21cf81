"""Pipelines and their stages: ids that stay, labels that change, metadata in text (fact sheet §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelint.sandbox.hubspot.errors import not_found
from pipelint.sandbox.hubspot.moments import iso
from pipelint.sandbox.hubspot.property import Property

MADE = "2025-01-08T09:00:00Z"
"""When the pipelines were made."""
STAGE_TIMES = {
    "hs_v2_date_entered_": ("Date entered", "datetime"),
    "hs_v2_date_exited_": ("Date exited", "datetime"),
    "hs_v2_latest_time_in_": ("Latest time in", "number"),
    "hs_v2_cumulative_time_in_": ("Cumulative time in", "number"),
    "hs_date_entered_": ("Date entered (older)", "datetime"),
    "hs_date_exited_": ("Date exited (older)", "datetime"),
    "hs_time_in_": ("Time in (older)", "number"),
}
"""What HubSpot calculates for each stage of a deal, under names that end with the stage's id."""


@dataclass(slots=True)
class Stage:
    """A stage; `closed` deals in it count as won where the probability is 1, as lost where it is 0."""

    id: str
    label: str
    metadata: dict[str, str]
    archived_at: int | None = None

    @property
    def closed(self) -> bool:
        return self.metadata.get("isClosed") == "true"

    @property
    def probability(self) -> float:
        return float(self.metadata.get("probability", "0"))

    def as_json(self, order: int) -> dict[str, object]:
        document: dict[str, object] = {
            "label": self.label,
            "displayOrder": order,
            "metadata": self.metadata,
            "id": self.id,
            "createdAt": MADE,
            "updatedAt": MADE,
            "archived": self.archived_at is not None,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        if self.archived_at is not None:
            document["archivedAt"] = iso(self.archived_at)
        return document


@dataclass(slots=True)
class Pipeline:
    """A pipeline with its stages in order, archived ones last."""

    id: str
    label: str
    stages: list[Stage] = field(default_factory=list)
    archived_at: int | None = None

    def stage(self, stage_id: str) -> Stage | None:
        """The stage of this id, archived or not."""
        return next((it for it in self.stages if it.id == stage_id), None)

    def as_json(self, order: int, *, archived: bool = False) -> dict[str, object]:
        """With the stages in use; with the archived ones only where those are asked for."""
        return {
            "label": self.label,
            "displayOrder": order,
            "id": self.id,
            "stages": [
                it.as_json(place)
                for place, it in enumerate(self.stages)
                if (it.archived_at is not None) == archived
            ],
            "createdAt": MADE,
            "updatedAt": MADE,
            "archived": self.archived_at is not None,
        }


class Pipelines:
    """The pipelines of one object type."""

    def __init__(self, pipelines: list[Pipeline]) -> None:
        self.all = pipelines

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self.all)

    def get(self, pipeline_id: str) -> Pipeline:
        """The pipeline of this id; refuses where there is none."""
        found = next((it for it in self.all if it.id == pipeline_id), None)
        if found is None:
            raise not_found()
        return found

    def has(self, pipeline_id: str, stage_id: str) -> bool:
        """Whether a record can be moved there: both are in use, and belong together."""
        found = next((it for it in self.all if it.id == pipeline_id and it.archived_at is None), None)
        stage = None if found is None else found.stage(stage_id)
        return stage is not None and stage.archived_at is None

    def stage(self, pipeline_id: str, stage_id: str) -> Stage:
        """A stage of a pipeline; refuses where there is none."""
        found = self.get(pipeline_id).stage(stage_id)
        if found is None:
            raise not_found()
        return found


def stage_properties(stage: Stage, pipeline: Pipeline, group: str) -> Iterator[Property]:
    """The calculated properties of a deal that follow from one stage."""
    for prefix, (label, type_) in STAGE_TIMES.items():
        yield Property(
            prefix + stage.id,
            f'{label} "{stage.label} ({pipeline.label})"',
            type_,
            "date" if type_ == "datetime" else "number",
            group,
            calculated=True,
            listed=not prefix.startswith("hs_v2_"),
        )
