"""Reading records: what comes unasked, what has to be named, and how pages end."""

import pytest

from pipelint.sandbox.hubspot import told
from tests.sandbox.hubspot.conftest import Api

FAMILIES = ["/crm/v3/objects", "/crm/objects/2026-03", "/crm/objects/2026-09"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["deals", "deal", "0-3"])
def test_both_families_and_all_names_of_a_type_lead_to_the_same_records(reader, family, name):
    assert reader.get(f"{family}/{name}") == reader.get("/crm/v3/objects/deals")


def test_only_a_few_properties_come_unasked(reader):
    [deal] = reader.get("/crm/v3/objects/deals", limit=1)["results"]
    assert set(deal["properties"]) == {
        "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
        "pipeline",
    }  # fmt: skip
    assert deal["id"] == deal["properties"]["hs_object_id"]


def test_named_properties_come_with_the_stamps_and_unknown_names_are_ignored(reader):
    [deal] = reader.get("/crm/v3/objects/deals", limit=1, properties="risk,gone,hs_priority")["results"]
    stamps = {"createdate", "hs_lastmodifieddate", "hs_object_id"}
    assert set(deal["properties"]) == {"risk", "hs_priority", *stamps}
    assert deal["properties"]["hs_priority"] is None


def test_all_values_are_text_or_null(reader, generated):
    every = ",".join(generated.portal.get("deals", generated.portal.ids("deals")[0]))
    for deal in reader.get("/crm/v3/objects/deals", limit=100, properties=every)["results"]:
        assert {type(it) for it in deal["properties"].values()} <= {str, type(None)}


def test_pages_follow_one_another_by_id_until_there_is_no_paging(reader, generated):
    seen, after = [], "0"
    while after:
        page = reader.get("/crm/v3/objects/deals", limit=50, after=after)
        seen += [it["id"] for it in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
    assert seen == generated.portal.ids("deals")
    assert seen == sorted(seen, key=int)


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"limit": 100}, 200),
        ({"limit": 101}, 400),
        ({"limit": 0}, 400),
        ({"limit": 50, "propertiesWithHistory": "dealstage"}, 200),
        ({"limit": 51, "propertiesWithHistory": "dealstage"}, 400),
        ({"properties": "x" * 15_500}, 200),
        ({"properties": "x" * 16_500}, 414),
    ],
)
def test_pages_and_addresses_have_limits(reader, parameters, status):
    reader.get("/crm/v3/objects/deals", **parameters)
    assert reader.status == status


def test_history_tells_every_value_newest_first_and_where_it_came_from(api, sandbox, deal):
    identity = deal(amount="100")
    sandbox.portal.update("deals", identity, {"amount": ""})
    api.update((identity, {"amount": "300"}))
    answer = api.get(f"/crm/v3/objects/deals/{identity}", propertiesWithHistory="amount,dealname")
    amounts = answer["propertiesWithHistory"]["amount"]
    assert [(it["value"], it["sourceType"]) for it in amounts] == [
        ("300", "INTEGRATION"),
        ("", "CRM_UI"),
        ("100", "CRM_UI"),
    ]
    assert [it["value"] for it in answer["propertiesWithHistory"]["dealname"]] == ["Deal"]


def test_no_more_than_twenty_versions_are_told(api, sandbox, deal):
    identity = deal(amount="0")
    for amount in range(1, 25):
        sandbox.portal.update("deals", identity, {"amount": str(amount)})
    answer = api.get(f"/crm/v3/objects/deals/{identity}", propertiesWithHistory="amount")
    assert [it["value"] for it in answer["propertiesWithHistory"]["amount"]] == [
        str(it) for it in range(24, 4, -1)
    ]


def test_a_list_can_tell_what_is_linked_once_for_each_type_of_link(api, sandbox, deal):
    identity, company = deal(), sandbox.portal.create("companies", {"name": "Glenavon"})
    item = sandbox.portal.create("line_items", {"name": "Seat", "price": "10"})
    sandbox.portal.associate("deals", identity, "companies", company, "Primary")
    sandbox.portal.associate("deals", identity, "line_items", item)
    [found] = api.get("/crm/v3/objects/deals", associations="companies,line_items,contacts")["results"]
    assert found["associations"]["companies"]["results"] == [
        {"id": company, "type": "deal_to_company"},
        {"id": company, "type": "deal_to_company_unlabeled"},
    ]
    assert found["associations"]["line items"]["results"] == [{"id": item, "type": "deal_to_line_item"}]
    assert "contacts" not in found["associations"]


def test_a_list_leads_to_the_links_that_it_does_not_tell(api, sandbox, deal, monkeypatch):
    monkeypatch.setattr(told, "LINKS_SHOWN", 2)
    many, few = deal(), deal()
    for number in range(3):
        item = sandbox.portal.create("line_items", {"name": f"Seat {number}"})
        sandbox.portal.associate("deals", many, "line_items", item)
    sandbox.portal.associate("deals", few, "line_items", item)
    first, second = api.get("/crm/v3/objects/deals", associations="line_items")["results"]
    shown = first["associations"]["line items"]
    assert (len(shown["results"]), "next" in shown["paging"]) == (2, True)
    assert "paging" not in second["associations"]["line items"]


