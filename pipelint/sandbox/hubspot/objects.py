"""Records one by one and page by page: `/crm/v3/objects/{type}` (fact sheet §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from werkzeug.wrappers import Response

from pipelint.sandbox.database import quote
from pipelint.sandbox.hubspot.association_types import LinkType
from pipelint.sandbox.hubspot.call import Call, Handler, Json, link_numbers, page, record_id, respond
from pipelint.sandbox.hubspot.errors import HubSpotError, invalid_input, not_found
from pipelint.sandbox.hubspot.object_types import CONTACTS, ObjectType, object_type
from pipelint.sandbox.hubspot.portal import INTEGRATION, Portal
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.told import asked, columns, records

PAGE, PAGE_WITH_HISTORY = 100, 50
DEFAULT_PAGE = 10


def list_records(call: Call) -> object:
    """A page of all records, ordered by id: no filter, no total, no end before the last one."""
    kind, portal = call.readable(), call.portal
    properties = asked(portal, kind, call.names("properties"))
    history = portal.properties[kind].known(call.names("propertiesWithHistory"))
    limit = call.limit(DEFAULT_PAGE, PAGE_WITH_HISTORY if history else PAGE)
    after = call.request.args.get("after", "0")
    if not after.isdigit():
        raise invalid_input(f"after {after} is not one of this list's")
    found = portal.store.rows(
        f"SELECT {columns(kind, properties, history)} FROM {kind.name}"
        " WHERE _archived = ? AND hs_object_id >= ? ORDER BY hs_object_id LIMIT ?",
        [int(call.flag("archived")), int(after), limit + 1],
    )
    rows = [dict(it) for it in found[:limit]]
    following = str(found[limit]["hs_object_id"]) if len(found) > limit else None
    return page(records(portal, kind, rows, properties, history, _associations(call)), following)


def get_record(call: Call) -> object:
    """One record; of one that was merged away, the record that came out of it, under that one's id."""
    kind, portal = call.readable(), call.portal
    record = find(portal, kind, call.args["id"], call.request.args.get("idProperty"))
    row = portal.store.get(kind, portal.writer.survivor(kind, record), archived=call.flag("archived"))
    if row is None:
        raise not_found()
    properties = asked(portal, kind, call.names("properties"))
    history = portal.properties[kind].known(call.names("propertiesWithHistory"))
    return records(portal, kind, [row], properties, history, _associations(call))[0]


def create_record(call: Call) -> object:
    """A new record, with its links."""
    kind, body = call.writable(), call.json()
    return respond(created(call, kind, body), 201)


def update_record(call: Call) -> object:
    """Changed values of one record; the answer tells these and the stamps."""
    kind, portal = call.writable(), call.portal
    sent = sent_properties(call.json())
    record = find(portal, kind, call.args["id"], call.request.args.get("idProperty"))
    return changed(call, kind, record, sent)


def archive_record(call: Call) -> object:
    """Into the recycle bin; there already or never been: no difference."""
    call.portal.writer.archive(call.writable(), call.record())
    return Response(status=204)


def merge_records(call: Call) -> object:
    """One record out of two."""
    kind, body = call.writable(), call.json()
    ids = [record_id(body.get(it)) for it in ("primaryObjectId", "objectIdToMerge")]
    survivor = call.portal.writer.merge(kind, ids[0], ids[1], INTEGRATION)
    row = call.portal.store.get(kind, survivor)
    return records(call.portal, kind, [row or {}], asked(call.portal, kind, []))[0]


def purge_contact(call: Call) -> object:
    """Delete a contact for good, as data protection demands."""
    kind = call.writable()
    if kind is not CONTACTS:
        raise not_found()
    call.portal.writer.purge(kind, record_id(call.json().get("objectId")))
    return Response(status=204)


def find(portal: Portal, kind: ObjectType, text: str, id_property: str | None = None) -> int:
    """The id of the record meant: by its id, or by a property with unique values."""
    by = unique(portal, kind, id_property or "hs_object_id")
    if by.name == "hs_object_id":
        return record_id(text)
    found = portal.store.rows(
        f"SELECT hs_object_id FROM {kind.name} WHERE {quote(by.name)} = ? COLLATE NOCASE AND NOT _archived",
        [text],
    )
    if not found:
        raise not_found()
    return int(found[0][0])


def unique(portal: Portal, kind: ObjectType, name: str) -> Property:
    """A property whose values tell records apart."""
    found = portal.properties[kind].get(name)
    if found is None or not (
        found.unique or name == "hs_object_id" or (kind is CONTACTS and name == "email")
    ):
        raise invalid_input(f"{name} is not a unique property of {kind.name}")
    return found


def sent_properties(body: Mapping[str, object]) -> Mapping[str, object]:
    """The `properties` of a write."""
    found = body.get("properties")
    if not isinstance(found, dict):
        raise invalid_input("Some required fields were not set: [properties]", "json")
    return found


def created(call: Call, kind: ObjectType, body: Json) -> Json:
    """Create a record from what was sent, and tell it."""
    portal, sent = call.portal, sent_properties(body)
    targets = _targets(portal, kind, body.get("associations"))
    with portal.store.transaction():
        record = portal.writer.create(kind, sent, INTEGRATION, enforce=call.enforces)
        for other, other_id, labels in targets:
            portal.links.add(kind, record, other, other_id, labels)
            portal.writer.linked(kind, record, other, other_id)
    row = portal.store.get(kind, record) or {}
    return records(portal, kind, [row], asked(portal, kind, [*sent, *kind.defaults]))[0]


def changed(call: Call, kind: ObjectType, record: int, sent: Mapping[str, object]) -> Json:
    """Change a record, and tell what was changed."""
    portal = call.portal
    fault = portal.refused(record)
    if fault is not None:
        raise fault
    row = portal.writer.update(kind, record, sent, INTEGRATION, enforce=call.enforces)
    return records(portal, kind, [row], asked(portal, kind, list(sent)))[0]


def _targets(portal: Portal, kind: ObjectType, sent: object) -> list[tuple[ObjectType, int, list[LinkType]]]:
    """What a new record is to be linked with: the other type follows from the numbers of the links."""
    targets = []
    for it in sent if isinstance(sent, list) else []:
        numbers, end = link_numbers(it.get("types")), it.get("to")
        if not numbers or not isinstance(end, dict):
            raise invalid_input("an association takes to and types", "json")
        other, labels = portal.links.types.numbered(kind, numbers[0])
        other_id = record_id(end.get("id"))
        if portal.store.get(other, other_id) is None:
            raise HubSpotError(400, f"No {other.singular} with the id {other_id} exists")
        targets.append((other, other_id, labels))
    return targets


def _associations(call: Call) -> Sequence[ObjectType]:
    types = [object_type(it) for it in call.names("associations")]
    for it in types:
        call.token.require(f"{it.scope}.read")
    return types


HANDLERS: dict[str, Handler] = {
    "GET /objects/<type>": list_records,
    "POST /objects/<type>": create_record,
    "GET /objects/<type>/<id>": get_record,
    "PATCH /objects/<type>/<id>": update_record,
    "DELETE /objects/<type>/<id>": archive_record,
    "POST /objects/<type>/merge": merge_records,
    "POST /objects/<type>/gdpr-delete": purge_contact,
}
