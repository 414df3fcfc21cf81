"""Loading an upload: batches of 10,000 rows that run side by side, each row with a fate of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipelint.sandbox.salesforce.call import Call
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.values import normalise
from pipelint.sandbox.salesforce.write import WHOLE_REQUEST, find_id

BATCH = 10_000
"""Rows of one internal batch."""
NULL = "#N/A"
"""What clears a field; an empty cell leaves it alone."""
MAX_CELL = 32_000


class BatchError(Exception):
    """Fails the whole job; its message is the job's."""


@dataclass(slots=True)
class Loaded:
    """The rows by what became of them, with what the results say about each in front."""

    successful: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)


def load(call: Call, sobject: SObject, operation: str, key: str, header: list[str], loaded: Loaded) -> None:
    """Work through the unprocessed rows.

    Raises:
        BatchError: a column is unknown, or not visible; then no row is touched.
    """
    fields = [call.access.field(sobject, name) for name in header]
    for name, found in zip(header, fields, strict=True):
        if found is None:
            raise BatchError(f"InvalidBatch : Field name not found : {name}")
    columns = [it for it in fields if it is not None]
    if operation in {"update", "delete"} and not any(it.type == "id" for it in columns):
        raise BatchError("InvalidBatch : Field name not found : Id")
    rows, loaded.unprocessed = loaded.unprocessed, []
    locks = _Locks()
    for start in range(0, len(rows), BATCH):
        with call.org.store.transaction():
            for row in rows[start : start + BATCH]:
                try:
                    given = dict(_values(columns, row))
                    locks.take(call, sobject, given, start)
                    record_id, created = _save(call, sobject, operation, key, given)
                except SalesforceError as error:
                    loaded.failed.append(["", _described(error), *row])
                else:
                    loaded.successful.append([record_id, "true" if created else "false", *row])
    # The order of an upload is not kept, so that nobody may rely on it.
    loaded.successful.reverse()
    loaded.failed.reverse()


def _values(columns: list[Field], row: list[str]) -> Iterator[tuple[str, object]]:
    """What a row says; cells that are empty say nothing."""
    for column, cell in zip(columns, row, strict=True):
        if len(cell) > MAX_CELL:
            message = f"{column.label}: data value too large (max length={MAX_CELL})"
            raise SalesforceError("STRING_TOO_LONG", message, [column.name])
        if cell == NULL:
            yield column.name, None
        elif cell:
            try:
                normalise(column, cell)
            except SalesforceError as error:
                if (
                    error.code in WHOLE_REQUEST
                ):  # a table of texts has no JSON types: it concerns this row alone
                    message = f"{column.label}: value not of required type: {cell}"
                    raise SalesforceError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [column.name]) from None
                raise
            yield column.name, cell


def _save(
    call: Call, sobject: SObject, operation: str, key: str, given: dict[str, object]
) -> tuple[str, bool]:
    """Do what the job does to one record; answers its id and whether it is new."""
    writer = call.org.writer
    if operation == "upsert" and key.lower() != "id":
        wanted = given.get(key)
        if wanted is None:
            raise SalesforceError("MISSING_ARGUMENT", f"{key} not specified", [key])
        found = call.org.store.find_all(sobject, **{key: str(wanted)}, IsDeleted=0)
        if len(found) > 1:
            raise SalesforceError("DUPLICATE_EXTERNAL_ID", f"{key}: more than one record found", [key])
        given = {**given, "Id": found[0]["Id"]} if found else given
    record = given.pop("Id", None)
    if record is None:
        if operation in {"update", "delete"}:
            raise SalesforceError("MISSING_ARGUMENT", f"Id not specified in an {operation} call", ["Id"])
        return writer.create(call.access, sobject, given), True
    record_id = find_id(str(record), sobject)
    if operation == "insert":
        raise SalesforceError(
            "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"]
        )
    if operation == "delete":
        writer.delete(call.access, sobject, record_id)
    else:
        writer.update(call.access, sobject, record_id, given)
    return record_id, False


class _Locks:
    """Batches run side by side, and one that finds an account locked by another gives up on the row."""

    def __init__(self) -> None:
        self._holders: dict[str, int] = {}

    def take(self, call: Call, sobject: SObject, given: Mapping[str, object], batch: int) -> None:
        if sobject.name != "Opportunity" or "Id" not in given:
            return
        row = call.org.store.get(sobject, find_id(str(given["Id"]), sobject)) or {}
        account = row.get("AccountId")
        if account and self._holders.setdefault(str(account), batch) != batch:
            raise SalesforceError("UNABLE_TO_LOCK_ROW")


def _described(error: SalesforceError) -> str:
    """An error as a cell: code, message and fields."""
    return f"{error.code}:{error.message}:{','.join(error.fields)} --"
