"""Writing: what is refused and how, what a batch does with it, and what follows from a change."""

from datetime import timedelta
from typing import Any

import pytest

from pipelint.sandbox.hubspot.history import Source
from tests.sandbox.client import NOW

DATED = "/crm/objects/2026-09/deals"


def codes(answer: Any) -> list[str]:
    return [it["code"] for it in answer["errors"]]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"gone": "x"}, "PROPERTY_DOESNT_EXIST"),
        ({"hs_is_closed": "true"}, "READ_ONLY_VALUE"),
        ({"notes_next_activity_date": "2026-12-01"}, "READ_ONLY_VALUE"),
        ({"amount": "1,000"}, "INVALID_NUMBER"),
        ({"amount": "nan"}, "INVALID_NUMBER"),
        ({"amount": "-1"}, "FAILED_VALIDATION_RULE"),
        ({"closedate": "soon"}, "INVALID_LONG"),
        ({"deadline": "2026-12-01T09:00:00Z"}, "INVALID_DATE"),
        ({"hs_priority": "High"}, "INVALID_OPTION"),  # the label, not the value
        ({"dealstage": "186012401"}, "INVALID_OPTION"),  # a stage of the other pipeline
        ({"dealstage": "186012378"}, "INVALID_OPTION"),  # a stage that was put away
        ({"hubspot_owner_id": "1"}, "INVALID_OWNER_ID"),
        ({"risk": "x" * 65_537}, "PROPERTY_VALUE_TOO_LONG"),
        ({"risk": None}, "INVALID_VALUE"),
    ],
)
def test_a_value_its_property_does_not_take_is_refused_by_name_and_code(api, deal, properties, code):
    identity = deal()
    answer = api.patch(f"/crm/v3/objects/deals/{identity}", {"properties": properties})
    assert (api.status, answer["category"]) == (400, "VALIDATION_ERROR")
    assert codes(answer) == [code]
    assert answer["errors"][0]["context"] == {"propertyName": list(properties)}
    assert answer["message"].startswith('Property values were not valid: [{"isValid":false')


@pytest.mark.parametrize(
    ("name", "sent", "told"),
    [
        ("amount", " 1500.50 ", "1500.50"),
        ("amount", 7, "7"),
        ("amount", "", None),
        ("closedate", "2026-12-01", "2026-12-01T00:00:00Z"),
        ("closedate", "1795996800123", "2026-11-30T00:00:00.123Z"),
        ("deadline", "1795996800000", "2026-11-30"),
        ("deadline", "2026-11-30", "2026-11-30"),
        ("hs_priority", "high", "high"),
        ("risk", " as it is ", " as it is "),
    ],
)
def test_a_value_is_told_in_the_form_of_its_type(api, deal, name, sent, told):
    identity = deal(amount="1")
    api.patch(f"/crm/v3/objects/deals/{identity}", {"properties": {name: sent}})
    assert api.get(f"/crm/v3/objects/deals/{identity}", properties=name)["properties"][name] == told


def test_a_leading_semicolon_adds_to_several_values(api, sandbox):
    contact = sandbox.portal.create("contacts", {"hs_buying_role": "CHAMPION"})
    api.patch(f"/crm/v3/objects/contacts/{contact}", {"properties": {"hs_buying_role": ";DECISION_MAKER"}})
    assert sandbox.portal.get("contacts", contact)["hs_buying_role"] == "CHAMPION;DECISION_MAKER"


def test_one_bad_value_refuses_the_whole_batch_and_names_no_record(api, sandbox, deal):
    good, bad = deal(), deal()
    answer = api.update((good, {"amount": "5"}), (bad, {"amount": "many"}))
    assert api.status == 400
    assert bad not in str(answer)
    assert sandbox.portal.get("deals", good)["amount"] is None


def test_trace_ids_single_out_the_bad_record(api, sandbox, deal):
    good, bad = deal(), deal()
    inputs = [
        {"id": good, "properties": {"amount": "5"}, "objectWriteTraceId": "a"},
        {"id": bad, "properties": {"amount": "many"}, "objectWriteTraceId": "b"},
    ]
    answer = api.post("/crm/v3/objects/deals/batch/update", {"inputs": inputs})
    assert api.status == 207
    assert [it["id"] for it in answer["results"]] == [good]
    assert answer["errors"][0]["context"] == {"objectWriteTraceId": ["b"]}
    assert codes(answer["errors"][0]) == ["INVALID_NUMBER"]
    sandbox.portal.trace_ids = False  # the other form: trace ids were promised for creation only
    api.post("/crm/v3/objects/deals/batch/update", {"inputs": inputs})
    assert api.status == 400


@pytest.mark.parametrize(("path", "status"), [("/crm/v3/objects/deals", 207), (DATED, 200)])
def test_unknown_and_archived_ids_are_errors_beside_what_was_written(api, sandbox, deal, path, status):
    good, archived = deal(), deal()
    sandbox.portal.archive("deals", archived)
    answer = api.update(
        (good, {"amount": "5"}), (archived, {"amount": "5"}), ("99", {"amount": "5"}), path=path
    )
    assert api.status == status
    assert answer["numErrors"] == 2
    assert [it["context"]["ids"] for it in answer["errors"]] == [[archived], ["99"]]
    assert sandbox.portal.get("deals", good)["amount"] == "5"


