"""Writes the JSON Schema of a project's rule files beside the folder that holds them."""

from __future__ import annotations

import json
from pathlib import Path

from pipelint.config.paths import shown
from pipelint.config.problems import Problems
from pipelint.engine.project import Project
from pipelint.rules.schema import schema_of
from pipelint.rules.sections import read_sections


def write_schema(project: Project) -> Path:
    """Write `schema.json` and say where it is."""
    rules = project.file.rules
    sections = read_sections(rules, shown(rules, project.folder), Problems())
    schema = schema_of(project.pack, tuple(sections.named["conditions"]))
    path = rules.parent / "schema.json"
    path.write_text(json.dumps(schema, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
