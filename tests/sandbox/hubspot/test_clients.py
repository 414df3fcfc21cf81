"""The sandbox as hubspot-api-client sees it, HubSpot's own client, which knows nothing of it."""

import pytest
from hubspot import Client
from hubspot.crm import deals, properties
from hubspot.crm.associations import v4

from pipelint.sandbox.hubspot import HubSpotSandbox
from tests.sandbox.client import NOW


@pytest.fixture(scope="module")
def portal():
    """A small account that the client may change."""
    with HubSpotSandbox(size=30, now=NOW) as running:
        yield running


@pytest.fixture(scope="module")
def client(portal):
    return Client.create(access_token=portal.token(), host=portal.base_url)


def test_it_pages_through_all_deals(client, portal):
    found = client.crm.deals.get_all(properties=["dealname", "hs_next_step"], associations=["contacts"])
    assert [it.id for it in found] == portal.portal.ids("deals")
    assert found[0].created_at.tzinfo is not None
    assert found[0].associations["contacts"].results[0].type


def test_it_reads_history(client, portal):
    page = client.crm.deals.basic_api.get_page(limit=50, properties_with_history=["dealstage"])
    versions = page.results[0].properties_with_history["dealstage"]
    assert versions[0].value == page.results[0].properties["dealstage"]
    assert versions[0].source_type == "CRM_UI"


def test_it_searches(client):
    condition = deals.Filter(property_name="amount", operator="GTE", value="100000")
    request = deals.PublicObjectSearchRequest(
        filter_groups=[deals.FilterGroup(filters=[condition])],
        sorts=["-amount"],
        properties=["amount"],
        limit=5,
    )
    answer = client.crm.deals.search_api.do_search(public_object_search_request=request)
    amounts = [float(it.properties["amount"]) for it in answer.results]
    assert amounts == sorted(amounts, reverse=True)
    assert answer.total >= len(amounts) > 0


def test_it_updates_a_batch_and_sees_its_errors(client, portal):
    identity = portal.portal.ids("deals")[3]
    inputs = [
        deals.SimplePublicObjectBatchInput(id=it, properties={"risk": "by the client"})
        for it in (identity, "99")
    ]
    body = deals.BatchInputSimplePublicObjectBatchInput(inputs=inputs)
    answer = client.crm.deals.batch_api.update(batch_input_simple_public_object_batch_input=body)
    assert (answer.num_errors, answer.errors[0].context["ids"]) == (1, ["99"])
    assert portal.portal.get("deals", identity)["risk"] == "by the client"


def test_its_refusals_are_those_of_the_vendor(client, portal):
    identity = portal.portal.ids("deals")[0]
    with pytest.raises(deals.ApiException) as refusal:
        client.crm.deals.basic_api.update(
            identity, simple_public_object_input=deals.SimplePublicObjectInput(properties={"amount": "many"})
        )
    assert refusal.value.status == 400
    assert "INVALID_NUMBER" in refusal.value.body


def test_it_reads_associations_with_labels(client, portal):
    ids = [v4.PublicFetchAssociationsBatchRequest(id=it) for it in portal.portal.ids("deals")]
    body = v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=ids)
    answer = client.crm.associations.v4.batch_api.get_page(
        "deals", "contacts", batch_input_public_fetch_associations_batch_request=body
    )
    labels = {it.label for each in answer.results for link in each.to for it in link.association_types}
    assert {"Champion", "Decision maker", None} <= labels


def test_it_makes_a_group_and_a_property(client):
    group = properties.PropertyGroupCreate(name="hygiene", label="Hygiene", display_order=1)
    client.crm.properties.groups_api.create("deals", property_group_create=group)
    definition = properties.PropertyCreate(
        name="score", label="Score", type="number", field_type="number", group_name="hygiene"
    )
    made = client.crm.properties.core_api.create("deals", property_create=definition)
    assert made.created_at == NOW
    with pytest.raises(properties.ApiException) as refusal:
        client.crm.properties.core_api.create("deals", property_create=definition)
    assert refusal.value.status == 409
    assert "score" in {it.name for it in client.crm.properties.core_api.get_all("deals").results}


def test_it_reads_pipelines_and_owners(client):
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert pipelines[0].stages[-1].metadata["isClosed"] == "true"
    owners = client.crm.owners.get_all()
    assert owners
    assert all(it.user_id for it in owners)
    gone = client.crm.owners.owners_api.get_page(archived=True).results
    assert all(it.user_id is None and it.archived for it in gone)


def test_it_creates_and_archives_tasks(client, portal):
    tasks = client.crm.objects.basic_api
    made = tasks.create(
        "tasks",
        simple_public_object_input_for_create={
            "properties": {"hs_task_subject": "Call", "hs_timestamp": "2026-12-01T09:00:00Z"},
            "associations": [
                {
                    "to": {"id": portal.portal.ids("deals")[0]},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}],
                }
            ],
        },
    )
    tasks.archive("tasks", made.id)
    assert made.id not in portal.portal.ids("tasks")
