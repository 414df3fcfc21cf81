"""Records from a folder of answers of the list endpoints: `deals.json`, `contacts.json`, `pipelines.json`, …"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelint.sandbox.hubspot.derive import calculated, move
from pipelint.sandbox.hubspot.errors import HubSpotError, Invalid
from pipelint.sandbox.hubspot.moments import parse
from pipelint.sandbox.hubspot.object_types import DEALS, OBJECT_TYPES, ObjectType
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Pipeline, Stage
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.setup import GROUP
from pipelint.sandbox.hubspot.values import Row, kept


@dataclass(slots=True)
class Loaded:
    """How many records of which type came in, and a line about each thing that was left out."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def load(portal: Portal, folder: Path) -> Loaded:
    """Load what the folder has; every file is an answer with `results`, or the bare list of them.

    Ids and stamps are kept. Properties that are not known become texts. Of `associations` the plain links
    come in. `pipelines.json` replaces the pipelines of deals, `owners.json` adds to the owners.
    """
    loaded = Loaded()
    pipelines = _entries(folder / "pipelines.json", loaded)
    if pipelines:
        portal.pipelines[DEALS].all.clear()
    for it in pipelines:
        stages = [Stage(str(stage["id"]), stage["label"], stage["metadata"]) for stage in it["stages"]]
        portal.add_pipeline(DEALS, Pipeline(str(it["id"]), it["label"], stages))
    for it in _entries(folder / "owners.json", loaded):
        user = it.get("userIdIncludingInactive") or it.get("userId") or 0
        names = it.get("firstName") or "", it.get("lastName") or ""
        archived = bool(it.get("archived"))
        portal.owners.append(
            Owner(int(it["id"]), int(user), *names, it.get("email") or "", archived=archived)
        )
    found = {kind: _entries(folder / f"{kind.name}.json", loaded) for kind in OBJECT_TYPES}
    for kind, entries in found.items():
        rows = [_row(portal, kind, it, loaded) for it in entries]
        columns = portal.store.columns(kind)
        portal.store.insert_many(kind.name, columns, ([row.get(it) for it in columns] for row in rows))
        if rows:
            portal.store.start_after(kind, max(int(row["hs_object_id"] or 0) for row in rows))
            loaded.counts[kind.name] = len(rows)
    labels = {kind.label: kind for kind in OBJECT_TYPES}
    for kind, entries in found.items():
        for it in entries:
            for name, linked in (it.get("associations") or {}).items():
                for other in linked["results"]:
                    portal.links.add(kind, int(it["id"]), labels[name], int(other["id"]))
    return loaded


def _entries(file: Path, loaded: Loaded) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        loaded.problems.append(f"left out {file.name}: {error}")
        return []
    entries = document.get("results") if isinstance(document, dict) else document
    return entries if isinstance(entries, list) else []


def _row(portal: Portal, kind: ObjectType, entry: Mapping[str, Any], loaded: Loaded) -> Row:
    created, modified = (parse(str(entry.get(it) or entry["createdAt"])) for it in ("createdAt", "updatedAt"))
    row: Row = {"_archived": int(bool(entry.get("archived")))}
    if entry.get("archivedAt"):
        row["_archived_at"] = parse(str(entry["archivedAt"]))
    for name, value in entry["properties"].items():
        definition = portal.properties[kind].get(name)
        if definition is None:
            definition = portal.define(kind, Property(name, name, group=GROUP, custom=True))
        try:
            row[name] = None if value is None else kept(definition, value, None)
        except Invalid as problem:
            loaded.problems.append(f"{kind.singular} {entry['id']}: left out {name}, {problem.message}")
    row |= {"hs_object_id": int(entry["id"]), kind.created: created, kind.modified: modified}
    if kind is DEALS and row.get("dealstage"):
        try:
            stage = portal.pipelines[DEALS].stage(str(row.get("pipeline")), str(row["dealstage"]))
        except HubSpotError:
            loaded.problems.append(f"deal {entry['id']}: no pipeline has its stage {row['dealstage']}")
        else:
            entered: Row = {"dealstage": row["dealstage"]}
            move(entered, None, created)
            row = {**calculated(row, stage), **entered, **row}
    return row
