"""Records as the API tells them: the properties asked for, stamps, history, associations (fact sheet §4)."""

from __future__ import annotations

from collections.abc import Sequence

from pipelint.sandbox.database import quote
from pipelint.sandbox.hubspot.call import Json, page
from pipelint.sandbox.hubspot.moments import iso
from pipelint.sandbox.hubspot.object_types import ObjectType
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.values import Row, told

LINKS_SHOWN = 500
"""More links than these of one record have pages of their own."""


def asked(portal: Portal, kind: ObjectType, names: Sequence[str]) -> list[Property]:
    """The properties to tell: the named ones that exist, or the few defaults, and always the stamps."""
    return portal.properties[kind].known([*(names or kind.defaults), *kind.stamps])


def columns(kind: ObjectType, *groups: Sequence[Property]) -> str:
    """What to select so that these properties can be told."""
    names = {it.name for group in groups for it in group}
    needed = names | {"_archived", "_archived_at", "hs_created_by_user_id", *kind.stamps}
    return ", ".join(quote(it) for it in sorted(needed))


def record(kind: ObjectType, row: Row, properties: Sequence[Property]) -> Json:
    """One record."""
    document: Json = {
        "id": str(row["hs_object_id"]),
        "properties": {it.name: told(it, row[it.name]) for it in properties},
        "createdAt": iso(int(row[kind.created] or 0)),
        "updatedAt": iso(int(row[kind.modified] or 0)),
        "archived": bool(row["_archived"]),
    }
    if row["_archived"]:
        document["archivedAt"] = iso(int(row["_archived_at"] or 0))
    return document


def records(
    portal: Portal,
    kind: ObjectType,
    rows: Sequence[Row],
    properties: Sequence[Property],
    with_history: Sequence[Property] = (),
    associations: Sequence[ObjectType] = (),
) -> list[Json]:
    """Records with what was asked for beside their properties."""
    documents = [record(kind, row, properties) for row in rows]
    ids = [int(row["hs_object_id"] or 0) for row in rows]
    if with_history:
        histories = portal.history.told(kind, rows, with_history)
        for it, document in zip(ids, documents, strict=True):
            document["propertiesWithHistory"] = histories[it]
    linked = {other.label: _linked(portal, kind, ids, other) for other in associations}
    for it, document in zip(ids, documents, strict=True):
        shown = {label: found[it] for label, found in linked.items() if it in found}
        if shown:
            document["associations"] = shown
    return documents


def _linked(portal: Portal, kind: ObjectType, records: Sequence[int], other: ObjectType) -> dict[int, Json]:
    """What is linked with records, the same one once for each type of the link; nothing is not told."""
    _, reverse = portal.links.types.pair(kind, other)
    answer = {}
    for record, others in portal.links.of(kind, records, other).items():
        entries = [
            {"id": str(other_id), "type": it.back_name if reverse else it.name}
            for other_id, types in others
            for it in types
        ]
        more = len(entries) > LINKS_SHOWN
        answer[record] = page(entries[:LINKS_SHOWN], entries[LINKS_SHOWN - 1]["id"] if more else None)
    return answer
