"""Records through REST: one at a time, and in collections of 200."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from pipelint.sandbox.salesforce import ids
from pipelint.sandbox.salesforce.call import Call, Handler, created
from pipelint.sandbox.salesforce.errors import SalesforceError, no_such_column
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.store import Row
from pipelint.sandbox.salesforce.write import WHOLE_REQUEST, find_id

MAX_COLLECTION = 200
MAX_TYPE_CHUNKS = 10
MAX_RETRIEVE = 2_000

Result = dict[str, object]


def read_record(call: Call) -> object:
    """One record, with all fields or those of `fields=`."""
    sobject = call.sobject()
    row = _readable(call, sobject)
    asked = call.request.args.get("fields")
    fields = list(call.access.fields(sobject)) if asked is None else _asked(call, sobject, asked.split(","))
    return _shape(call, sobject, row, fields)


def create_record(call: Call) -> object:
    """Insert one record."""
    record_id = call.org.writer.create(call.access, call.sobject(), call.json_object())
    _note_metadata(call, call.sobject())
    return created({"id": record_id, "success": True, "errors": []})


def update_record(call: Call) -> object:
    """Change one record."""
    sobject = call.sobject()
    given = call.json_object()
    if "id" in {name.lower() for name in given}:
        raise SalesforceError("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    _single(call, lambda record_id: call.org.writer.update(call.access, sobject, record_id, given))
    return Response(status=204)


def delete_record(call: Call) -> object:
    """Delete one record."""
    sobject = call.sobject()
    _single(call, lambda record_id: call.org.writer.delete(call.access, sobject, record_id))
    return Response(status=204)


def _single(call: Call, change: Callable[[str], None]) -> None:
    """Change one record by the id in the path; what does not exist is a resource not found."""
    try:
        change(find_id(call.args["id"], call.sobject()))
    except SalesforceError as error:
        if error.code == "INVALID_CROSS_REFERENCE_KEY" and not error.fields:
            raise SalesforceError("NOT_FOUND") from None
        raise
    _note_metadata(call, call.sobject())


def _note_metadata(call: Call, sobject: SObject) -> None:
    if sobject.name in {"FieldPermissions", "PermissionSetAssignment", "PermissionSet"}:
        call.org.store.metadata_changed_at = call.org.clock.now()


def update_collection(call: Call) -> object:
    """Change up to 200 records; each has an outcome of its own, in request order."""
    records, all_or_none = _collection(call)

    def change(record: Row) -> Result:
        sobject, record_id = _target(call, record)
        given = {name: value for name, value in record.items() if name.lower() != "id"}
        call.org.writer.update(call.access, sobject, find_id(record_id, sobject), given)
        return {"id": ids.normalise(record_id), "success": True, "errors": []}

    return _each(call, records, change, all_or_none)


def create_collection(call: Call) -> object:
    """Insert up to 200 records."""
    records, all_or_none = _collection(call)

    def change(record: Row) -> Result:
        record_id = call.org.writer.create(call.access, _type(call, record), record)
        return {"id": record_id, "success": True, "errors": []}

    return _each(call, records, change, all_or_none)


def delete_collection(call: Call) -> object:
    """Delete up to 200 records, named in `ids=`."""
    records: list[Row] = [{"id": it.strip()} for it in call.query("ids").split(",")]
    _check_size(len(records), MAX_COLLECTION)

    def change(record: Row) -> Result:
        sobject = call.org.store.schema.of_id(str(record["id"]))
        if sobject is None:
            raise SalesforceError("MALFORMED_ID", f"malformed id {record['id']}", ["Id"])
        call.org.writer.delete(call.access, sobject, find_id(str(record["id"]), sobject))
        return {"id": ids.normalise(str(record["id"])), "success": True, "errors": []}

    return _each(call, records, change, call.request.args.get("allOrNone", "").lower() == "true")


def _each(call: Call, records: list[Row], change: Callable[[Row], Result], all_or_none: bool) -> list[Result]:
    """Do the same to each record; an error of the request's form undoes them all."""
    results: list[Result] = []
    failed = False
    try:
        with call.org.store.transaction():
            for record in records:
                try:
                    results.append(change(record))
                except SalesforceError as error:
                    if error.code in WHOLE_REQUEST:
                        raise
                    failed = True
                    results.append({"success": False, "errors": [error.row()]})
            _stop_if(failed and all_or_none)
    except _RolledBackError:
        undone = SalesforceError(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using"
            " AllOrNone header",
        )
        return [{"success": False, "errors": [undone.row()]} if it["success"] else it for it in results]
    return results


