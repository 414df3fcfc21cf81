"""The JSON Schema of pipelint.yaml, from which editors complete and check it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelint.config.project import ConnectionHead, ProjectModel


def project_schema(known_crms: Sequence[str] = ()) -> dict[str, Any]:
    """The schema as a JSON document; the keys that belong to a connector are left open."""
    schema = ProjectModel.model_json_schema()
    if known_crms:
        schema["$defs"][ConnectionHead.__name__]["properties"]["crm"]["enum"] = list(known_crms)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pipelint.yaml"}
