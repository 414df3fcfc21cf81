"""Property definitions: `/crm/v3/properties/{type}` and the rules for their values (fact sheet §10)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from werkzeug.wrappers import Response

from pipelint.sandbox.hubspot.call import Call, Handler, Json, batch, batch_error, respond, whole
from pipelint.sandbox.hubspot.errors import Detail, HubSpotError, invalid_input, not_found
from pipelint.sandbox.hubspot.object_types import ObjectType
from pipelint.sandbox.hubspot.property import FIELD_TYPES, Group, Property, options

BATCH = 100
UNIQUE = 10
"""So many properties of a type may demand unique values."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def list_properties(call: Call) -> object:
    """All definitions, or all that were archived."""
    every = call.portal.properties[_readable(call)].every.values()
    archived = call.flag("archived")
    return {
        "results": [it.as_json() for it in every if it.listed and (it.archived_at is not None) == archived]
    }


def get_property(call: Call) -> object:
    """One definition."""
    found = call.portal.properties[_readable(call)].every.get(call.args["name"])
    if found is None or (found.archived_at is not None) != call.flag("archived"):
        raise not_found()
    return found.as_json()


def create_property(call: Call) -> object:
    """A property of one's own; 409 where the name is in use."""
    return respond(_create(call, _writable(call), call.json()).as_json(), 201)


def create_batch(call: Call) -> object:
    """Several properties; those that cannot be made are entries in `errors`."""
    kind = _writable(call)
    results, errors = [], []
    for it in call.inputs(BATCH):
        try:
            results.append(_create(call, kind, it).as_json())
        except HubSpotError as error:
            errors.append(batch_error(error.category, error.message, name=[str(it.get("name"))]))
    return batch(call, results, errors, 201)


def read_batch(call: Call) -> object:
    """Definitions by name."""
    known = call.portal.properties[_readable(call)].every
    names = [str(it.get("name")) for it in call.inputs(BATCH)]
    missing = [it for it in names if it not in known]
    errors = [batch_error("OBJECT_NOT_FOUND", f"Property {it} does not exist", name=[it]) for it in missing]
    return batch(call, [known[it].as_json() for it in names if it in known], errors)


def update_property(call: Call) -> object:
    """Another label, group or list of options, which replaces the list there was."""
    definition, properties = _own(call)
    body = call.json()
    changes = _changes(body)
    kind_ok = (
        changes.get("field_type", definition.field_type) in FIELD_TYPES[changes.get("type", definition.type)]
    )
    if not kind_ok or changes.get("group", definition.group) not in properties.groups:
        raise invalid_input("type, fieldType and groupName must fit one another and exist")
    return properties.put(definition, **changes, changed_at=call.portal.now()).as_json()


def archive_property(call: Call) -> object:
    """Put a property away: its name can be used again, and brings its values back."""
    definition, properties = _own(call)
    properties.put(definition, archived_at=call.portal.now())
    return Response(status=204)


def list_groups(call: Call) -> object:
    """The groups of an object type."""
    return {"results": [it.as_json() for it in call.portal.properties[_readable(call)].groups.values()]}


def get_group(call: Call) -> object:
    """One group."""
    found = call.portal.properties[_readable(call)].groups.get(call.args["name"])
    if found is None:
        raise not_found()
    return found.as_json()


def create_group(call: Call) -> object:
    """A group of one's own; 409 where the name is in use."""
    groups, body = call.portal.properties[_writable(call)].groups, call.json()
    name = _name(body)
    if name in groups:
        raise HubSpotError(409, f"A property group named '{name}' already exists.")
    groups[name] = Group(
        name, str(body.get("label") or name), whole(body.get("displayOrder", -1), "displayOrder")
    )
    return respond(groups[name].as_json(), 201)


def list_validations(call: Call) -> object:
    """The rules for values, by property."""
    rules = defaultdict(list)
    for it in call.portal.validation_rules[_readable(call)]:
        rules[it.property].append(it.as_json())
    return {"results": [{"propertyName": name, "propertyValidationRules": it} for name, it in rules.items()]}


def get_validations(call: Call) -> object:
    """The rules for the values of one property."""
    rules = call.portal.validation_rules[_readable(call)]
    return {"results": [it.as_json() for it in rules if it.property == call.args["name"]]}


