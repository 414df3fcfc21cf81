"""Loading sObject trees, the format of `sf data export tree`, with values as hostile as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.org import Org

PLAN = "data-plan.json"
ORDER = ("Account", "Contact", "Opportunity")

Record = dict[str, object]


@dataclass(slots=True)
class Loaded:
    """How many records of each object came in, and what was left out, with the reason."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def load(org: Org, folder: Path) -> Loaded:
    """Create the records of a folder, in the order of its data plan where it has one."""
    loaded = Loaded()
    ids: dict[str, str] = {}
    for path in _files(folder):
        for record in json.loads(path.read_text(encoding="utf-8"))["records"]:
            _create(org, record, path.name, ids, loaded)
    return loaded


def _files(folder: Path) -> Iterator[Path]:
    plan = folder / PLAN
    if plan.exists():
        for step in json.loads(plan.read_text(encoding="utf-8")):
            yield from (folder / name for name in step["files"])
    else:
        yield from sorted(folder.glob("*.json"), key=_place)


def _place(path: Path) -> tuple[int, str]:
    """Parents before children: a reference can only name what is there already."""
    known = [place for place, name in enumerate(ORDER) if path.name.startswith(name)]
    return (known[0] if known else len(ORDER), path.name)


def _create(org: Org, record: Record, source: str, ids: dict[str, str], loaded: Loaded) -> None:
    match record.get("attributes"):
        case {"type": str(sobject), "referenceId": str(reference)}:
            pass
        case _:
            loaded.problems.append(f"{source}: a record without type and referenceId; left out")
            return
    where = f"{source}: {sobject} {reference}"
    values: Record = {}
    for name, value in record.items():
        if name == "attributes" or isinstance(value, dict):
            continue
        if org.store.schema[sobject].field(name) is None:
            loaded.problems.append(f"{where}: no field {name}; left out")
        elif isinstance(value, str) and value.startswith("@"):
            values[name] = ids.get(value[1:])
            if values[name] is None:
                loaded.problems.append(f"{where}: {name} refers to {value}, which is not there; left empty")
        else:
            values[name] = value
    try:
        record_id = org.create(sobject, values)
    except SalesforceError as error:
        loaded.problems.append(f"{where}: {error}; left out")
        return
    ids[reference] = record_id
    loaded.counts[sobject] = loaded.counts.get(sobject, 0) + 1