def test_a_record_twice_in_a_batch_is_refused(api, deal):
    identity = deal()
    assert "Duplicate IDs" in api.update((identity, {"amount": "5"}), (identity, {"amount": "6"}))["message"]
    assert api.status == 400


def test_a_batch_takes_a_hundred(api, sandbox):
    ids = sandbox.portal.create_many("deals", 101)
    api.update(*((it, {"amount": "5"}) for it in ids))
    assert api.status == 400
    api.update(*((it, {"amount": "5"}) for it in ids[:100]))
    assert api.status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/crm/v3/objects/deals", 200), ("/crm/objects/2026-03/deals", 200), (DATED, 400)],
)
def test_conditional_rules_bind_the_dated_versions_from_2026_09_on(api, deal, path, status):
    answer = api.update((deal(), {"dealstage": "closedlost"}), path=path)
    assert api.status == status
    if status == 400:
        assert codes(answer) == ["REQUIRED_PROPERTY"]
        assert answer["errors"][0]["context"] == {"propertyName": ["closed_lost_reason"]}
        api.update((deal(), {"dealstage": "closedlost", "closed_lost_reason": "Price"}), path=path)
        assert api.status == 200


def test_another_pipeline_takes_both_names_in_one_write(api, deal):
    identity = deal()
    api.update((identity, {"pipeline": "105893021"}))
    assert api.status == 400
    api.update((identity, {"pipeline": "105893021", "dealstage": "186012403"}))
    assert api.status == 200


def test_a_stage_move_leaves_its_times(sandbox, deal):
    identity = deal()
    sandbox.clock.advance(timedelta(days=2))
    sandbox.portal.update("deals", identity, {"dealstage": "closedwon", "amount": "50"})
    told = sandbox.portal.get("deals", identity)
    assert told["hs_v2_date_entered_appointmentscheduled"] == "2026-11-23T09:00:00Z"
    assert told["hs_v2_date_exited_appointmentscheduled"] == "2026-11-25T09:00:00Z"
    assert told["hs_v2_latest_time_in_appointmentscheduled"] == "172800000"
    assert told["hs_v2_date_entered_current_stage"] == "2026-11-25T09:00:00Z"
    assert (told["hs_is_closed"], told["hs_is_closed_won"], told["hs_closed_amount"]) == (
        "true",
        "true",
        "50",
    )


def test_a_stage_entered_again_keeps_its_latest_visit_and_adds_up_its_time(sandbox, deal):
    identity = deal()
    for stage in ("qualifiedtobuy", "appointmentscheduled", "qualifiedtobuy"):
        sandbox.clock.advance(timedelta(days=1))
        sandbox.portal.update("deals", identity, {"dealstage": stage})
    told = sandbox.portal.get("deals", identity)
    assert told["hs_v2_date_entered_appointmentscheduled"] == "2026-11-25T09:00:00Z"
    assert told["hs_v2_latest_time_in_appointmentscheduled"] == "86400000"
    assert told["hs_v2_cumulative_time_in_appointmentscheduled"] == "172800000"


def test_an_activity_moves_what_its_deal_says_and_the_deals_stamp(sandbox, deal):
    identity = deal()
    later = NOW + timedelta(days=3)
    sandbox.clock.advance(timedelta(hours=1))
    portal = sandbox.portal
    call = portal.create("calls", {"hs_timestamp": "2026-11-20T10:00:00Z", "hs_call_title": "Call"})
    task = portal.create("tasks", {"hs_timestamp": later.isoformat(), "hs_task_status": "NOT_STARTED"})
    for kind, it in (("calls", call), ("tasks", task)):
        portal.associate(kind, it, "deals", identity)
    told = portal.get("deals", identity)
    assert told["notes_last_contacted"] == "2026-11-20T10:00:00Z"
    assert told["notes_next_activity_date"] == "2026-11-26T09:00:00Z"
    assert told["num_notes"] == "2"
    assert told["hs_lastmodifieddate"] == "2026-11-23T10:00:00Z"
    portal.update("tasks", task, {"hs_task_status": "COMPLETED"})
    assert portal.get("deals", identity)["notes_next_activity_date"] is None
    portal.archive("calls", call)
    assert portal.get("deals", identity)["notes_last_contacted"] is None


def test_a_link_does_not_move_the_stamp(sandbox, deal):
    identity, contact = deal(), sandbox.portal.create("contacts", {"lastname": "Vogt"})
    sandbox.clock.advance(timedelta(hours=1))
    sandbox.portal.associate("deals", identity, "contacts", contact, "Champion")
    told = sandbox.portal.get("deals", identity)
    assert (told["num_associated_contacts"], told["hs_lastmodifieddate"]) == ("1", "2026-11-23T09:00:00Z")


