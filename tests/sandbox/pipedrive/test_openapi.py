"""Answers and prices, against Pipedrive's own OpenAPI files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from pipelint.sandbox.pipedrive.call import Route
from pipelint.sandbox.pipedrive.routes import ROUTES
from tests.sandbox.pipedrive.conftest import Api

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "pipedrive"

pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="Pipedrive's OpenAPI files are not here")


@cache
def lines(version: str) -> list[str]:
    return (SPECS / f"openapi-{version}.yaml").read_text(encoding="utf-8").splitlines()


def below(found: list[str], header: str) -> list[str]:
    """The lines of one entry, cut out of the text: a YAML parser takes half a minute for these files."""
    indent = len(header) - len(header.lstrip())
    start = next(number for number, line in enumerate(found) if line.replace("'", "") == header) + 1
    for end in range(start, len(found)):
        if len(found[end]) - len(found[end].lstrip()) <= indent and found[end].strip():
            return found[start:end]
    return found[start:]


def operation(route: Route) -> list[str]:
    version, path = ("v2", route.path.removeprefix("/api/v2")) if route.v2 else ("v1", route.path[3:])
    names = {"code": "field_code", "participant": "deal_participant_id"}
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda it: f"{{{names.get(it[1], it[1])}}}", path)
    return below(below(lines(version), f"  {path}:"), f"    {route.method.lower()}:")


def schema(name: str) -> Any:
    """The schema of a good answer; null fits wherever a single value does, as in live answers."""
    route = next(it for it in ROUTES if it.name == name)
    answer = below(below(operation(route), "      responses:"), "        200:")
    text = "\n".join(below(answer, "              schema:"))
    return nullable(YAML(typ="safe").load(text))


def nullable(part: Any) -> Any:
    if isinstance(part, list):
        return [nullable(it) for it in part]
    if not isinstance(part, dict):
        return part
    found = {name: nullable(it) for name, it in part.items()}
    if isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("enum"), list):
        found["enum"] = [*found["enum"], None]
    return found


@pytest.mark.parametrize("route", ROUTES, ids=lambda it: it.name)
def test_an_operation_has_the_price_and_scopes_of_the_specification(route: Route) -> None:
    text = operation(route)
    prices = [int(it.split(":")[1]) for it in text if it.startswith("      x-token-cost:")]
    assert prices == [route.tokens]
    scopes = {it.strip(" -'") for it in below(text, "      security:") if it.startswith("            - ")}
    assert set(route.scopes.split()) == scopes


READ = {
    "GET /api/v2/deals": "include_fields=next_activity_id,participants_count,last_incoming_mail_time",
    "GET /api/v2/deals/archived": "",
    "GET /api/v2/deals/<int:id>": "",
    "GET /api/v2/deals/products": "deal_ids=1,2,3,4,5,6,7,8,9,10,11,12",
    "GET /api/v2/persons": "",
    "GET /api/v2/organizations": "",
    "GET /api/v2/activities": "",
    "GET /api/v2/pipelines": "",
    "GET /api/v2/stages": "",
    "GET /api/v2/dealFields": "include_fields=required_fields,important_fields,ui_visibility",
    "GET /api/v2/personFields": "",
    "GET /v1/users": "",
    "GET /v1/users/me": "",
    "GET /v1/currencies": "",
    "GET /v1/activityTypes": "",
    "GET /v1/leads": "",
    "GET /v1/leads/archived": "",
    "GET /v1/deals/<int:id>/changelog": "",
    "GET /v1/deals/<int:id>/flow": "",
    "GET /v1/deals/<int:id>/participants": "",
}


@pytest.mark.parametrize("name", READ)
def test_an_answer_is_as_the_specification_says(name: str, reading: Api) -> None:
    path = name.removeprefix("GET ").replace("<int:id>", "1")
    answer = reading.get(f"{path}?{READ[name]}")
    assert reading.status == 200, answer
    assert answer["data"], "an empty list shows nothing"
    errors = [
        f"{it.json_path}: {it.message[:80]}" for it in Draft202012Validator(schema(name)).iter_errors(answer)
    ]
    assert not errors
