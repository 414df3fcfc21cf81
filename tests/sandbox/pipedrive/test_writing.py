"""Writing to the Pipedrive sandbox: what is refused, and what a change brings about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipelint.sandbox.pipedrive import PipedriveSandbox
from tests.sandbox.pipedrive.conftest import Api


def field(api: Api, name: str, kind: str, *labels: str) -> Any:
    options = {"options": [{"label": it} for it in labels]} if labels else {}
    return api.post("/api/v2/dealFields", {"field_name": name, "field_type": kind, **options})["data"]


REFUSED = {
    "an unknown key": ({"nothing": 1}, "nothing: Unknown key"),
    "a number as text": ({"value": "5"}, "value: Expected number"),
    "0 for false": ({"is_archived": 0}, "is_archived: Expected boolean"),
    "an unknown custom field": ({"custom_fields": {"ab": 1}}, "custom_fields: Unknown key 'ab'"),
    "a custom field at the top": ({"a" * 40: 1}, "Unknown key"),
    "a deletion": ({"is_deleted": True}, "is_deleted: Unknown key"),
    "a reason for a deal not lost": ({"lost_reason": "Price"}, "lost_reason: Can only be set"),
    "a stage that does not exist": ({"stage_id": 999}, "Stage 999 does not exist"),
    "a stage of another pipeline": ({"stage_id": 2, "pipeline_id": 2}, "stage_id: The stage is not part"),
    "a date that is none": ({"expected_close_date": "31.12.2026"}, "expected_close_date: Invalid date"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_v2_refuses(api: Api, deal: int, body: dict[str, object], reason: str) -> None:
    before = api.get(f"/api/v2/deals/{deal}")
    answer = api.patch(f"/api/v2/deals/{deal}", body)
    assert api.status == 400
    assert answer["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
    assert answer["error"].startswith("Validation failed: ")
    assert reason in answer["error"]
    assert api.get(f"/api/v2/deals/{deal}") == before


def test_custom_fields_take_ids_of_options_and_null_clears(api: Api, deal: int) -> None:
    made = field(api, "Issues", "set", "one", "two")
    code, first = made["field_code"], made["options"][0]["id"]
    assert len(code) == 40
    path = f"/api/v2/deals/{deal}"
    assert api.patch(path, {"custom_fields": {code: [first]}})["data"]["custom_fields"][code] == [first]
    for unfit in ([], ["one"], [999_999], "one"):
        api.patch(path, {"custom_fields": {code: unfit}})
        assert api.status == 400, unfit
    assert api.patch(path, {"custom_fields": {code: None}})["data"]["custom_fields"][code] is None


def test_any_write_moves_update_time_and_with_it_the_rotting(
    sandbox: PipedriveSandbox, api: Api, deal: int
) -> None:
    sandbox.clock.advance(timedelta(days=40))
    after = api.patch(f"/api/v2/deals/{deal}", {"title": "Deal"})["data"]
    assert after["update_time"] == "2027-01-02T09:00:00Z"
    assert after["stage_change_time"] is None
    assert [it["id"] for it in api.get("/api/v2/deals", updated_since="2027-01-02T09:00:00Z")["data"]] == [
        deal
    ]


def test_stage_and_status_leave_marks_and_a_change_log(
    sandbox: PipedriveSandbox, api: Api, deal: int
) -> None:
    path = f"/api/v2/deals/{deal}"
    sandbox.clock.advance(timedelta(days=1))
    assert api.patch(path, {"stage_id": 2})["data"]["stage_change_time"] == "2026-11-24T09:00:00Z"
    sandbox.clock.advance(timedelta(days=1))
    lost = api.patch(path, {"status": "lost", "lost_reason": "Price"})["data"]
    assert (lost["lost_time"], lost["local_lost_date"]) == ("2026-11-25T09:00:00Z", "2026-11-25")
    reopened = api.patch(path, {"status": "open"})["data"]
    assert (reopened["lost_time"], reopened["lost_reason"]) == (None, None)
    log = api.get(f"/v1/deals/{deal}/changelog", limit=500)["data"]
    assert [it["new_value"] for it in log if it["field_key"] in {"stage_id", "status"}] == [
        "open",
        "lost",
        "2",
    ]
    assert log[-1]["field_key"] == "add_time"
    page = api.get(f"/v1/deals/{deal}/changelog", limit=1)
    rest = api.get(f"/v1/deals/{deal}/changelog", limit=500, cursor=page["additional_data"]["next_cursor"])
    assert [*page["data"], *rest["data"]] == log


def test_the_archive_is_a_list_of_its_own_and_closed_to_writes(api: Api, deal: int) -> None:
    api.patch(f"/api/v2/deals/{deal}", {"is_archived": True})
    assert api.get("/api/v2/deals")["data"] == []
    assert [it["id"] for it in api.get("/api/v2/deals/archived")["data"]] == [deal]
    api.patch(f"/api/v2/deals/{deal}", {"title": "Other"})
    assert api.status == 400
    api.patch(f"/api/v2/deals/{deal}", {"is_archived": False})
    assert api.status == 200


def test_deleted_deals_can_be_seen_for_a_month(sandbox: PipedriveSandbox, api: Api, deal: int) -> None:
    api.call("DELETE", f"/api/v2/deals/{deal}")
    assert api.get("/api/v2/deals")["data"] == []
    assert api.get("/api/v2/deals", status="open,deleted")["data"][0]["is_deleted"] is True
    api.patch(f"/api/v2/deals/{deal}", {"title": "Other"})
    assert api.status == 404
    sandbox.clock.advance(timedelta(days=31))
    assert api.get("/api/v2/deals", status="deleted")["data"] == []
    assert api.get(f"/api/v2/deals/{deal}")["code"] == "ERR_NOT_FOUND"


def test_of_two_merged_deals_the_one_in_the_path_is_lost(
    sandbox: PipedriveSandbox, api: Api, deal: int
) -> None:
    survivor = sandbox.company.create("deals", {"title": "Survivor"})["id"]
    sandbox.company.create("activities", {"subject": "Call", "deal_id": deal})
    api.call("PUT", f"/v1/deals/{deal}/merge", json={"merge_with_id": survivor})
    assert api.get(f"/api/v2/deals/{deal}")["data"]["is_deleted"] is True
    assert [it["deal_id"] for it in api.get("/api/v2/activities")["data"]] == [survivor]


def test_leads_hold_the_fields_of_deals_flat(sandbox: PipedriveSandbox, api: Api) -> None:
    made = field(api, "Severity", "enum", "error")
    lead = sandbox.company.create("leads", {"title": "Lead"})["id"]
    option = str(made["options"][0]["id"])
    assert api.patch(f"/v1/leads/{lead}", {made["field_code"]: option})["data"][made["field_code"]] == option
    cleared = api.patch(f"/v1/leads/{lead}", {made["field_code"]: None})["data"]
    assert made["field_code"] not in cleared


def test_only_admins_make_fields_and_the_plan_caps_them(sandbox: PipedriveSandbox, api: Api) -> None:
    manager = Api(sandbox.base_url, sandbox.token(11_000_002))
    manager.post("/api/v2/dealFields", {"field_name": "Mine", "field_type": "text"})
    assert manager.status == 403
    for number in range(100):
        answer = api.post("/api/v2/dealFields", {"field_name": f"Field {number}", "field_type": "text"})
        if api.status == 403:
            assert answer["code"].startswith("feature_capping_")
            return
    pytest.fail("no cap")