def test_two_merged_deals_become_a_third_under_which_both_are_answered(api, sandbox, deal):
    one, two = deal("One", amount="4"), deal("Two", risk="Budget")
    sandbox.portal.update("deals", one, {"amount": "5"})
    contact = sandbox.portal.create("contacts", {"lastname": "Vogt"})
    sandbox.portal.associate("deals", two, "contacts", contact, "Champion")
    merged = api.post("/crm/v3/objects/deals/merge", {"primaryObjectId": one, "objectIdToMerge": two})["id"]
    assert merged not in {one, two}
    for it in (one, two):
        assert api.get(f"/crm/v3/objects/deals/{it}")["id"] == merged
    told = sandbox.portal.get("deals", merged)
    assert (told["dealname"], told["risk"]) == ("One", "Budget")
    assert told["hs_merged_object_ids"] == f"{one};{two}"
    assert sandbox.portal.ids("deals") == [merged]
    body = {"inputs": [{"id": two}, {"id": merged}]}
    links = api.post("/crm/v4/associations/deals/contacts/batch/read", body)
    assert [it["from"]["id"] for it in links["results"]] == [merged]
    history = api.get(f"/crm/v3/objects/deals/{merged}", propertiesWithHistory="amount")[
        "propertiesWithHistory"
    ]
    assert [it["value"] for it in history["amount"]] == ["5", "4"]
    assert told["num_associated_contacts"] == "1"
    again = sandbox.portal.merge("deals", merged, deal("Three"))
    assert api.get(f"/crm/v3/objects/deals/{one}")["id"] == again


def test_of_two_merged_contacts_the_first_survives(api, sandbox):
    one, two = (sandbox.portal.create("contacts", {"lastname": it}) for it in ("One", "Two"))
    assert sandbox.portal.merge("contacts", one, two) == one
    assert api.get(f"/crm/v3/objects/contacts/{two}")["id"] == one


def test_an_earlier_lifecycle_stage_is_ignored_unless_it_was_cleared(sandbox):
    portal = sandbox.portal
    contact = portal.create("contacts", {"lastname": "Vogt", "lifecyclestage": "opportunity"})
    portal.update("contacts", contact, {"lifecyclestage": "lead"})
    assert portal.get("contacts", contact)["lifecyclestage"] == "opportunity"
    portal.update("contacts", contact, {"lifecyclestage": ""})
    portal.update("contacts", contact, {"lifecyclestage": "lead"})
    assert portal.get("contacts", contact)["lifecyclestage"] == "lead"


def test_upsert_changes_what_exists_and_creates_the_rest(api, sandbox):
    contact = sandbox.portal.create("contacts", {"email": "a@b.example"})
    inputs = [
        {"idProperty": "email", "id": it, "properties": {"lastname": "Vogt"}}
        for it in ("a@b.example", "c@d.example")
    ]
    answer = api.post("/crm/v3/objects/contacts/batch/upsert", {"inputs": inputs})
    assert [it["new"] for it in answer["results"]] == [False, True]
    assert answer["results"][0]["id"] == contact
    assert sandbox.portal.get("contacts", answer["results"][1]["id"])["email"] == "c@d.example"


def test_a_second_contact_with_the_same_address_is_refused(api, sandbox):
    first = sandbox.portal.create("contacts", {"email": "a@b.example"})
    answer = api.post("/crm/v3/objects/contacts", {"properties": {"email": "A@B.example"}})
    assert f"Existing ID: {first}" in answer["message"]


def test_a_record_can_be_created_with_its_links(api, sandbox, deal):
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}
    body = {
        "properties": {"hs_task_subject": "Call back", "hs_timestamp": "2026-12-01T09:00:00Z"},
        "associations": [{"to": {"id": (identity := deal())}, "types": [spec]}],
    }
    task = api.post("/crm/v3/objects/tasks", body)
    assert api.status == 201
    found = api.post("/crm/v4/associations/deals/tasks/batch/read", {"inputs": [{"id": identity}]})
    assert [str(it["toObjectId"]) for it in found["results"][0]["to"]] == [task["id"]]
    assert sandbox.portal.get("deals", identity)["notes_next_activity_date"] == "2026-12-01T09:00:00Z"


@pytest.mark.parametrize("source", ["IMPORT", "AUTOMATION_PLATFORM", "CRM_UI"])
def test_a_change_tells_which_way_it_came(api, sandbox, deal, source):
    identity = deal()
    sandbox.portal.update("deals", identity, {"amount": "5"}, Source(source, "1"))
    found = api.get(f"/crm/v3/objects/deals/{identity}", propertiesWithHistory="amount")
    assert found["propertiesWithHistory"]["amount"][0]["sourceType"] == source


def test_records_are_read_by_a_unique_property(api, sandbox):
    contact = sandbox.portal.create("contacts", {"email": "a@b.example"})
    body = {"idProperty": "email", "inputs": [{"id": "a@b.example"}, {"id": "c@d.example"}]}
    answer = api.post("/crm/v3/objects/contacts/batch/read", body)
    assert [it["id"] for it in answer["results"]] == [contact]
    assert answer["errors"][0]["context"]["ids"] == ["c@d.example"]
    api.post("/crm/v3/objects/contacts/batch/read", {**body, "idProperty": "city"})
    assert api.status == 400
