"""Records by the hundred: `/crm/v3/objects/{type}/batch/…` (fact sheet §4, §11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from werkzeug.wrappers import Response

from pipelint.sandbox.database import quote
from pipelint.sandbox.hubspot.call import Call, Handler, Json, batch, batch_error, record_id
from pipelint.sandbox.hubspot.errors import HubSpotError, invalid_input
from pipelint.sandbox.hubspot.object_types import ObjectType
from pipelint.sandbox.hubspot.objects import (
    PAGE,
    PAGE_WITH_HISTORY,
    changed,
    created,
    find,
    sent_properties,
    unique,
)
from pipelint.sandbox.hubspot.told import asked, columns, records
from pipelint.sandbox.hubspot.values import Row


def read(call: Call) -> object:
    """Records by id, in an order of HubSpot's own; those that are missing or archived are errors."""
    kind, portal, body = call.readable(), call.portal, call.json()
    properties = asked(portal, kind, _names(body, "properties"))
    history = portal.properties[kind].known(_names(body, "propertiesWithHistory"))
    inputs = call.inputs(PAGE_WITH_HISTORY if history else PAGE, body)
    by = unique(portal, kind, str(body.get("idProperty") or "hs_object_id"))
    wanted = [str(it.get("id", "")) for it in inputs]
    if by.name == "hs_object_id":
        wanted = [str(record_id(it)) for it in wanted]
    marks = ", ".join("?" * len(wanted))
    found = portal.store.rows(
        f"SELECT {columns(kind, properties, history, [by])} FROM {kind.name}"
        f" WHERE {quote(by.name)} IN ({marks}) AND _archived = ? ORDER BY hs_object_id DESC",
        [*wanted, int(call.flag("archived"))],
    )
    rows: list[Row] = [dict(it) for it in found]
    present = {str(row[by.name]) for row in rows}
    missing = [it for it in dict.fromkeys(wanted) if it not in present]
    errors = _missing(kind, missing)
    for row in [*rows]:
        number = int(row["hs_object_id"] or 0)
        if (fault := portal.untold(call.request.path, number)) is not None:
            rows.remove(row)
            errors.append(batch_error(fault.category, fault.message, ids=[str(number)]))
    return batch(call, records(portal, kind, rows, properties, history), errors)


def create(call: Call) -> object:
    """New records; one bad one among them and there is none, unless all carry trace ids."""
    kind = call.writable()
    inputs = call.inputs(PAGE)
    results, errors = _each(call, inputs, lambda it: created(call, kind, it))
    return batch(call, results, errors, 201)


def update(call: Call) -> object:
    """Changed records; unknown ids are errors of their own, but one bad value refuses the whole batch."""
    kind, portal = call.writable(), call.portal
    inputs = call.inputs(PAGE)
    ids = [_found(call, kind, it) for it in inputs]
    numbers = [it for it in ids if it is not None]
    if len(set(numbers)) < len(numbers):
        twice = sorted({str(it) for it in numbers if numbers.count(it) > 1})
        raise invalid_input(f"Duplicate IDs found in batch input: [{', '.join(twice)}]")
    errors, present = [], []
    for it, number in zip(inputs, ids, strict=True):
        if number is None or portal.store.get(kind, number) is None:
            errors += _missing(kind, [str(it.get("id", ""))])
            continue
        fault = portal.refused(number)
        if fault is None:
            present.append((it, number))
        elif fault.status == 423:  # a lock refuses the whole request
            raise fault
        else:
            errors.append(batch_error(fault.category, fault.message, ids=[str(number)]))
    by_input = {id(it): number for it, number in present}
    results, refused = _each(
        call,
        [it for it, _ in present],
        lambda it: changed(call, kind, by_input[id(it)], sent_properties(it)),
    )
    return batch(call, results, [*errors, *refused])


def upsert(call: Call) -> object:
    """Records by a unique property: changed where they exist, new where they do not."""
    kind = call.writable()

    def put(it: Json) -> Json:
        sent = sent_properties(it)
        number = _found(call, kind, it)
        if number is not None:
            return changed(call, kind, number, sent) | {"new": False}
        given = {**sent, str(it.get("idProperty")): it.get("id")}
        return created(call, kind, {"properties": given}) | {"new": True}

    results, errors = _each(call, call.inputs(PAGE), put)
    return batch(call, results, errors)


def archive(call: Call) -> object:
    """Records into the recycle bin."""
    kind = call.writable()
    for it in call.inputs(PAGE):
        call.portal.writer.archive(kind, record_id(it.get("id")))
    return Response(status=204)


def _each(call: Call, inputs: Sequence[Json], work: Callable[[Json], Json]) -> tuple[list[Json], list[Json]]:
    """All or nothing; but record by record where every input carries a trace id of its own."""
    traces = [str(it.get("objectWriteTraceId") or "") for it in inputs]
    traced = call.portal.trace_ids and all(traces) and len(set(traces)) == len(traces)
    results: list[Json] = []
    errors: list[Json] = []
    with call.portal.store.transaction():
        for it, trace in zip(inputs, traces, strict=True):
            try:
                with call.portal.store.transaction():
                    results.append(work(it) | ({"objectWriteTraceId": trace} if trace else {}))
            except HubSpotError as error:
                if not traced:
                    raise
                entry = batch_error(error.category, error.message, objectWriteTraceId=[trace])
                errors.append(entry | {"errors": [detail.as_json() for detail in error.details]})
    return results, errors


def _found(call: Call, kind: ObjectType, it: Json) -> int | None:
    """The record an input means; None where its unique property names none."""
    by = it.get("idProperty")
    try:
        return find(call.portal, kind, str(it.get("id", "")), str(by) if by else None)
    except HubSpotError as error:
        if error.status == 404:
            return None
        raise


def _missing(kind: ObjectType, ids: Sequence[str]) -> list[Json]:
    if not ids:
        return []
    message = (
        f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist."
        " Check that ids are valid."
    )
    return [batch_error("OBJECT_NOT_FOUND", message, ids=ids)]


def _names(body: Json, name: str) -> list[str]:
    found = body.get(name) or []
    return [str(it) for it in found] if isinstance(found, list) else []


HANDLERS: dict[str, Handler] = {
    "POST /objects/<type>/batch/read": read,
    "POST /objects/<type>/batch/create": create,
    "POST /objects/<type>/batch/update": update,
    "POST /objects/<type>/batch/upsert": upsert,
    "POST /objects/<type>/batch/archive": archive,
}
