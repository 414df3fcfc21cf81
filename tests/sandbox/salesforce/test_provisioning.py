"""Custom fields: made through the Tooling API, invisible until a permission set grants them."""

from typing import Any

import pytest

from tests.sandbox.salesforce.conftest import Api

FLAGS = {
    "type": "MultiselectPicklist",
    "label": "Flags",
    "visibleLines": 4,
    "valueSet": {
        "restricted": True,
        "valueSetDefinition": {
            "sorted": False,
            "value": [{"valueName": it, "label": it} for it in ("b", "a", "c")],
        },
    },
}


def create(api: Api, name: str, metadata: object) -> Any:
    return api.post(
        "/tooling/sobjects/CustomField", {"FullName": f"Opportunity.{name}", "Metadata": metadata}
    )


def grant(api: Api, name: str, *, edit: bool = True) -> Any:
    """A permission set with this one field, assigned to the integration user."""
    parent = api.post("/sobjects/PermissionSet", {"Name": f"Set_{name}_{edit}", "Label": name})["id"]
    [user] = api.query("SELECT Id FROM User WHERE Username = 'integration@sandbox.example'")["records"]
    api.post("/sobjects/PermissionSetAssignment", {"PermissionSetId": parent, "AssigneeId": user["Id"]})
    assert api.status == 201
    permission = {
        "ParentId": parent,
        "SobjectType": "Opportunity",
        "Field": f"Opportunity.{name}",
        "PermissionsRead": True,
        "PermissionsEdit": edit,
    }
    return api.post("/sobjects/FieldPermissions", permission)["id"]


def visible(api: Api, name: str) -> bool:
    return name in {it["name"] for it in api.get("/sobjects/Opportunity/describe")["fields"]}


def test_a_new_field_is_invisible_until_it_is_granted(api, deal):
    identity = deal()
    create(api, "Pipelint_Flags__c", FLAGS)
    assert api.status == 201
    assert not visible(api, "Pipelint_Flags__c")
    assert "No such column" in api.query("SELECT Pipelint_Flags__c FROM Opportunity")[0]["message"]
    assert api.update({"id": identity, "Pipelint_Flags__c": "a"})[0]["errorCode"] == "INVALID_FIELD"

    grant(api, "Pipelint_Flags__c")
    assert visible(api, "Pipelint_Flags__c")
    assert api.update({"id": identity, "Pipelint_Flags__c": "c; b;b"})[0]["success"]
    [record] = api.query("SELECT Pipelint_Flags__c FROM Opportunity")["records"]
    assert record["Pipelint_Flags__c"] == "b;c"  # in the order of the definition, each once


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("INCLUDES ('a')", "a ab"),
        ("INCLUDES ('a;b')", "ab"),
        ("INCLUDES ('a;b', 'c')", "ab c"),
        ("EXCLUDES ('a')", "c none"),
        ("= 'b;a'", "ab"),
        ("= null", "none"),
    ],
)
def test_flags_can_be_filtered(api, deal, where, found):
    create(api, "Pipelint_Flags__c", FLAGS)
    grant(api, "Pipelint_Flags__c")
    for name, flags in {"a": "a", "ab": "a;b", "c": "c", "none": None}.items():
        api.update({"id": deal(name), "Pipelint_Flags__c": flags})
    got = api.query(f"SELECT Name FROM Opportunity WHERE Pipelint_Flags__c {where} ORDER BY Name")["records"]
    assert " ".join(it["Name"] for it in got) == found


