"""Searching: operators, limits, the cap, ties, and an index that comes after the change."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.client import NOW

STAMP = "hs_lastmodifieddate"


def millis(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


@pytest.fixture
def names(api, sandbox, deal):
    """Three deals, and a way to ask which of them a filter finds."""
    deal(
        "Alpha", amount="9", closedate="2026-11-30T10:00:00Z", hs_priority="low", next_step_date="2026-12-01"
    )
    deal("Beta", amount="100", closedate="2026-12-31", hs_priority="high", risk="Budget")
    deal("Gamma")

    def find(*filters):
        return [
            it["properties"]["dealname"] for it in api.search(*filters, properties=["dealname"])["results"]
        ]

    return find


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("dealname", "EQ", "alpha", ["Alpha"]),
        ("dealname", "NEQ", "alpha", ["Beta", "Gamma"]),
        ("amount", "EQ", "9.0", ["Alpha"]),
        ("amount", "GT", "9", ["Beta"]),
        ("amount", "LTE", "100", ["Alpha", "Beta"]),
        ("closedate", "LT", millis(datetime(2026, 12, 1, tzinfo=UTC)), ["Alpha"]),
        ("closedate", "GTE", "2026-12-31T00:00:00Z", ["Beta"]),
        ("next_step_date", "LT", "2026-12-02", ["Alpha"]),
        (STAMP, "GTE", millis(NOW), ["Alpha", "Beta", "Gamma"]),
        (STAMP, "GT", millis(NOW), []),
        ("amount", "HAS_PROPERTY", None, ["Alpha", "Beta"]),
        ("amount", "NOT_HAS_PROPERTY", None, ["Gamma"]),
        ("risk", "CONTAINS_TOKEN", "*udge*", ["Beta"]),
    ],
)
def test_an_operator_compares_by_the_type_of_the_property(names, name, operator, value, expected):
    assert names({"propertyName": name, "operator": operator, "value": value}) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"propertyName": "hs_priority", "operator": "IN", "values": ["low", "medium"]}, ["Alpha"]),
        ({"propertyName": "hs_priority", "operator": "NOT_IN", "values": ["low"]}, ["Beta"]),
        ({"propertyName": "dealname", "operator": "IN", "values": ["alpha", "gamma"]}, ["Alpha", "Gamma"]),
        (
            {"propertyName": "dealname", "operator": "IN", "values": ["Alpha"]},
            [],
        ),  # values in lower case only
        ({"propertyName": "amount", "operator": "BETWEEN", "value": "8", "highValue": "10"}, ["Alpha"]),
    ],
)
def test_an_operator_may_take_several_values(names, condition, expected):
    assert names(condition) == expected


def test_filters_of_a_group_must_all_hold_and_one_group_is_enough(api, names):
    one = {"propertyName": "amount", "operator": "GT", "value": "5"}
    two = {"propertyName": "amount", "operator": "LT", "value": "50"}
    three = {"propertyName": "amount", "operator": "NOT_HAS_PROPERTY"}
    assert names(one, two) == ["Alpha"]
    groups = [{"filters": [one, two]}, {"filters": [three]}]
    answer = api.post("/crm/objects/2026-09/0-3/search", {"filterGroups": groups})
    assert [it["properties"]["dealname"] for it in answer["results"]] == ["Alpha", "Gamma"]


@pytest.mark.parametrize("sort", ["-amount", {"propertyName": "amount", "direction": "DESCENDING"}])
def test_one_sort_in_either_form(api, names, sort):
    answer = api.search(sorts=[sort])
    assert [it["properties"]["dealname"] for it in answer["results"]] == ["Beta", "Alpha", "Gamma"]


EQ = {"propertyName": "dealname", "operator": "EQ", "value": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 200, "after": "9801"},
        {"sorts": ["amount", "closedate"]},
        {"sorts": ["gone"]},
        {"query": "x" * 3001},
        {"filterGroups": [{"filters": [EQ]}] * 6},
        {"filterGroups": [{"filters": [EQ] * 7}]},
        {"filterGroups": [{"filters": [EQ] * 5}] * 4},
        {"filterGroups": [{"filters": [{**EQ, "propertyName": "gone"}]}]},
        {"filterGroups": [{"filters": [{**EQ, "operator": "LIKE"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "dealname", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "GT", "value": "much"}]}]},
    ],
)
def test_what_goes_beyond_a_limit_or_names_nothing_is_refused(api, body):
    answer = api.post("/crm/v3/objects/deals/search", body)
    assert api.status == 400
    assert answer["category"] == "VALIDATION_ERROR"


def test_pages_go_by_offset_and_total_counts_all(api, sandbox):
    sandbox.portal.create_many("deals", 5)
    first = api.search(limit=3)
    assert (first["total"], len(first["results"]), first["paging"]["next"]["after"]) == (5, 3, "3")
    second = api.search(limit=3, after="3")
    assert len(second["results"]) == 2
    assert "paging" not in second


def test_twelve_thousand_records_of_one_millisecond_end_at_the_cap_but_can_be_walked_by_id(api, sandbox):
    ids = sandbox.portal.create_many("deals", 12_000)
    at = {"propertyName": STAMP, "operator": "EQ", "value": millis(NOW)}
    last = api.search(at, limit=200, after="9800")
    assert (last["total"], len(last["results"])) == (12_000, 200)
    api.search(at, limit=200, after="10000")
    assert api.status == 400
    beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": last["results"][-1]["id"]}
    assert api.search(at, beyond)["total"] == 2_000
    assert last["results"][-1]["id"] == ids[9_999]


def test_an_archived_record_is_not_found(api, sandbox, deal):
    sandbox.portal.archive("deals", deal())
    assert api.search()["total"] == 0


def test_the_index_finds_a_change_only_after_a_while(api, sandbox, deal):
    sandbox.portal.index_lag = timedelta(seconds=30)
    identity = deal("Old name")
    assert api.search()["total"] == 0  # created, but not in the index yet
    sandbox.clock.advance(timedelta(seconds=30))
    sandbox.portal.update("deals", identity, {"dealname": "New name"})
    [found] = api.search()["results"]
    assert (found["properties"]["dealname"], found["updatedAt"]) == ("Old name", "2026-11-23T09:00:00Z")
    assert api.get(f"/crm/v3/objects/deals/{identity}")["properties"]["dealname"] == "New name"
    sandbox.clock.advance(timedelta(seconds=30))
    [found] = api.search()["results"]
    assert (found["properties"]["dealname"], found["updatedAt"]) == ("New name", "2026-11-23T09:00:30Z")


def test_contacts_have_a_stamp_of_another_name(api, sandbox):
    sandbox.portal.create("contacts", {"lastname": "Morvan"})
    condition = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": millis(NOW)}
    assert api.search(condition, kind="contacts")["total"] == 1
    api.search({**condition, "propertyName": STAMP}, kind="contacts")
    assert api.status == 400
