"""Property definitions, groups and the rules for values."""

import pytest

SCORE = {
    "name": "score",
    "label": "Score",
    "type": "number",
    "fieldType": "number",
    "groupName": "sales_method",
}
BOOLEAN = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]


@pytest.mark.parametrize("family", ["/crm/v3/properties", "/crm/properties/2026-09"])
def test_a_property_is_made_listed_written_and_put_away(api, deal, family):
    made = api.post(f"{family}/deals", SCORE)
    assert (api.status, made["hubspotDefined"], made["options"]) == (201, False, [])
    assert made["modificationMetadata"]["readOnlyValue"] is False
    assert "score" in {it["name"] for it in api.get(f"{family}/deals")["results"]}
    identity = deal(score="80")
    api.call("DELETE", f"{family}/deals/score")
    assert api.update((identity, {"score": "81"}))["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert "score" not in api.get(f"/crm/v3/objects/deals/{identity}", properties="score")["properties"]
    assert api.get(f"{family}/deals", archived="true")["results"][0]["name"] == "score"
    api.post(f"{family}/deals", SCORE)  # the same name again brings its values back
    assert api.get(f"/crm/v3/objects/deals/{identity}", properties="score")["properties"]["score"] == "80"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 201),
        ({"name": "amount"}, 409),
        ({"name": "Score"}, 400),
        ({"name": "hs_score"}, 400),
        ({"label": ""}, 400),
        ({"fieldType": "text"}, 400),
        ({"type": "number"}, 201),
        ({"groupName": "gone"}, 400),
        ({"type": "bool", "fieldType": "booleancheckbox"}, 400),
        ({"type": "bool", "fieldType": "booleancheckbox", "options": BOOLEAN}, 201),
        ({"type": "enumeration", "fieldType": "booleancheckbox", "options": BOOLEAN}, 201),
        ({"type": "enumeration", "fieldType": "checkbox", "options": [BOOLEAN[0], BOOLEAN[0]]}, 400),
    ],
)
def test_what_a_definition_must_be(api, changes, status):
    api.post("/crm/v3/properties/deals", {**SCORE, **changes})
    assert api.status == status


def test_options_replace_the_list_there_was(api, deal):
    flags = {**SCORE, "name": "flags", "type": "enumeration", "fieldType": "checkbox"}
    api.post(
        "/crm/v3/properties/deals",
        {**flags, "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]},
    )
    identity = deal(flags="a;b")
    api.patch("/crm/v3/properties/deals/flags", {"options": [{"label": "B", "value": "b"}]})
    assert api.update((identity, {"flags": "a;b"}))["errors"][0]["code"] == "INVALID_OPTION"
    told = api.get("/crm/v3/properties/deals/flags")
    assert [it["value"] for it in told["options"]] == ["b"]


def test_of_a_batch_what_can_be_made_is_made(api):
    answer = api.post(
        "/crm/v3/properties/deals/batch/create", {"inputs": [SCORE, {**SCORE, "name": "amount"}]}
    )
    assert api.status == 207
    assert [it["name"] for it in answer["results"]] == ["score"]
    [error] = answer["errors"]
    assert (error["category"], error["context"]) == ("OBJECT_ALREADY_EXISTS", {"name": ["amount"]})


def test_groups_are_made_once(api):
    group = {"name": "hygiene", "label": "Hygiene", "displayOrder": 1}
    assert api.post("/crm/v3/properties/deals/groups", group)["label"] == "Hygiene"
    api.post("/crm/v3/properties/deals/groups", group)
    assert api.status == 409
    assert "hygiene" in {it["name"] for it in api.get("/crm/v3/properties/deals/groups")["results"]}


def test_stages_and_owners_have_no_options_in_the_definition(api):
    for name in ("dealstage", "pipeline", "hubspot_owner_id"):
        definition = api.get(f"/crm/v3/properties/deals/{name}")
        assert (definition["externalOptions"], definition["options"]) == (True, [])


def test_what_hubspot_defines_cannot_be_changed(api):
    api.patch("/crm/v3/properties/deals/amount", {"label": "Money"})
    assert api.status == 400


@pytest.mark.parametrize("family", ["/crm/v3/property-validations", "/crm/property-validations/2026-09"])
def test_validation_rules_can_be_read_before_writing(api, family):
    rule = {"ruleType": "MIN_NUMBER", "ruleArguments": ["0"], "shouldApplyNormalization": False}
    assert api.get(f"{family}/0-3") == {
        "results": [{"propertyName": "amount", "propertyValidationRules": [rule]}]
    }
    assert api.get(f"{family}/0-3/amount") == {"results": [rule]}


def test_a_stage_is_made_with_its_times_renamed_and_put_away_when_empty(api, sandbox, deal):
    path = "/crm/v3/pipelines/deals/default/stages"
    body = {"label": "Trial", "displayOrder": 2, "metadata": {"probability": "0.4"}}
    stage = api.post(path, body)["id"]
    identity = deal(dealstage=stage)
    assert sandbox.portal.get("deals", identity)[f"hs_v2_date_entered_{stage}"] == "2026-11-23T09:00:00Z"
    assert api.patch(f"{path}/{stage}", {"label": "Pilot"})["label"] == "Pilot"
    api.call("DELETE", f"{path}/{stage}")
    assert api.status == 400
    sandbox.portal.archive("deals", identity)
    api.call("DELETE", f"{path}/{stage}")
    assert api.status == 204
    assert [it["label"] for it in api.get(path, archived="true")["results"]] == ["Pilot", "Verbal Agreement"]
