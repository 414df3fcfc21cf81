"""The sandbox as hubspot-api-client sees it, HubSpot's own client, which knows nothing of it."""

import json

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


def test_it_searches_page_by_page(client, portal):
    found, after = [], None
    while True:
        request = deals.PublicObjectSearchRequest(
            filter_groups=[
                deals.FilterGroup(filters=[deals.Filter(property_name="dealname", operator="HAS_PROPERTY")])
            ],
            sorts=["hs_object_id"],
            limit=7,
            after=after,
        )
        page = client.crm.deals.search_api.do_search(public_object_search_request=request)
        found += [it.id for it in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert found == portal.portal.ids("deals")


def test_it_reads_a_batch_and_sees_what_is_missing(client, portal):
    identity = portal.portal.ids("deals")[2]
    body = deals.BatchReadInputSimplePublicObjectId(
        inputs=[deals.SimplePublicObjectId(id=it) for it in (identity, "99")],
        properties=["dealname"],
        properties_with_history=["amount"],
    )
    answer = client.crm.deals.batch_api.read(batch_read_input_simple_public_object_id=body)
    assert [it.id for it in answer.results] == [identity]
    assert answer.errors[0].context["ids"] == ["99"]
    assert answer.results[0].properties_with_history["amount"]


def test_one_bad_value_fails_a_whole_batch(client, portal):
    first, second = portal.portal.ids("deals")[:2]
    before = portal.portal.get("deals", first)["risk"]
    inputs = [
        deals.SimplePublicObjectBatchInput(id=first, properties={"risk": "never"}),
        deals.SimplePublicObjectBatchInput(id=second, properties={"amount": "many"}),
    ]
    body = deals.BatchInputSimplePublicObjectBatchInput(inputs=inputs)
    with pytest.raises(deals.ApiException) as refusal:
        client.crm.deals.batch_api.update(batch_input_simple_public_object_batch_input=body)
    assert refusal.value.status == 400
    assert portal.portal.get("deals", first)["risk"] == before


def test_it_extends_the_options_of_a_property(client):
    options = [
        properties.OptionInput(label=it, value=it, hidden=False, display_order=n) for n, it in enumerate("ab")
    ]
    definition = properties.PropertyCreate(
        name="letters",
        label="Letters",
        type="enumeration",
        field_type="checkbox",
        group_name="sales_method",
        options=options[:1],
    )
    client.crm.properties.core_api.create("deals", property_create=definition)
    client.crm.properties.core_api.update(
        "deals", "letters", property_update=properties.PropertyUpdate(options=options)
    )
    read = client.crm.properties.core_api.get_by_name("deals", "letters")
    assert [it.value for it in read.options] == ["a", "b"]


def test_it_reads_the_labels_of_associations(client):
    labels = client.crm.associations.v4.schema.definitions_api.get_all("deals", "contacts").results
    assert {it.label for it in labels} >= {None, "Champion", "Decision maker"}


def test_it_reads_one_owner_one_stage_and_who_left(client):
    owner = client.crm.owners.owners_api.get_page(limit=1).results[0]
    assert client.crm.owners.owners_api.get_by_id(int(owner.id)).email == owner.email
    stage = client.crm.pipelines.pipeline_stages_api.get_by_id("deals", "default", "closedlost")
    assert stage.metadata["probability"] == "0.0"


def test_it_signs_in_as_an_app(portal):
    token = Client.create(host=portal.base_url).oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
        refresh_token="sandbox-refresh-token",
    )
    app = Client.create(access_token=token.access_token, host=portal.base_url)
    assert len(app.crm.deals.basic_api.get_page(limit=5).results) == 5


@pytest.mark.parametrize("path", ["/crm/v3/objects/deals", "/crm/objects/2026-09/deals"])
def test_its_low_level_call_reaches_every_version(client, path):
    api = client.crm.deals.basic_api.api_client
    answer = api.call_api(
        path, "GET", query_params=[("limit", "3")], auth_settings=["oauth2"], _preload_content=False
    )
    assert len(json.loads(answer.data)["results"]) == 3