def _stop_if(failed: bool) -> None:
    if failed:
        raise _RolledBackError


class _RolledBackError(Exception):
    """Takes back what the others of an all-or-none request did."""


def _collection(call: Call) -> tuple[list[Row], bool]:
    document = call.json_object()
    records = document.get("records")
    if not isinstance(records, list) or not all(isinstance(it, dict) for it in records):
        raise SalesforceError("JSON_PARSER_ERROR", "Cannot deserialize instance of records")
    _check_size(len(records), MAX_COLLECTION)
    types = [_type(call, it).name for it in records]
    chunks = sum(1 for place, it in enumerate(types) if place == 0 or types[place - 1] != it)
    if chunks > MAX_TYPE_CHUNKS:
        raise SalesforceError(
            "LIMIT_EXCEEDED", f"Cannot have more than {MAX_TYPE_CHUNKS} chunks in a single operation."
        )
    return records, document.get("allOrNone") is True


def _check_size(count: int, most: int) -> None:
    if count > most:
        raise SalesforceError(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {most} records into this call",
        )


def _type(call: Call, record: Row) -> SObject:
    attributes: object = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    sobject = call.org.store.schema.get(str(name))
    if sobject is None:
        raise SalesforceError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return sobject


def _target(call: Call, record: Row) -> tuple[SObject, str]:
    sobject = _type(call, record)
    record_id = next((value for name, value in record.items() if name.lower() == "id"), None)
    if not isinstance(record_id, str):
        raise SalesforceError("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
    return sobject, record_id


def retrieve_collection(call: Call) -> object:
    """Records by id, in the order asked for, null where there is none."""
    document = call.json_object()
    sobject = call.sobject()
    wanted, names = document.get("ids"), document.get("fields")
    if not isinstance(wanted, list) or not isinstance(names, list):
        raise SalesforceError("MISSING_ARGUMENT", "ids and fields are required")
    _check_size(len(wanted), MAX_RETRIEVE)
    fields = _asked(call, sobject, [str(it) for it in names])
    found = (call.org.store.get(sobject, find_id(str(it), sobject)) for it in wanted)
    return [
        None if row is None or row.get("IsDeleted") else _shape(call, sobject, row, fields) for row in found
    ]


def _readable(call: Call, sobject: SObject) -> Row:
    known = ids.normalise(call.args["id"])
    row = None if known is None else call.org.store.get(sobject, known)
    if row is None:
        raise SalesforceError("NOT_FOUND")
    if row.get("IsDeleted"):
        raise SalesforceError("ENTITY_IS_DELETED")
    return row


def _asked(call: Call, sobject: SObject, names: list[str]) -> list[Field]:
    fields = []
    for name in names:
        field = call.access.field(sobject, name.strip())
        if field is None:
            raise no_such_column(name.strip(), sobject.name)
        fields.append(field)
    return fields


def _shape(call: Call, sobject: SObject, row: Row, fields: list[Field]) -> Result:
    url = f"{call.base}/sobjects/{sobject.name}/{row['Id']}"
    values = {it.name: bool(row[it.name]) if it.type == "boolean" else row[it.name] for it in fields}
    return {"attributes": {"type": sobject.name, "url": url}, **values, "Id": row["Id"]}


HANDLERS: dict[str, Handler] = {
    "POST /sobjects/<sobject>": create_record,
    "GET /sobjects/<sobject>/<id>": read_record,
    "PATCH /sobjects/<sobject>/<id>": update_record,
    "DELETE /sobjects/<sobject>/<id>": delete_record,
    "PATCH /composite/sobjects": update_collection,
    "POST /composite/sobjects": create_collection,
    "DELETE /composite/sobjects": delete_collection,
    "POST /composite/sobjects/<sobject>": retrieve_collection,
}