def test_batch_read_tells_the_missing_and_the_archived_as_errors(api, sandbox, deal):
    there, archived = deal(), deal()
    sandbox.portal.archive("deals", archived)
    body = {"inputs": [{"id": there}, {"id": archived}, {"id": "99"}], "properties": ["dealname"]}
    answer = api.post("/crm/v3/objects/deals/batch/read", body)
    assert api.status == 207
    assert [it["id"] for it in answer["results"]] == [there]
    assert answer["numErrors"] == 1
    assert answer["errors"][0]["context"]["ids"] == [archived, "99"]
    dated = api.post("/crm/objects/2026-09/deals/batch/read", body)
    assert api.status == 200
    assert dated["errors"] == answer["errors"]
    kept = api.post("/crm/v3/objects/deals/batch/read?archived=true", body)
    assert [it["id"] for it in kept["results"]] == [archived]


@pytest.mark.parametrize(
    ("count", "history", "status"),
    [(100, [], 200), (101, [], 400), (50, ["amount"], 200), (51, ["amount"], 400)],
)
def test_a_batch_read_takes_a_hundred_and_half_as_many_with_history(api, sandbox, count, history, status):
    ids = sandbox.portal.create_many("deals", count)
    body = {"inputs": [{"id": it} for it in ids], "properties": [], "propertiesWithHistory": history}
    api.post("/crm/v3/objects/deals/batch/read", body)
    assert api.status == status


def test_archived_records_are_in_a_list_of_their_own(api, sandbox, deal):
    there, archived = deal(), deal()
    sandbox.portal.archive("deals", archived)
    assert [it["id"] for it in api.get("/crm/v3/objects/deals")["results"]] == [there]
    [found] = api.get("/crm/v3/objects/deals", archived="true")["results"]
    assert (found["id"], found["archived"], found["archivedAt"]) == (archived, True, "2026-11-23T09:00:00Z")
    api.get(f"/crm/v3/objects/deals/{archived}")
    assert api.status == 404
    sandbox.portal.restore("deals", archived)
    assert api.get(f"/crm/v3/objects/deals/{archived}")["id"] == archived


def test_a_purged_record_leaves_no_trace(api, sandbox, deal):
    identity = deal()
    sandbox.portal.purge("deals", identity)
    assert api.get("/crm/v3/objects/deals", archived="true") == {"results": []}


def test_an_unknown_type_is_refused(api):
    assert api.get("/crm/v3/objects/dragons")["message"] == "Unable to infer object type from: dragons"
    assert api.status == 400


def test_stage_times_answer_to_their_names_but_are_not_in_the_list_of_properties(reader, generated):
    listed = {it["name"] for it in reader.get("/crm/v3/properties/deals")["results"]}
    assert "hs_date_entered_closedwon" in listed
    assert "hs_v2_date_entered_closedwon" not in listed
    won = [
        it
        for it in generated.portal.ids("deals")
        if generated.portal.get("deals", it)["dealstage"] == "closedwon"
    ]
    found = reader.get(
        f"/crm/v3/objects/deals/{won[0]}", properties="hs_v2_date_entered_closedwon,hs_is_closed_won"
    )
    assert found["properties"]["hs_v2_date_entered_closedwon"].endswith("Z")
    assert found["properties"]["hs_is_closed_won"] == "true"


def test_owners_who_have_left_come_only_when_asked_for(reader):
    there = reader.get("/crm/v3/owners", limit=500)["results"]
    gone = reader.get("/crm/owners/2026-09", limit=500, archived="true")["results"]
    assert len(gone) == 3
    assert all("userId" in it and it["userId"] == it["userIdIncludingInactive"] for it in there)
    assert not any("userId" in it for it in gone)
    assert {it["teams"][0]["name"] for it in gone} <= {"France", "United Kingdom & Ireland", "DACH"}


def test_stage_metadata_is_text_and_archived_stages_stay_out(reader):
    [pipeline, renewals] = reader.get("/crm/v3/pipelines/deals")["results"]
    assert pipeline["id"] == "default"
    won = next(it for it in pipeline["stages"] if it["id"] == "closedwon")
    assert won["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert "Verbal Agreement" not in {it["label"] for it in pipeline["stages"]}
    [retired] = reader.get("/crm/v3/pipelines/deals/default/stages", archived="true")["results"]
    assert retired["label"] == "Verbal Agreement"
    assert {it["id"] for it in renewals["stages"]}.isdisjoint({it["id"] for it in pipeline["stages"]})


def test_a_contact_is_found_by_its_e_mail_address(api: Api, sandbox):
    identity = sandbox.portal.create("contacts", {"email": "ines.morvan@verdier.example"})
    found = api.get("/crm/v3/objects/contacts/Ines.Morvan@verdier.example", idProperty="email")
    assert found["id"] == identity
    assert set(found["properties"]) >= {"email", "lastmodifieddate"}
