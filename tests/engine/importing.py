"""What the tests of `stages import` share."""

from __future__ import annotations

from pathlib import Path

from pipelint.engine.project import Project


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def stages_of(project: Project, pipeline: str) -> dict[str, tuple[str, ...]]:
    """Our stages of a pipeline, and the CRM's stages that are mapped to them."""
    found = next(each for each in project.pack.pipelines if each.name == pipeline)
    return {each.stage.name: each.names["sales"] for each in found.stages}