def test_a_flag_without_option_is_refused_until_the_option_exists(api, deal):
    identity = deal()
    field = create(api, "Pipelint_Flags__c", FLAGS)["id"]
    grant(api, "Pipelint_Flags__c")
    refusal = api.update({"id": identity, "Pipelint_Flags__c": "a;new"})[0]["errors"][0]
    assert refusal["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"

    stored = api.get(f"/tooling/sobjects/CustomField/{field}")["Metadata"]
    values = stored["valueSet"]["valueSetDefinition"]["value"]
    values.append({"valueName": "new", "label": "New"})
    api.patch(f"/tooling/sobjects/CustomField/{field}", {"Metadata": stored})
    assert api.status == 204
    assert api.update({"id": identity, "Pipelint_Flags__c": "a;new"})[0]["success"]


def test_an_option_no_longer_named_becomes_inactive(api):
    field = create(api, "Pipelint_Flags__c", FLAGS)["id"]
    grant(api, "Pipelint_Flags__c")
    fewer = {
        "restricted": True,
        "valueSetDefinition": {"sorted": False, "value": [{"valueName": "a", "label": "a"}]},
    }
    api.patch(f"/tooling/sobjects/CustomField/{field}", {"Metadata": {**FLAGS, "valueSet": fewer}})
    fields = api.get("/sobjects/Opportunity/describe")["fields"]
    [flags] = [it for it in fields if it["name"] == "Pipelint_Flags__c"]
    assert {it["value"]: it["active"] for it in flags["picklistValues"]} == {
        "a": True,
        "b": False,
        "c": False,
    }


def test_read_permission_shows_a_field_but_does_not_let_it_be_written(sandbox, api, deal):
    create(api, "Score__c", {"type": "Number", "label": "Score", "precision": 3, "scale": 0})
    grant(api, "Score__c", edit=False)
    refusal = api.update({"id": deal(), "Score__c": 5})[0]["errors"][0]
    assert refusal["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    manager = Api(sandbox.base_url, sandbox.token("manager@sandbox.example"))
    assert not visible(manager, "Score__c")


def test_without_read_the_permission_disappears(api):
    create(api, "Score__c", {"type": "Number", "label": "Score", "precision": 3, "scale": 0})
    permission = grant(api, "Score__c", edit=False)
    api.patch(f"/sobjects/FieldPermissions/{permission}", {"PermissionsRead": False})
    assert (
        api.query("SELECT COUNT() FROM FieldPermissions WHERE Field = 'Opportunity.Score__c'")["totalSize"]
        == 0
    )
    assert not visible(api, "Score__c")


def test_a_dropped_field_is_gone_and_can_be_made_again(api):
    field = create(api, "Score__c", {"type": "Date", "label": "Score"})["id"]
    grant(api, "Score__c")
    api.call("DELETE", f"/tooling/sobjects/CustomField/{field}")
    assert (api.status, visible(api, "Score__c")) == (204, False)
    create(api, "Score__c", {"type": "Date", "label": "Score"})
    assert api.status == 201


TEXT = {"type": "Text", "label": "X", "length": 10}
REFUSED_FIELDS = [
    ("Need__c", TEXT, "DUPLICATE_DEVELOPER_NAME", "There is already a field named Need on Opportunity."),
    ("no_suffix", TEXT, "FIELD_INTEGRITY_EXCEPTION", "end with __c"),
    ("two__parts__c", TEXT, "FIELD_INTEGRITY_EXCEPTION", "consecutive underscores"),
    ("x" * 41 + "__c", TEXT, "STRING_TOO_LONG", "max length=40"),
    ("X__c", {"type": "Text", "length": 10}, "REQUIRED_FIELD_MISSING", "Label"),
    ("X__c", {"type": "Sonnet", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION", "'Sonnet' is not a valid value"),
    ("X__c", {"type": "Text", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION", "Must specify 'length'"),
    ("X__c", {**TEXT, "length": 256}, "FIELD_INTEGRITY_EXCEPTION", "between 1 and 255"),
    ("X__c", {**TEXT, "scale": 1}, "FIELD_INTEGRITY_EXCEPTION", "Can not specify 'scale'"),
    ("X__c", {**TEXT, "colour": "red"}, "JSON_PARSER_ERROR", 'Unrecognized field "colour"'),
    ("X__c", {"type": "Checkbox", "label": "X"}, "FIELD_INTEGRITY_EXCEPTION", "Must specify 'defaultValue'"),
    (
        "X__c",
        {"type": "LongTextArea", "label": "X", "length": 500},
        "FIELD_INTEGRITY_EXCEPTION",
        "visibleLines",
    ),
    (
        "X__c",
        {"type": "Number", "label": "X", "precision": 19, "scale": 0},
        "FIELD_INTEGRITY_EXCEPTION",
        "18",
    ),
    ("X__c", {**FLAGS, "visibleLines": None}, "FIELD_INTEGRITY_EXCEPTION", "Must specify 'visibleLines'"),
    ("X__c", {**FLAGS, "valueSet": None}, "FIELD_INTEGRITY_EXCEPTION", "Must specify 'valueSet'"),
]


@pytest.mark.parametrize(("name", "metadata", "code", "text"), REFUSED_FIELDS)
def test_a_field_is_refused(api, name, metadata, code, text):
    [refusal] = create(api, name, metadata)
    assert (api.status, refusal["errorCode"]) == (400, code)
    assert text in refusal["message"]


def test_a_query_for_metadata_may_find_one_row_only(api):
    where = "TableEnumOrId = 'Opportunity' AND DeveloperName = 'Budget'"
    [row] = api.query(f"SELECT FullName, Metadata FROM CustomField WHERE {where}", kind="tooling/query")[
        "records"
    ]
    assert (row["FullName"], row["Metadata"]["length"]) == ("Opportunity.Budget__c", 255)
    [refusal] = api.query("SELECT Id, FullName FROM CustomField", kind="tooling/query")
    assert refusal["errorCode"] == "MALFORMED_QUERY"
    assert "no more than one row" in refusal["message"]


@pytest.mark.parametrize(
    ("field", "read", "edit", "code"),
    [
        ("Opportunity.Need__c", True, True, "DUPLICATE_VALUE"),
        ("Opportunity.Budget__c", False, True, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.StageName", True, True, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),  # required: no rows
        ("Opportunity.Nothing__c", True, True, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ],
)
def test_a_field_permission_is_refused(api, field, read, edit, code):
    parent = api.post("/sobjects/PermissionSet", {"Name": "Other", "Label": "Other"})["id"]
    row = {
        "ParentId": parent,
        "SobjectType": "Opportunity",
        "Field": "Opportunity.Need__c",
        "PermissionsRead": True,
    }
    api.post("/sobjects/FieldPermissions", row)
    [refusal] = api.post(
        "/sobjects/FieldPermissions",
        {**row, "Field": field, "PermissionsRead": read, "PermissionsEdit": edit},
    )
    assert refusal["errorCode"] == code


def test_a_permission_set_exists_once_and_is_assigned_once(api):
    row = {"Name": "Pipelint", "Label": "Pipelint"}
    parent = api.post("/sobjects/PermissionSet", row)["id"]
    assert api.post("/sobjects/PermissionSet", row)[0]["errorCode"] == "DUPLICATE_VALUE"
    [user] = api.query("SELECT Id FROM User WHERE Username = 'manager@sandbox.example'")["records"]
    assignment = {"PermissionSetId": parent, "AssigneeId": user["Id"]}
    api.post("/sobjects/PermissionSetAssignment", assignment)
    assert api.post("/sobjects/PermissionSetAssignment", assignment)[0]["errorCode"] == "DUPLICATE_VALUE"


def test_only_administrators_make_fields(sandbox):
    manager = Api(sandbox.base_url, sandbox.token("manager@sandbox.example"))
    assert create(manager, "X__c", TEXT)[0]["errorCode"] == "INSUFFICIENT_ACCESS"
    assert manager.status == 403


def test_a_renamed_field_keeps_its_id_values_and_permissions(sandbox, api, deal) -> None:
    identity = deal(Need__c="pumps")
    query = "SELECT Id FROM CustomField WHERE DeveloperName = '{}' AND TableEnumOrId = 'Opportunity'"
    before = sandbox.org.queries.run(sandbox.org.colleague, query.format("Need"), base="", tooling=True)
    sandbox.rename_field("Opportunity.Need__c", "Pain__c")
    after = sandbox.org.queries.run(sandbox.org.colleague, query.format("Pain"), base="", tooling=True)
    assert [row["Id"] for row in after["records"]] == [row["Id"] for row in before["records"]]
    assert (
        sandbox.org.query(f"SELECT Pain__c FROM Opportunity WHERE Id = '{identity}'")[0]["Pain__c"] == "pumps"
    )
    assert not visible(api, "Need__c")
    assert visible(api, "Pain__c")
