"""The stand-in against Pipedrive's own OpenAPI files: prices, scopes, what it takes, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.call import Route
from pipelint.sandbox.pipedrive.routes import ROUTES
from tests.sandbox.client import NOW
from tests.sandbox.pipedrive.conftest import Api
from tests.sandbox.pipedrive.openapi import Operation, Witness, needs_specs, operation

pytestmark = needs_specs


def described(route: Route) -> Operation:
    return operation(route.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path))


@pytest.mark.parametrize("route", ROUTES, ids=lambda it: it.name)
def test_an_operation_has_the_price_and_scopes_of_the_specification(route: Route) -> None:
    assert route.tokens == described(route).tokens
    assert set(route.scopes.split()) == described(route).scopes


@pytest.mark.parametrize("route", [it for it in ROUTES if it.params is not None], ids=lambda it: it.name)
def test_an_operation_of_v2_takes_the_parameters_of_the_specification(route: Route) -> None:
    assert set(route.params or ()) == set(described(route).query)


ALL_PLACES = "include_fields=ui_visibility,important_fields,required_fields"
FIELD = {"field_name": "Size", "field_type": "enum", "options": [{"label": "small"}, {"label": "large"}]}
CONDITIONS = {
    "glue": "and",
    "conditions": [
        {"glue": "and", "conditions": [
            {"object": "deal", "field_id": "12", "operator": "=", "value": "x", "extra_value": None},
        ]},
        {"glue": "or", "conditions": []},
    ],
}  # fmt: skip

CALLS: Mapping[str, tuple[str, Any]] = {
    "GET /api/v2/deals/archived": ("?include_fields=notes_count", None),
    "GET /api/v2/deals/products": (f"?deal_ids={','.join(map(str, range(1, 60)))}", None),
    "GET /api/v2/deals": ("?include_fields=next_activity_id,participants_count,last_incoming_mail_time", None),
    "POST /api/v2/deals": ("", {"title": "Deal", "value": 12.5, "label_ids": [1]}),
    "PATCH /api/v2/deals/<int:id>": ("", {"status": "lost", "lost_reason": "Price", "custom_fields": {}}),
    "GET /api/v2/persons": ("?include_fields=open_deals_count,participant_open_deals_count", None),
    "POST /api/v2/persons": ("", {"name": "Ute Müller", "emails": [{"value": "ute@acme.example", "primary": True}]}),
    "PATCH /api/v2/persons/<int:id>": ("", {"name": "Ute Meier"}),
    "GET /api/v2/organizations": ("?include_fields=people_count,related_open_deals_count", None),
    "POST /api/v2/organizations": ("", {"name": "Acme", "address": {"value": "Lyon"}}),
    "PATCH /api/v2/organizations/<int:id>": ("", {"name": "Acme SA", "employee_count": 20}),
    "GET /api/v2/activities": ("?include_fields=attendees&done=true", None),
    "POST /api/v2/activities": ("", {"subject": "Call", "type": "call", "deal_id": 2, "due_date": "2026-12-01"}),
    "PATCH /api/v2/activities/<int:id>": ("", {"done": True}),
    "POST /api/v2/pipelines": ("", {"name": "Partners"}),
    "PATCH /api/v2/pipelines/<int:id>": ("", {"name": "New customers"}),
    "POST /api/v2/stages": ("", {"name": "Trial", "pipeline_id": 1}),
    "PATCH /api/v2/stages/<int:id>": ("", {"is_deal_rot_enabled": True, "days_to_rotten": 7}),
    **{
        f"{method} /api/v2/{kind}Fields{path}": (query, body)
        for kind in ("deal", "person", "organization")
        for method, path, query, body in (
            ("GET", "", f"?{ALL_PLACES}", None),
            ("POST", "", "", FIELD),
            ("GET", "/<code>", f"?{ALL_PLACES}", None),
            ("PATCH", "/<code>", "", {"field_name": "Extent"}),
            ("POST", "/<code>/options", "", [{"label": "huge"}]),
            ("PATCH", "/<code>/options", "", [{"id": "option", "label": "medium"}]),
            ("DELETE", "/<code>/options", "", [{"id": "option"}]),
        )
    },
    "GET /v1/deals/<int:id>/flow": ("?items=dealChange,activity&all_changes=1", None),
    "POST /v1/deals/<int:id>/participants": ("", {"person_id": 3}),
    "PUT /v1/deals/<int:id>/merge": ("", {"merge_with_id": 4}),
    "GET /v1/leads": ("?updated_since=2020-01-01T00:00:00Z", None),
    "PATCH /v1/leads/<uuid:id>": ("", {"title": "Lead", "expected_close_date": "2026-12-31"}),
    "POST /v1/notes": ("", {"content": "Hello", "deal_id": 2, "pinned_to_deal_flag": 1}),
    "PUT /v1/notes/<int:id>": ("", {"content": "Hello again"}),
    "POST /v1/filters": ("", {"name": "Flagged", "type": "deals", "conditions": CONDITIONS}),
    "GET /v1/recents": ("?since_timestamp=2026-11-01 00:00:00&items=deal", None),
}  # fmt: skip
"""What is asked for beyond the path, and sent."""

BEFORE = {
    **{f"/api/v2/{kind}Fields/<code>": f"POST /api/v2/{kind}Fields" for kind in ("deal", "person", "organization")},
    "/v1/notes/<int:id>": "POST /v1/notes",
    "/v1/filters/<int:id>": "POST /v1/filters",
    "/participants/<int:participant>": "POST /v1/deals/<int:id>/participants",
}  # fmt: skip
"""What must be made before there is a record at these paths."""


@pytest.fixture(scope="module")
def company() -> Iterator[PipedriveSandbox]:
    """A generated company that every case changes a little."""
    with PipedriveSandbox(size=60, now=NOW, plan="ultimate", seats=5) as running:
        running.company.update("deals", 1, {"is_archived": True})
        running.company.create("notes", {"content": "Hello", "deal_id": 2})
        running.company.create("filters", {"name": "Late", "type": "deals", "conditions": CONDITIONS})
        yield running


def call(api: Api, name: str, made: Mapping[str, Any]) -> Any:
    """Send the request of an operation, with what was made for it filled in."""
    method, path = name.split(" ")
    query, body = CALLS.get(name, ("", None))
    if isinstance(body, list):
        body = [
            {key: made["option"] if value == "option" else value for key, value in it.items()} for it in body
        ]
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda it: str(made.get(it[1], made["id"])), path)
    return api.call(method, path + query, **({} if body is None else {"json": body}))  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda it: it.name)
def test_a_request_and_its_answer_are_as_the_specification_says(
    company: PipedriveSandbox, route: Route
) -> None:
    api = Api(company.base_url, company.token())
    [[lead]] = company.company.store.rows("SELECT id FROM leads WHERE NOT is_archived LIMIT 1")
    made: dict[str, Any] = {"id": lead if "leads" in route.path else 2}
    if "users" in route.path:
        made["id"] = company.company.admin
    if "/deals/" in route.path and route.method in {"DELETE", "PUT"} and "participants" not in route.path:
        made["id"] = company.company.create("deals", {"title": "Not for long"})["id"]
    for path, name in BEFORE.items():
        if path in route.path:
            new = call(api, name, made)["data"]
            made |= {"participant": new["id"]} if "participant" in path else {"id": new.get("id")}
            made |= {"code": new.get("field_code"), "option": (new.get("options") or [{}])[0].get("id")}
    with Witness(company) as witness:
        answer = call(api, route.name, made)
    assert api.status == 200, answer
    assert answer["data"], "an empty answer shows nothing"
    assert witness.problems == []
