"""The life of a custom field: its metadata record and its column, made, changed and dropped together."""

from __future__ import annotations

import json
from dataclasses import replace

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field
from pipelint.sandbox.salesforce.metadata import Metadata, column, refused
from pipelint.sandbox.salesforce.opportunity import is_tracked
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.store import Row, Store, Value
from pipelint.sandbox.salesforce.values import stamp


class CustomFields:
    """What the Tooling API does to custom fields."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rows = store.schema["CustomField"]

    def create(self, full_name: str, metadata: Metadata, user_id: str) -> str:
        """Make a field, and answer the id of its metadata record."""
        sobject = self._store.schema.get(full_name.partition(".")[0])
        if sobject is None or sobject.tooling or not sobject.createable:
            raise refused(f"Entity Enumeration Or ID: bad value for restricted picklist field: {full_name}")
        field = column(full_name, metadata)
        if sobject.field(field.name) is not None:
            raise SalesforceError(
                "DUPLICATE_DEVELOPER_NAME",
                f"There is already a field named {field.name.removesuffix('__c')} on {sobject.label}.",
                ["DeveloperName"],
            )
        with self._store.transaction():
            self._store.add_column(sobject, field)
            define_fields(self._store, sobject, field)
            record_id = self._store.reserve(self._rows)[0]
            now = stamp(self._clock.now())
            self._store.insert(
                self._rows,
                {
                    "Id": record_id,
                    "DeveloperName": field.name.removesuffix("__c"),
                    "TableEnumOrId": sobject.name,
                    "ManageableState": "unmanaged",
                    "CreatedDate": now,
                    "CreatedById": user_id,
                    **self._described(sobject, field, metadata, user_id),
                },
            )
            self._changed()
        return record_id

    def update(self, row: Row, metadata: Metadata, user_id: str) -> None:
        """Change a field; picklist values that are no longer named become inactive."""
        sobject = self._store.schema[str(row["TableEnumOrId"])]
        old = sobject.fields[f"{row['DeveloperName']}__c"]
        new = column(str(row["FullName"]), metadata)
        if new.type != old.type or new.long_text != old.long_text:
            raise refused("Cannot change the field type through the Metadata value")
        kept = {it.value.lower() for it in new.choices}
        gone = tuple(replace(it, active=False) for it in old.choices if it.value.lower() not in kept)
        with self._store.transaction():
            sobject.put(replace(new, choices=(*new.choices, *gone)))
            self._undefine(sobject, old)
            define_fields(self._store, sobject, new)
            self._store.update(self._rows, str(row["Id"]), self._described(sobject, new, metadata, user_id))
            self._changed()

    def rename(self, full_name: str, name: str) -> None:
        """Give a field another API name, as an administrator does in Setup: id, values and permissions stay.

        Raises:
            ValueError: there is no such field.
        """
        row = self._store.find(self._rows, FullName=full_name)
        if row is None:
            raise ValueError(f"no custom field {full_name}")
        sobject = self._store.schema[str(row["TableEnumOrId"])]
        old = sobject.fields[f"{row['DeveloperName']}__c"]
        permissions = self._store.schema["FieldPermissions"]
        with self._store.transaction():
            self._store.rename_column(sobject, old, replace(old, name=name))
            renamed: dict[str, Value] = {
                "FullName": f"{sobject.name}.{name}",
                "DeveloperName": name.removesuffix("__c"),
            }
            self._store.update(self._rows, str(row["Id"]), renamed)
            for it in self._store.find_all(permissions, Field=full_name):
                self._store.update(permissions, str(it["Id"]), {"Field": renamed["FullName"]})
            self._changed()

    def delete(self, row: Row) -> None:
        """Drop a field."""
        sobject = self._store.schema[str(row["TableEnumOrId"])]
        permissions = self._store.schema["FieldPermissions"]
        with self._store.transaction():
            for it in self._store.find_all(permissions, Field=row["FullName"]):
                self._store.remove(permissions, str(it["Id"]))
            self._store.remove(self._rows, str(row["Id"]))
            self._undefine(sobject, sobject.fields[f"{row['DeveloperName']}__c"])
            self._store.drop_column(sobject, sobject.fields[f"{row['DeveloperName']}__c"])
            self._changed()

    def _undefine(self, sobject: SObject, field: Field) -> None:
        definitions = self._store.schema["FieldDefinition"]
        for it in self._store.find_all(definitions, DurableId=f"{sobject.name}.{field.name}"):
            self._store.remove(definitions, str(it["Id"]))

    def _described(
        self, sobject: SObject, field: Field, metadata: Metadata, user_id: str
    ) -> dict[str, Value]:
        now = stamp(self._clock.now())
        description = metadata.get("description")
        return {
            "FullName": f"{sobject.name}.{field.name}",
            "Metadata": json.dumps(metadata),
            "Description": description if isinstance(description, str) else None,
            "InlineHelpText": field.help_text,
            "Length": field.length or None,
            "Precision": field.precision or None,
            "Scale": field.scale if field.precision else None,
            "LastModifiedDate": now,
            "LastModifiedById": user_id,
            "SystemModstamp": now,
        }

    def _changed(self) -> None:
        self._store.metadata_changed_at = self._clock.now()


def define_fields(store: Store, sobject: SObject | None = None, field: Field | None = None) -> None:
    """Write the rows by which the Tooling API tells of fields, of one or of all there are."""
    definitions = store.schema["FieldDefinition"]
    entities = {
        str(it["QualifiedApiName"]): it["Id"] for it in store.find_all(store.schema["EntityDefinition"])
    }
    meant = [
        (owner, it)
        for owner in ([sobject] if sobject else store.schema)
        if owner.name in entities
        for it in ([field] if field else owner.fields.values())
    ]
    rows = [
        [record_id, f"{owner.name}.{it.name}", it.name, it.name.removesuffix("__c"), it.label, it.type,
         entities[owner.name], int(is_tracked(owner, it))]
        for (owner, it), record_id in zip(meant, store.reserve(definitions, len(meant)), strict=True)
    ]  # fmt: skip
    columns = ["Id", "DurableId", "QualifiedApiName", "DeveloperName", "Label", "DataType",
               "EntityDefinitionId", "IsFieldHistoryTracked"]  # fmt: skip
    store.insert_many(definitions, columns, rows)
