"""Associations: labels, both directions, pages of one record, and records without any."""

from typing import Any

import pytest

V4, DATED = "/crm/v4/associations", "/crm/associations/2026-09"


@pytest.fixture
def people(sandbox, deal):
    """A deal with a decision maker and somebody without a part in it."""
    identity = deal()
    chief, other = (sandbox.portal.create("contacts", {"lastname": it}) for it in ("Vogt", "Krause"))
    sandbox.portal.associate("deals", identity, "contacts", chief, "Decision maker")
    sandbox.portal.associate("deals", identity, "contacts", other)
    return identity, chief, other


def inputs(*ids: object) -> dict[str, Any]:
    return {"inputs": [{"id": it} for it in ids]}


def test_a_labelled_link_carries_the_plain_type_too(api, people):
    identity, chief, other = people
    answer = api.post(f"{V4}/deals/contacts/batch/read", inputs(identity))
    assert api.status == 200
    [found] = answer["results"]
    assert found["from"] == {"id": identity}
    assert [it["toObjectId"] for it in found["to"]] == [int(chief), int(other)]  # numbers here, text below
    plain = {"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}
    assert found["to"][0]["associationTypes"][0] == plain
    assert found["to"][0]["associationTypes"][1]["label"] == "Decision maker"
    assert found["to"][1]["associationTypes"] == [plain]


def test_the_other_direction_has_the_inverse_numbers(api, people):
    identity, chief, _ = people
    answer = api.post(f"{DATED}/0-1/0-3/batch/read", inputs(chief))
    [link] = answer["results"][0]["to"]
    assert link["toObjectId"] == identity
    assert [it["typeId"] for it in link["associationTypes"]] == [4, 20]
    labels = {it["typeId"]: it["label"] for it in api.get(f"{V4}/contacts/deals/labels")["results"]}
    assert labels[20] == "Decision maker"


@pytest.mark.parametrize(("family", "status"), [(V4, 207), (DATED, 200)])
def test_a_record_without_links_is_an_error_and_no_failure(api, people, deal, family, status):
    identity, alone = people[0], deal()
    answer = api.post(f"{family}/deals/contacts/batch/read", inputs(identity, alone))
    assert api.status == status
    assert [it["from"]["id"] for it in answer["results"]] == [identity]
    [error] = answer["errors"]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["context"] == {"fromObjectId": [alone]}


def test_many_links_of_one_record_come_in_pages_of_its_own(api, sandbox, deal):
    identity = deal()
    contacts = sandbox.portal.create_many("contacts", 501)
    for it in contacts:
        sandbox.portal.associate("deals", identity, "contacts", it)
    first = api.post(f"{V4}/deals/contacts/batch/read", inputs(identity))["results"][0]
    assert len(first["to"]) == 500
    again = {"inputs": [{"id": identity, "after": first["paging"]["next"]["after"]}]}
    second = api.post(f"{V4}/deals/contacts/batch/read", again)["results"][0]
    assert [str(it["toObjectId"]) for it in second["to"]] == contacts[500:]
    assert "paging" not in second


def test_a_batch_takes_a_thousand(api):
    api.post(f"{V4}/deals/contacts/batch/read", inputs(*range(1, 1002)))
    assert api.status == 400


def test_a_deal_has_one_primary_company(api, sandbox, deal):
    identity = deal()
    companies = [sandbox.portal.create("companies", {"name": it}) for it in ("One", "Two")]
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}
    for it in companies:
        link = {"from": {"id": identity}, "to": {"id": it}, "types": [spec]}
        answer = api.post(f"{V4}/deals/companies/batch/create", {"inputs": [link]})
        assert (api.status, answer["results"][0]["labels"]) == (201, ["Primary"])
    found = api.post(f"{DATED}/deals/companies/batch/read", inputs(identity))["results"][0]["to"]
    labels = {it["toObjectId"]: [type_["label"] for type_ in it["associationTypes"]] for it in found}
    assert labels == {companies[0]: [None], companies[1]: ["Primary", None]}


def test_links_are_made_plainly_and_parted(api, sandbox, deal):
    identity, contact = deal(), sandbox.portal.create("contacts", {"lastname": "Vogt"})
    link = {"inputs": [{"from": {"id": identity}, "to": {"id": contact}}]}
    api.post(f"{V4}/deals/contacts/batch/associate/default", link)
    assert sandbox.portal.get("deals", identity)["num_associated_contacts"] == "1"
    one = api.get(f"/crm/v4/objects/deals/{identity}/associations/contacts")
    assert [it["toObjectId"] for it in one["results"]] == [int(contact)]
    api.post(
        f"{V4}/deals/contacts/batch/archive",
        {"inputs": [{"from": {"id": identity}, "to": [{"id": contact}]}]},
    )
    assert api.status == 204
    api.post(f"{V4}/deals/contacts/batch/read", inputs(identity))
    assert api.status == 207


def test_the_list_of_one_record_is_gone_from_2026_09(api, people):
    identity = people[0]
    old = api.get(f"/crm/v3/objects/deals/{identity}/associations/contacts")
    assert [it["type"] for it in old["results"]] == ["deal_to_contact", "decision_maker", "deal_to_contact"]
    api.get(f"/crm/objects/2026-09/deals/{identity}/associations/contacts")
    assert api.status == 404


def test_links_of_an_archived_record_are_hidden_until_it_is_restored(api, sandbox, people):
    identity, chief, _ = people
    sandbox.portal.archive("deals", identity)
    assert api.post(f"{V4}/contacts/deals/batch/read", inputs(chief))["results"] == []
    assert api.post(f"{V4}/deals/contacts/batch/read", inputs(identity))["results"] == []
    sandbox.portal.restore("deals", identity)
    assert len(api.post(f"{V4}/deals/contacts/batch/read", inputs(identity))["results"][0]["to"]) == 2


def test_a_portal_has_labels_of_its_own(api):
    made = api.post(f"{V4}/deals/contacts/labels", {"label": "Lawyer", "name": "lawyer"})["results"]
    assert made[0]["label"] == "Lawyer"
    assert made[1]["typeId"] == made[0]["typeId"] + 1
    assert api.post(f"{V4}/deals/contacts/labels", {"label": "Lawyer"})["status"] == "error"
