"""The Tooling API: creating, changing and dropping custom fields (fact sheet §7)."""

from __future__ import annotations

import json

from werkzeug.wrappers import Response

from pipelint.sandbox.salesforce.call import Call, Handler, created
from pipelint.sandbox.salesforce.custom_fields import CustomFields
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.store import Row
from pipelint.sandbox.salesforce.write import find_id


def create_metadata(call: Call) -> object:
    """Create a custom field: from now on it exists, and nobody sees it."""
    _require_custom_field(call)
    given = call.json_object()
    record_id = _fields(call).create(_full_name(given), _metadata(given), call.access.user_id)
    return created({"id": record_id, "success": True, "errors": [], "warnings": [], "infos": []})


def read_metadata(call: Call) -> object:
    """One metadata record with its complex value."""
    sobject = call.sobject(tooling=True)
    row = _existing(call, sobject)
    url = f"{call.base}/tooling/sobjects/{sobject.name}/{row['Id']}"
    values = {}
    for field in sobject.fields.values():
        value = row[field.name]
        if value is not None and field.type in {"json", "boolean"}:
            value = json.loads(str(value)) if field.type == "json" else bool(value)
        values[field.name] = value
    return {"attributes": {"type": sobject.name, "url": url}, **values}


def update_metadata(call: Call) -> object:
    """Give a custom field new metadata, such as more picklist values."""
    sobject = _require_custom_field(call)
    row = _existing(call, sobject)
    _fields(call).update(row, _metadata(call.json_object()), call.access.user_id)
    return Response(status=204)


def delete_metadata(call: Call) -> object:
    """Drop a custom field with its values and permissions."""
    sobject = _require_custom_field(call)
    _fields(call).delete(_existing(call, sobject))
    return Response(status=204)


def _fields(call: Call) -> CustomFields:
    return CustomFields(call.org.store, call.org.clock)


def _require_custom_field(call: Call) -> SObject:
    call.access.require_customize()
    sobject = call.sobject(tooling=True)
    if not sobject.createable:
        raise SalesforceError("INSUFFICIENT_ACCESS", f"entity type cannot be changed: {sobject.name}")
    return sobject


def _existing(call: Call, sobject: SObject) -> Row:
    row = call.org.store.get(sobject, find_id(call.args["id"], sobject))
    if row is None:
        raise SalesforceError("NOT_FOUND")
    return row


def _full_name(given: dict[str, object]) -> str:
    full_name = given.get("FullName")
    if not isinstance(full_name, str):
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [FullName]", ["FullName"]
        )
    return full_name


def _metadata(given: dict[str, object]) -> dict[str, object]:
    unknown = sorted(set(given) - {"FullName", "Metadata"})
    if unknown:
        raise SalesforceError(
            "INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type CustomField"
        )
    metadata = given.get("Metadata")
    if not isinstance(metadata, dict):
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]", ["Metadata"]
        )
    return metadata


HANDLERS: dict[str, Handler] = {
    "POST /tooling/sobjects/<sobject>": create_metadata,
    "GET /tooling/sobjects/<sobject>/<id>": read_metadata,
    "PATCH /tooling/sobjects/<sobject>/<id>": update_metadata,
    "DELETE /tooling/sobjects/<sobject>/<id>": delete_metadata,
}
