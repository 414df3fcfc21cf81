"""Which records belong together: asked for a thousand at a time, with the labels of each link, or told by a list.

A record without any link comes back as an error of its own, which is no failure, though others are; one with very
many has pages of its own (fact sheet §8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from pipelint.connectors.hubspot.answers import Batch, Paging, Row
from pipelint.connectors.hubspot.client import Client

AT_ONCE: Final = 1000


class Link(NamedTuple):
    """A record that another one is linked to; `labels` are the portal's own words for it."""

    to: str
    labels: tuple[str, ...]
    primary: bool


class _Type(msgspec.Struct):
    category: str = ""
    label: str | None = None


class _To(msgspec.Struct):
    toObjectId: int | str  # noqa: N815 - HubSpot's name
    associationTypes: list[_Type] = []  # noqa: N815 - HubSpot's name


class _From(msgspec.Struct):
    id: int | str


class _Result(msgspec.Struct):
    from_: _From = msgspec.field(name="from")
    to: list[_To] = []
    paging: Paging | None = None


class _Results(Batch):
    results: list[_Result]


def links(client: Client, kind: str, to: str, ids: Sequence[str]) -> dict[str, list[Link]]:
    """The links of some records to records of another type, in the order of their ids."""
    path = client.reading.associations(kind, to, "batch", "read")
    found: dict[str, dict[str, Link]] = {}
    waiting = [{"id": id_} for id_ in ids]
    while waiting:
        now, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        answer = client.batch(path, {"inputs": now}, _Results, name=f"the links of {kind} to {to}")
        for result in answer.results:
            record = str(result.from_.id)
            linked = found.setdefault(record, {})
            for one in result.to:
                linked[str(one.toObjectId)] = _link(one)
            if result.paging and result.paging.next:
                waiting.append({"id": record, "after": result.paging.next.after})
    return {record: [linked[id_] for id_ in sorted(linked, key=int)] for record, linked in found.items()}


def told_links(rows: Mapping[str, Row], to: str, types: Sequence[str]) -> dict[str, list[Link]]:
    """The links that a list told of its rows, without labels; rows that are left out have to be asked for.

    A list tells nothing of a row without links. That is not believed where it tells nothing of any row, or calls
    a type by a name that is not ours; and of a row with very many links it tells a part.
    """
    found: dict[str, list[Link]] = {}
    if not any(row.associations for row in rows.values()):
        return found
    for id_, row in rows.items():
        linked = row.associations.get(to)
        if linked is None:
            if row.associations.keys() <= set(types):
                found[id_] = []
        elif linked.paging is None or linked.paging.next is None:
            ids = dict.fromkeys(each.id for each in linked.results)
            found[id_] = [Link(other, (), primary=False) for other in sorted(ids, key=int)]
    return found


def primary(found: Sequence[Link]) -> str | None:
    """The main one of several; the first where none is marked."""
    return next((link.to for link in found if link.primary), found[0].to if found else None)


def _link(one: _To) -> Link:
    """A labelled link has its unlabelled form beside it."""
    labels = tuple(
        dict.fromkeys(each.label for each in one.associationTypes if each.label and each.category != _OURS)
    )
    main = any(each.label == "Primary" for each in one.associationTypes)
    return Link(str(one.toObjectId), labels, main)


_OURS: Final = "HUBSPOT_DEFINED"
"""The category of types that every portal has; their only label is `Primary`."""
