"""Associations with their labels: `/crm/v4/associations/…` and its dated twins (fact sheet §8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from werkzeug.wrappers import Response

from pipelint.sandbox.hubspot.association_types import LinkType
from pipelint.sandbox.hubspot.call import (
    Call,
    Handler,
    Json,
    batch,
    batch_error,
    link_numbers,
    page,
    record_id,
    respond,
)
from pipelint.sandbox.hubspot.errors import HubSpotError, invalid_input, not_found
from pipelint.sandbox.hubspot.object_types import ObjectType

READ, CREATE = 1_000, 2_000
PAGE = 500
"""So many linked records of one record are told at once; `paging` of that record leads to the others."""


def read_batch(call: Call) -> object:
    """What is linked with each record; one without links is an entry in `errors`, and no failure, as others are."""
    first, second = call.readable("from"), call.readable("to")
    inputs = call.inputs(READ)
    ids = [record_id(it.get("id")) for it in inputs]
    linked = call.portal.links.of(first, ids, second)
    _, reverse = call.portal.links.types.pair(first, second)
    results, errors = [], []
    for it, number in zip(inputs, ids, strict=True):
        if (fault := call.portal.untold(call.request.path, number)) is not None:
            errors.append(batch_error(fault.category, fault.message, fromObjectId=[str(number)]))
            continue
        others = linked.get(number)
        if not others:
            message = f"No {second.name} is associated with {first.name} {number}."
            empty = batch_error("OBJECT_NOT_FOUND", message, fromObjectId=[str(number)])
            errors.append(empty | {"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"})
            continue
        after = record_id(it.get("after") or 0)
        shown = _page(call, [entry for entry in others if entry[0] > after], reverse=reverse)
        told: Json = {"from": {"id": str(number)}, "to": shown["results"]}
        if "paging" in shown:
            told["paging"] = shown["paging"]
        results.append(told)
    return batch(call, results, errors)


def read_one(call: Call) -> object:
    """What is linked with one record; the older form tells ids and a type, and 2026-09 has none of it."""
    if call.version == "2026-09":
        raise not_found()
    first, second = call.readable(), call.readable("to")
    _, reverse = call.portal.links.types.pair(first, second)
    others = call.portal.links.of(first, [call.record()], second).get(call.record(), [])
    if call.version == "v4":
        after = record_id(call.request.args.get("after", "0"))
        return _page(call, [it for it in others if it[0] > after], reverse=reverse)
    return page(
        [
            {"id": str(it), "type": type_.back_name if reverse else type_.name}
            for it, types in others
            for type_ in types
        ],
        None,
    )


def _page(call: Call, others: Sequence[tuple[int, list[LinkType]]], *, reverse: bool) -> Json:
    """The ids are numbers in v4 and text in dated versions: both forms occur."""
    told = [
        {
            "toObjectId": str(it) if call.dated else it,
            "associationTypes": [type_.as_json(reverse=reverse) for type_ in types],
        }
        for it, types in others[:PAGE]
    ]
    return page(told, str(others[PAGE - 1][0]) if len(others) > PAGE else None)


def create_batch(call: Call) -> object:
    """Labelled links; each carries the plain one, too."""
    first, second = call.writable("from"), call.writable("to")
    known = _known(call, first, second)
    made = []
    for a, b, it in _ends(call):
        _check(call, first, a, second, b)
        numbers = link_numbers(it.get("types"))
        if not numbers or not set(numbers) <= set(known):
            raise HubSpotError(400, f"{numbers} are not association types from {first.name} to {second.name}")
        call.portal.links.add(first, a, second, b, [known[number] for number in numbers])
        call.portal.writer.linked(first, a, second, b)
        made.append(
            {
                "fromObjectTypeId": first.type_id,
                "fromObjectId": str(a),
                "toObjectTypeId": second.type_id,
                "toObjectId": str(b),
                "labels": [label for number in numbers if (label := known[number].label)],
            }
        )
    return batch(call, made, status=201)


def create_default(call: Call) -> object:
    """Plain links."""
    first, second = call.writable("from"), call.writable("to")
    pair, reverse = call.portal.links.types.pair(first, second)
    plain = pair.types[0]
    made = []
    for a, b, _ in _ends(call):
        _check(call, first, a, second, b)
        call.portal.links.add(first, a, second, b)
        call.portal.writer.linked(first, a, second, b)
        spec = {
            "associationCategory": "HUBSPOT_DEFINED",
            "associationTypeId": plain.back if reverse else plain.id,
        }
        made.append({"from": {"id": str(a)}, "to": {"id": str(b)}, "associationSpec": spec})
    return batch(call, made)


def archive_batch(call: Call) -> object:
    """Part records, whatever links them."""
    first, second = call.writable("from"), call.writable("to")
    for it in call.inputs(CREATE):
        origin, others = it.get("from"), it.get("to")
        if not isinstance(origin, dict) or not isinstance(others, list):
            raise invalid_input("an input takes from and to", "json")
        for other in others:
            a, b = (
                record_id(origin.get("id")),
                record_id(other.get("id") if isinstance(other, dict) else None),
            )
            call.portal.links.remove(first, a, second, b)
            call.portal.writer.linked(first, a, second, b)
    return Response(status=204)


def labels(call: Call) -> object:
    """The types of link between two object types, in this direction."""
    first, second = call.readable("from"), call.readable("to")
    pair, reverse = call.portal.links.types.pair(first, second)
    return {"results": [it.as_json(reverse=reverse) for it in pair.types]}


def create_label(call: Call) -> object:
    """A label of the portal's own; the answer has its number in each direction."""
    first, second = call.kind("from"), call.kind("to")
    call.token.require(f"{first.scope}.write")
    label = str(call.json().get("label") or "")
    if not label:
        raise invalid_input("Some required fields were not set: [label]", "json")
    pair, _ = call.portal.links.types.pair(first, second)
    if label in {it.label for it in pair.types}:
        raise HubSpotError(
            400, f"The label {label} is already in use", category="DUPLICATE_ASSOCIATION_LABEL"
        )
    made = call.portal.links.types.add(first, second, label)
    return respond({"results": [made.as_json(reverse=it) for it in (False, True)]}, 200)


def _known(call: Call, first: ObjectType, second: ObjectType) -> dict[int, LinkType]:
    pair, reverse = call.portal.links.types.pair(first, second)
    return {it.back if reverse else it.id: it for it in pair.types}


def _ends(call: Call) -> Iterator[tuple[int, int, Json]]:
    for it in call.inputs(CREATE):
        origin, other = it.get("from"), it.get("to")
        if not isinstance(origin, dict) or not isinstance(other, dict):
            raise invalid_input("an input takes from and to", "json")
        yield record_id(origin.get("id")), record_id(other.get("id")), it


def _check(call: Call, first: ObjectType, a: int, second: ObjectType, b: int) -> None:
    for kind, record in ((first, a), (second, b)):
        if call.portal.store.get(kind, record) is None:
            raise HubSpotError(
                400, f"No {kind.singular} with the id {record} exists", category="OBJECT_NOT_FOUND"
            )


HANDLERS: dict[str, Handler] = {
    "GET /objects/<type>/<id>/associations/<to>": read_one,
    "POST /associations/<from>/<to>/batch/read": read_batch,
    "POST /associations/<from>/<to>/batch/create": create_batch,
    "POST /associations/<from>/<to>/batch/associate/default": create_default,
    "POST /associations/<from>/<to>/batch/archive": archive_batch,
    "GET /associations/<from>/<to>/labels": labels,
    "POST /associations/<from>/<to>/labels": create_label,
}
