"""Sign-in, limits and faults of the Pipedrive sandbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from pipelint.sandbox.pipedrive import PipedriveSandbox
from tests.sandbox.client import NOW
from tests.sandbox.pipedrive.conftest import Api

STAGES = "/api/v2/stages"


def steer(sandbox: PipedriveSandbox, name: str, **document: object) -> object:
    return requests.post(f"{sandbox.base_url}/_sandbox/{name}", json=document, timeout=5).json()


def test_the_token_counts_in_the_header_only(sandbox: PipedriveSandbox) -> None:
    for version in ("/api/v2/stages", "/v1/users"):
        answer = requests.get(f"{sandbox.base_url}{version}?api_token={sandbox.token()}", timeout=5)
        assert answer.status_code == 401
        assert "x-401-by-gw" in answer.headers
        assert answer.json()["error"] == "unauthorized access"


def test_an_app_refreshes_its_token_and_keeps_to_its_scopes(sandbox: PipedriveSandbox) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": sandbox.refresh_token("deals:read")}
    token = f"{sandbox.base_url}/oauth/token"
    assert requests.post(token, form, auth=("sandbox-client", "wrong"), timeout=5).status_code == 401
    granted = requests.post(token, form, auth=("sandbox-client", "sandbox-secret"), timeout=5).json()
    assert granted["refresh_token"] == form["refresh_token"]
    assert granted["expires_in"] == 3599
    app = Api(sandbox.base_url, "")
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    app.call("GET", STAGES, headers=headers)
    assert app.status == 200
    refused = app.call("GET", "/v1/deals/1/changelog", headers=headers)
    assert (app.status, refused["error"]) == (403, "Scope and URL mismatch")
    sandbox.clock.advance(timedelta(hours=1))
    app.call("GET", STAGES, headers=headers)
    assert app.status == 401
    sandbox.clock.advance(timedelta(days=61))
    late = requests.post(token, form, auth=("sandbox-client", "sandbox-secret"), timeout=5)
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")


def test_v2_takes_no_parameter_it_does_not_know(api: Api) -> None:
    for unfit in ({"foo": "1"}, {"limit": "501"}, {"updated_since": "2026-11-01T00:00:00.123Z"},
                  {"status": "open,half"}, {"cursor": "x"}, {"ids": ",".join(map(str, range(101)))}):  # fmt: skip
        api.get("/api/v2/deals", **unfit)
        assert api.status == 400, unfit


@pytest.mark.parametrize("order", [("id", "asc"), ("update_time", "desc"), ("add_time", "asc")])
def test_a_walk_by_cursor_meets_every_record_once(reading: Api, order: tuple[str, str]) -> None:
    asked = {"sort_by": order[0], "sort_direction": order[1]}
    whole = reading.get("/api/v2/deals", limit=500, **asked)["data"]
    page = reading.get("/api/v2/deals", limit=7, **asked)
    met = page["data"]
    while following := page["additional_data"]["next_cursor"]:
        page = reading.get("/api/v2/deals", limit=7, **asked, cursor=following)
        met += page["data"]
    assert met == whole
    assert [it[order[0]] for it in met] == sorted((it[order[0]] for it in met), reverse=order[1] == "desc")


def test_a_burst_is_refused_until_two_seconds_have_passed() -> None:
    with PipedriveSandbox(size=0, now=NOW, burst=3) as sandbox:
        api = Api(sandbox.base_url, sandbox.token())
        for left in ("2", "1", "0"):
            api.get(STAGES)
            assert (api.status, api.headers["x-ratelimit-remaining"]) == (200, left)
        api.get(STAGES)
        assert (api.status, api.headers["x-ratelimit-reset"]) == (429, "2")
        sandbox.clock.advance(timedelta(seconds=2))
        api.get(STAGES)
        assert api.status == 200


def test_hammering_after_429_ends_in_a_page_of_the_network() -> None:
    with PipedriveSandbox(size=0, now=NOW, burst=1) as sandbox:
        api = Api(sandbox.base_url, sandbox.token())
        for _ in range(13):
            page = api.get(STAGES)
        assert api.status == 403
        assert "Cloudflare" in page
        sandbox.clock.advance(timedelta(hours=1))
        api.get(STAGES)
        assert api.status == 200


def test_the_day_belongs_to_the_whole_company(sandbox: PipedriveSandbox, api: Api) -> None:
    steer(sandbox, "consume", tokens=29_990)
    api.get(STAGES)
    assert api.headers["x-daily-ratelimit-token-remaining"] == "5"
    api.get("/api/v2/deals")
    assert (api.status, api.headers["x-daily-ratelimit-token-remaining"]) == (429, "0")
    report = steer(sandbox, "plan", plan="growth", seats=2)
    assert isinstance(report, dict)
    assert (report["budget"], report["used"], report["by_operation"]) == (120_000, 5, {f"GET {STAGES}": 5})
    api.get("/api/v2/deals")
    assert api.status == 200
    sandbox.clock.advance(timedelta(days=1))
    assert sandbox.limits.left == 120_000


FAULTS = {
    "UNAUTHORIZED": 401, "PAYMENT_REQUIRED": 402, "SCOPE_MISMATCH": 403, "BLOCKED": 403, "NOT_FOUND": 404,
    "OVER_BURST": 429, "OVER_BUDGET": 429, "INTERNAL": 500, "UNAVAILABLE": 503, "NOT_SUCCESS": 200, "NULL": 200,
}  # fmt: skip


@pytest.mark.parametrize(("code", "status"), FAULTS.items())
def test_faults_come_in_pipedrives_own_form(
    sandbox: PipedriveSandbox, api: Api, code: str, status: int
) -> None:
    sandbox.faults.add(code, path="stages")
    broken = api.get(STAGES)
    assert api.status == status
    assert not isinstance(broken, dict) or broken["success"] is False
    assert api.get(STAGES)["success"] is True


def test_colleagues_change_records_through_the_controls(
    sandbox: PipedriveSandbox, api: Api, deal: int
) -> None:
    steer(sandbox, "update", table="deals", id=deal, fields={"stage_id": 3})
    [change, _] = api.get(f"/v1/deals/{deal}/changelog")["data"]
    assert (change["field_key"], change["change_source"]) == ("stage_id", "app")
    refused = steer(sandbox, "update", table="deals", id=deal, fields={"nothing": 1})
    assert refused == {"error": "400: Validation failed: nothing: Unknown key"}


def test_a_saved_company_comes_back(tmp_path, generated: PipedriveSandbox, reading: Api) -> None:
    path = tmp_path / "company.db"
    generated.save(path)
    with PipedriveSandbox(state=path, now=NOW) as again:
        api = Api(again.base_url, again.token())
        for what in ("/api/v2/deals", "/api/v2/dealFields", "/v1/activityTypes"):
            assert api.get(what)["data"] == reading.get(what)["data"]