def _create(call: Call, kind: ObjectType, body: Json) -> Property:
    properties = call.portal.properties[kind]
    name = _name(body)
    earlier = properties.every.get(name)
    if earlier is not None and earlier.archived_at is None:
        raise HubSpotError(
            409, f"A property named '{name}' already exists.", category="OBJECT_ALREADY_EXISTS"
        )
    missing = [it for it in ("label", "type", "fieldType", "groupName") if not body.get(it)]
    if missing:
        raise invalid_input(f"Some required fields were not set: [{', '.join(missing)}]", "json")
    changes = _changes(body)
    type_, field_type = changes["type"], changes["field_type"]
    if field_type not in FIELD_TYPES.get(type_, ()):
        raise _refused(f"A property of type {type_} cannot be shown as {field_type}", "INVALID_FIELD_TYPE")
    if changes["group"] not in properties.groups:
        raise _refused(f"The property group {changes['group']} does not exist", "GROUP_DOESNT_EXIST")
    values = {it.value for it in changes.get("options", ())}
    if field_type == "booleancheckbox" and values != {"true", "false"}:
        raise _refused("A boolean property needs exactly the options true and false", "INVALID_OPTIONS")
    if (
        sum(it.custom and it.archived_at is None for it in properties.every.values())
        >= call.portal.custom_properties
    ):
        raise _refused("The account has reached its limit of custom properties", "LIMIT_EXCEEDED")
    unique = bool(body.get("hasUniqueValue"))
    if unique and sum(it.unique for it in properties.every.values()) >= UNIQUE:
        raise _refused(f"At most {UNIQUE} properties may have unique values", "LIMIT_EXCEEDED")
    now = call.portal.now()
    made = Property(name, **changes, unique=unique, custom=True, created_at=now, changed_at=now)
    return call.portal.define(kind, made)


def _changes(body: Json) -> dict[str, Any]:
    """The attributes of a definition that a body sets."""
    names = {"label": "label", "type": "type", "fieldType": "field_type", "groupName": "group",
             "description": "description"}  # fmt: skip
    changes: dict[str, Any] = {ours: str(body[sent]) for sent, ours in names.items() if sent in body}
    if "hidden" in body:
        changes["hidden"] = bool(body["hidden"])
    if "displayOrder" in body:
        changes["display_order"] = whole(body["displayOrder"], "displayOrder")
    if "options" in body:
        try:
            changes["options"] = options(body["options"])
        except (KeyError, TypeError, ValueError):
            raise invalid_input("an option takes label and value", "json") from None
        if len({it.value for it in changes["options"]}) < len(changes["options"]):
            raise _refused("Property option values must be unique", "INVALID_OPTIONS")
    return changes


def _name(body: Json) -> str:
    name = str(body.get("name") or "")
    if not _NAME.fullmatch(name) or name.startswith("hs_"):
        raise _refused(f"'{name}' is not a valid name: lower case letters, digits and _, and not hs_ first",
                       "INVALID_NAME")  # fmt: skip
    return name


def _own(call: Call) -> tuple[Property, Any]:
    """The property named in the path, if it is the account's own, and where it is kept."""
    properties = call.portal.properties[_writable(call)]
    definition = properties.get(call.args["name"])
    if definition is None:
        raise not_found()
    if not definition.custom:
        raise _refused(
            f"{definition.name} is defined by HubSpot and cannot be changed", "READ_ONLY_DEFINITION"
        )
    return definition, properties


def _refused(message: str, code: str) -> HubSpotError:
    return HubSpotError(400, message, details=[Detail(message, code)])


def _readable(call: Call) -> ObjectType:
    kind = call.kind()
    call.token.require(_schema_scope(kind, "read"), f"{kind.scope}.read")
    return kind


def _writable(call: Call) -> ObjectType:
    kind = call.kind()
    call.token.require(_schema_scope(kind, "write"))
    return kind


def _schema_scope(kind: ObjectType, may: str) -> str:
    """Only deals, contacts and companies have a scope for their definitions; the others ride on contacts'."""
    name = kind.name if kind.name in {"deals", "contacts", "companies"} else "contacts"
    return f"crm.schemas.{name}.{may}"


HANDLERS: dict[str, Handler] = {
    "GET /properties/<type>": list_properties,
    "POST /properties/<type>": create_property,
    "GET /properties/<type>/<name>": get_property,
    "PATCH /properties/<type>/<name>": update_property,
    "DELETE /properties/<type>/<name>": archive_property,
    "POST /properties/<type>/batch/create": create_batch,
    "POST /properties/<type>/batch/read": read_batch,
    "GET /properties/<type>/groups": list_groups,
    "POST /properties/<type>/groups": create_group,
    "GET /properties/<type>/groups/<name>": get_group,
    "GET /property-validations/<type>": list_validations,
    "GET /property-validations/<type>/<name>": get_validations,
}
