"""What Salesforce makes of a value, what it refuses, and what changes along with it."""

from datetime import timedelta

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.client import NOW
from tests.sandbox.salesforce.conftest import Api

STORED = [
    ("NextStep", "  call back  ", "call back"),
    ("NextStep", "", None),
    ("NextStep", "   ", None),
    ("NextStep", None, None),
    ("Amount", 10.005, 10.01),
    ("Amount", "12.50", 12.5),
    ("Amount", 7, 7.0),
    ("Probability", 33.5, 34.0),
    ("CloseDate", "2027-01-05", "2027-01-05"),
    ("CloseDate", "2027-01-05T23:30:00Z", "2027-01-05"),
    ("StageName", "Not on the list", "Not on the list"),  # an unrestricted picklist takes it
    ("Loss_Reason__c", "Price", "Price"),
    ("nextstep", "any case", None),
]


@pytest.mark.parametrize(("field", "given", "stored"), STORED)
def test_a_value_is_normalised(api, deal, field, given, stored):
    identity = deal()
    api.patch(f"/sobjects/Opportunity/{identity}", {field: given})
    assert api.status == 204
    record = api.get(f"/sobjects/Opportunity/{identity}")
    assert record.get(field) == stored


REFUSED = [
    ({"NextStep": "x" * 256}, "STRING_TOO_LONG", ["NextStep"]),
    ({"Amount": 1e17}, "NUMBER_OUTSIDE_VALID_RANGE", ["Amount"]),
    ({"Amount": "12 kg"}, "JSON_PARSER_ERROR", None),
    ({"Amount": True}, "JSON_PARSER_ERROR", None),
    ({"NextStep": 5}, "JSON_PARSER_ERROR", None),
    ({"NextStep": {"nested": 1}}, "JSON_PARSER_ERROR", None),
    ({"CloseDate": "soon"}, "JSON_PARSER_ERROR", None),
    ({"Loss_Reason__c": "Bad luck"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Loss_Reason__c"]),
    ({"Name": ""}, "REQUIRED_FIELD_MISSING", ["Name"]),
    ({"CloseDate": None, "StageName": None}, "REQUIRED_FIELD_MISSING", ["StageName", "CloseDate"]),
    ({"IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsWon"]),
    ({"ExpectedRevenue": 5, "NextStep": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["ExpectedRevenue"]),
    ({"Unknown__c": 1}, "INVALID_FIELD", None),
    ({"Id": "006000000000000AAA"}, "INVALID_FIELD", None),
    ({"AccountId": "nonsense"}, "MALFORMED_ID", ["AccountId"]),
    ({"AccountId": "005000000000000AAA"}, "MALFORMED_ID", ["AccountId"]),
    ({"AccountId": "001000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY", ["AccountId"]),
]


@pytest.mark.parametrize(
    ("given", "code", "fields"), REFUSED, ids=[f"{it[0]}-{it[1]}"[:60] for it in REFUSED]
)
def test_a_value_is_refused(api, deal, given, code, fields):
    [refusal] = api.patch(f"/sobjects/Opportunity/{deal()}", given)
    assert (api.status, refusal["errorCode"], refusal.get("fields")) == (400, code, fields)


def test_a_refused_update_leaves_the_record_alone(sandbox, api, deal):
    identity = deal()
    sandbox.clock.advance(timedelta(minutes=1))
    api.patch(f"/sobjects/Opportunity/{identity}", {"Amount": 5, "NextStep": "x" * 256})
    record = api.get(f"/sobjects/Opportunity/{identity}")
    assert (record["Amount"], record["SystemModstamp"]) == (None, "2026-11-23T09:00:00.000+0000")


def test_a_body_must_be_json_and_say_so(api, deal):
    path = f"/sobjects/Opportunity/{deal()}"
    assert api.call("PATCH", path, data="a=b")[0]["errorCode"] == "UNSUPPORTED_MEDIA_TYPE"
    assert api.status == 415
    broken = api.call("PATCH", path, data="{", headers={"Content-Type": "application/json"})
    assert broken[0]["errorCode"] == "JSON_PARSER_ERROR"


@pytest.mark.parametrize(
    ("identity", "status", "code"),
    [
        ("006000000000000AAA", 404, "NOT_FOUND"),
        ("123", 400, "MALFORMED_ID"),
        ("001000000000000AAA", 400, "MALFORMED_ID"),
    ],
)
def test_only_an_existing_record_can_be_changed(api, identity, status, code):
    assert api.patch(f"/sobjects/Opportunity/{identity}", {"NextStep": "x"})[0]["errorCode"] == code
    assert api.status == status


def test_a_manager_who_may_only_read_is_refused(sandbox, deal):
    manager = Api(sandbox.base_url, sandbox.token("manager@sandbox.example"))
    identity = deal()
    assert manager.query("SELECT Id FROM Opportunity")["totalSize"] == 1
    refusal = manager.patch(f"/sobjects/Opportunity/{identity}", {"NextStep": "x"})
    assert (manager.status, refusal[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_a_change_moves_the_stamps_and_names_its_author(sandbox, api, deal):
    identity = deal()
    sandbox.clock.advance(timedelta(seconds=1))
    api.patch(f"/sobjects/Opportunity/{identity}", {"NextStep": "x"})
    record = api.get(f"/sobjects/Opportunity/{identity}")
    assert record["SystemModstamp"] == record["LastModifiedDate"] == "2026-11-23T09:00:01.000+0000"
    assert record["CreatedDate"] == "2026-11-23T09:00:00.000+0000"
    assert record["LastModifiedById"] == sandbox.org.user("integration@sandbox.example")
    assert record["CreatedById"] == sandbox.org.user("colleague@sandbox.example")


def test_a_new_stage_resets_probability_and_category_and_closes_the_deal(sandbox, api, deal):
    identity = deal(Amount=1000)
    sandbox.clock.advance(timedelta(hours=1))
    sandbox.org.update("Opportunity", identity, {"StageName": "Closed Won"})
    record = api.get(f"/sobjects/Opportunity/{identity}")
    assert (record["IsClosed"], record["IsWon"], record["Probability"]) == (True, True, 100.0)
    assert (record["ForecastCategory"], record["ForecastCategoryName"]) == ("Closed", "Closed")
    assert record["ExpectedRevenue"] == 1000.0
    assert record["LastStageChangeDate"] == "2026-11-23T10:00:00.000+0000"


def test_a_given_probability_survives_the_new_stage(sandbox, api, deal):
    identity = deal()
    sandbox.org.update("Opportunity", identity, {"StageName": "Qualification", "Probability": 45})
    assert api.get(f"/sobjects/Opportunity/{identity}")["Probability"] == 45.0


@pytest.mark.parametrize(
    ("dates", "pushes"), [(["2027-01-15"], 1), (["2026-12-01"], 0), (["2027-01-01", "2027-02-01"], 2)]
)
def test_pushing_into_a_later_month_is_counted(sandbox, api, deal, dates, pushes):
    identity = deal(CloseDate="2026-12-10")
    for date in dates:
        sandbox.org.update("Opportunity", identity, {"CloseDate": date})
    assert api.get(f"/sobjects/Opportunity/{identity}")["PushCount"] == pushes


def test_history_is_written_for_what_it_tracks_only(sandbox, api, deal):
    identity = deal(Amount=10)
    sandbox.org.update("Opportunity", identity, {"NextStep": "x"})
    sandbox.org.update("Opportunity", identity, {"Amount": 20, "StageName": "Qualification"})
    rows = api.query("SELECT StageName, Amount, PrevAmount FROM OpportunityHistory ORDER BY Id")["records"]
    assert [(it["StageName"], it["Amount"], it["PrevAmount"]) for it in rows] == [
        ("Prospecting", 10.0, None),
        ("Qualification", 20.0, 10.0),
    ]
    fields = api.query("SELECT Field, OldValue, NewValue FROM OpportunityFieldHistory ORDER BY Id")["records"]
    assert [(it["Field"], it["OldValue"], it["NewValue"]) for it in fields] == [
        ("NextStep", None, "x"),
        ("StageName", "Prospecting", "Qualification"),
        ("Amount", 10, 20),
    ]


def test_contact_roles_do_not_move_the_deals_stamp_and_know_one_primary(sandbox, api, deal):
    identity = deal()
    sandbox.clock.advance(timedelta(minutes=1))
    for name in ("One", "Two"):
        contact = sandbox.org.create("Contact", {"LastName": name})
        role = {"OpportunityId": identity, "ContactId": contact, "Role": "Decision Maker", "IsPrimary": True}
        sandbox.org.create("OpportunityContactRole", role)
    record = api.get(f"/sobjects/Opportunity/{identity}")
    assert record["SystemModstamp"] == "2026-11-23T09:00:00.000+0000"
    roles = api.query("SELECT IsPrimary FROM OpportunityContactRole ORDER BY Id")["records"]
    assert [it["IsPrimary"] for it in roles] == [False, True]


def test_activities_roll_up_without_moving_the_deals_stamp(sandbox, api, deal):
    identity = deal()
    sandbox.clock.advance(timedelta(minutes=1))
    sandbox.org.create("Task", {"WhatId": identity, "Status": "Completed", "ActivityDate": "2026-11-20"})
    sandbox.org.create("Task", {"WhatId": identity, "ActivityDate": "2026-11-22"})
    record = api.get(f"/sobjects/Opportunity/{identity}")
    assert record["LastActivityDate"] == "2026-11-20"
    assert (record["HasOpenActivity"], record["HasOverdueTask"]) == (True, True)
    assert record["SystemModstamp"] == "2026-11-23T09:00:00.000+0000"


def test_deleting_a_deal_takes_its_roles_along(sandbox, api, deal):
    identity = deal()
    contact = sandbox.org.create("Contact", {"LastName": "One"})
    sandbox.org.create("OpportunityContactRole", {"OpportunityId": identity, "ContactId": contact})
    api.call("DELETE", f"/sobjects/Opportunity/{identity}")
    assert api.status == 204
    assert api.query("SELECT COUNT() FROM OpportunityContactRole")["totalSize"] == 0
    assert api.call("DELETE", f"/sobjects/Opportunity/{identity}")[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_collections_answer_each_record_in_order(api, deal):
    good, bad, gone = deal("Good"), deal("Bad"), "006000000000000AAA"
    answer = api.update(
        {"id": good, "NextStep": "a"},
        {"id": bad, "NextStep": "x" * 256},
        {"id": gone, "NextStep": "b"},
        {"id": good[:15], "Amount": 3},
    )
    assert api.status == 200
    assert [it["success"] for it in answer] == [True, False, False, True]
    assert [it["errors"][0]["statusCode"] for it in answer if it["errors"]] == [
        "STRING_TOO_LONG",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert answer[3]["id"] == good
    assert "id" not in answer[1]


def test_all_or_none_rolls_the_others_back(api, deal):
    good, bad = deal("Good"), deal("Bad")
    answer = api.update({"id": good, "NextStep": "a"}, {"id": bad, "Name": ""}, all_or_none=True)
    codes = [it["errors"][0]["statusCode"] for it in answer]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert api.get(f"/sobjects/Opportunity/{good}")["NextStep"] is None


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"Unknown__c": 1}, "INVALID_FIELD"),
        ({"Amount": []}, "JSON_PARSER_ERROR"),
        ({"NextStep": 5}, "JSON_PARSER_ERROR"),
    ],
)
def test_one_unknown_field_or_wrong_type_fails_the_whole_request(api, deal, record, code):
    good = deal("Good")
    answer = api.update({"id": good, "NextStep": "a"}, {"id": deal("Bad"), **record})
    assert (api.status, answer[0]["errorCode"]) == (400, code)
    assert api.get(f"/sobjects/Opportunity/{good}")["NextStep"] is None


def test_a_collection_has_at_most_200_records(api, deal):
    identity = deal()
    assert api.update(*[{"id": identity}] * 201)[0]["errorCode"] == "EXCEEDED_ID_LIMIT"
    assert len(api.update(*[{"id": identity}] * 200)) == 200


def test_records_are_created_and_deleted_in_collections(api):
    rows = [{"attributes": {"type": "Account"}, "Name": name} for name in ("One", "", "Three")]
    made = api.post("/composite/sobjects", {"records": rows})
    assert [it["success"] for it in made] == [True, False, True]
    ids = ",".join(it["id"] for it in made if it["success"])
    deleted = api.call("DELETE", "/composite/sobjects", params={"ids": ids})
    assert [it["success"] for it in deleted] == [True, True]


def test_validation_rules_bite_on_any_save_of_a_record_that_breaks_them(sandbox, api, deal):
    identity = deal(StageName="Negotiation/Review", Amount=5)
    assert api.update({"id": identity, "Amount": 0})[0]["errors"] == [
        {
            "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "message": "Deals under negotiation need an amount.",
            "fields": ["Amount"],
        }
    ]


def test_validation_rules_are_shown_by_the_tooling_api(api):
    soql = """
        SELECT ValidationName, Active, ErrorMessage FROM ValidationRule
        WHERE EntityDefinition.QualifiedApiName = 'Opportunity'"""
    rules = {it["ValidationName"]: it for it in api.query(soql, kind="tooling/query")["records"]}
    assert rules["Closed_lost_needs_loss_reason"]["ErrorMessage"] == "Closed deals need a loss reason."
    assert [it["Active"] for it in rules.values()] == [True, True, False]


def test_a_deal_given_to_someone_who_left_is_refused(sandbox, deal):
    user = sandbox.org.user("manager@sandbox.example")
    sandbox.org.update("User", user, {"IsActive": False})
    with pytest.raises(Exception, match="INACTIVE_OWNER_OR_USER"):
        sandbox.org.update("Opportunity", deal(), {"OwnerId": user})


def test_a_saved_organisation_comes_back_with_its_fields_and_values(tmp_path):
    with SalesforceSandbox(size=0, now=NOW) as first:
        api = Api(first.base_url, first.token())
        field = {
            "FullName": "Opportunity.Extra__c",
            "Metadata": {"type": "Date", "label": "Extra", "required": True},
        }
        api.post("/tooling/sobjects/CustomField", field)
        values = {
            "Name": "Kept",
            "StageName": "Prospecting",
            "CloseDate": "2026-12-31",
            "Extra__c": "2027-01-01",
        }
        identity = first.org.create("Opportunity", values)
        first.save(tmp_path / "org.db")
    with SalesforceSandbox(state=tmp_path / "org.db", now=NOW) as second:
        record = Api(second.base_url, second.token()).get(f"/sobjects/Opportunity/{identity}")
        assert (record["Name"], record["Extra__c"]) == ("Kept", "2027-01-01")
        assert second.org.create("Account", {"Name": "New"})
        assert second.org.create("Opportunity", values) != identity
