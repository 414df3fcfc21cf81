"""What describe says about an object, to one user (fact sheet §3, Describe)."""

from __future__ import annotations

from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.fields import Choice, Field
from pipelint.sandbox.salesforce.schema import MASTER_RECORD_TYPE, SObject
from pipelint.sandbox.salesforce.store import Store

_SOAP = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int",
         "double": "xsd:double",
         "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
         "anyType": "xsd:anyType", "json": "urn:metadata.tooling.soap.sforce.com:Metadata"}  # fmt: skip
_TYPES = {"json": "complexvalue"}


def describe(store: Store, access: Access, sobject: SObject, base: str) -> dict[str, object]:
    """The whole description: fields without read access are simply absent."""
    return {
        **summary(sobject, base),
        "updateable": sobject.updateable and access.may_write,
        "fields": [_field(access, sobject, it) for it in access.fields(sobject)],
        "recordTypeInfos": _record_types(store, sobject),
        "childRelationships": [
            {
                "childSObject": child.name,
                "field": lookup.name,
                "relationshipName": lookup.children,
                "cascadeDelete": lookup.required,
                "restrictedDelete": False,
                "deprecatedAndHidden": False,
            }
            for child, lookup in store.schema.children(sobject)
        ],
    }


def summary(sobject: SObject, base: str) -> dict[str, object]:
    """An object's entry in the list of all objects."""
    url = f"{base}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "keyPrefix": sobject.prefix,
        "custom": False,
        "createable": sobject.createable,
        "updateable": sobject.updateable,
        "deletable": sobject.deletable,
        "undeletable": sobject.recycled,
        "queryable": True,
        "retrieveable": True,
        "replicateable": sobject.recycled,
        "searchable": False,
        "layoutable": sobject.createable,
        "deprecatedAndHidden": False,
        "urls": {
            "sobject": url,
            "describe": f"{url}/describe",
            "rowTemplate": f"{url}/{{ID}}",
        },
    }


def _field(access: Access, sobject: SObject, field: Field) -> dict[str, object]:
    editable = access.may_edit(sobject, field)
    text = field.column_type.startswith("TEXT") and field.type not in {"date", "datetime"}
    return {
        "name": field.name,
        "label": field.label,
        "type": _TYPES.get(field.type, field.type),
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3 if text else 0,
        "precision": field.precision,
        "scale": field.scale,
        "digits": field.precision if field.type == "int" else 0,
        "nillable": not field.required and field.type not in {"boolean", "id"},
        "custom": field.custom,
        "calculated": field.calculated,
        "createable": sobject.createable and field.createable and editable,
        "updateable": sobject.updateable and field.updateable and editable,
        "permissionable": field.custom and not field.required,
        "filterable": field.filterable,
        "sortable": field.filterable and field.type != "multipicklist",
        "groupable": field.filterable
        and field.type not in {"multipicklist", "double", "currency", "percent"},
        "aggregatable": field.filterable,
        "externalId": field.external_id,
        "unique": field.unique,
        "idLookup": field.type == "id" or field.external_id,
        "nameField": field.name == "Name",
        "caseSensitive": False,
        "htmlFormatted": False,
        "autoNumber": False,
        "defaultedOnCreate": field.type == "boolean" or field.default is not None or field.name == "OwnerId",
        "defaultValue": field.default,
        "restrictedPicklist": field.restricted,
        "picklistValues": [_choice(it) for it in field.choices],
        "dependentPicklist": False,
        "controllerName": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "namePointing": len(field.reference_to) > 1,
        "cascadeDelete": False,
        "inlineHelpText": field.help_text,
        "calculatedFormula": None,
        "compoundFieldName": None,
        "deprecatedAndHidden": False,
        "encrypted": False,
        "extraTypeInfo": "plaintextarea" if field.long_text else None,
    }


def _choice(choice: Choice) -> dict[str, object]:
    return {
        "value": choice.value,
        "label": choice.label,
        "active": choice.active,
        "defaultValue": choice.default,
        "validFor": None,
    }


def _record_types(store: Store, sobject: SObject) -> list[dict[str, object]]:
    """The record types of the object, and the master that every object has."""
    rows = store.find_all(store.schema["RecordType"], SobjectType=sobject.name)
    types = [(row["Id"], row["Name"], row["DeveloperName"], row["IsActive"], False) for row in rows]
    master = (MASTER_RECORD_TYPE, "Master", "Master", 1, True)
    return [
        {
            "recordTypeId": identity,
            "name": name,
            "developerName": developer_name,
            "active": bool(active),
            "available": bool(active),
            "defaultRecordTypeMapping": bool(is_master if not types else identity == types[0][0]),
            "master": is_master,
        }
        for identity, name, developer_name, active, is_master in [*types, master]
    ]
