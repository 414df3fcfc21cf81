"""What an administrator sets around writes, as HubSpot's API tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.rules import StageRules, Workflow
from tests.sandbox.client import NOW
from tests.sandbox.hubspot.conftest import Api

FLOWS = "/automation/v4/flows"
RULES = "/crm/pipelines-rules/2026-09/0-3/default"
ONE = Workflow("7", "Alert", "0-3", {"type": "MANUAL", "shouldReEnroll": False})


def test_workflows_are_listed_in_pages_and_told_whole_by_their_ids(sandbox: HubSpotSandbox, api: Api) -> None:
    sandbox.portal.workflows.append(ONE)
    first = api.get(f"{FLOWS}?limit=1")
    second = api.get(f"{FLOWS}?limit=1&after={first['paging']['next']['after']}")
    assert [it["id"] for it in first["results"] + second["results"]] == ["1830000001", "7"]
    assert "paging" not in second
    assert "enrollmentCriteria" not in second["results"][0]
    inputs = [{"flowId": it, "type": "FLOW_ID"} for it in ("7", "99")]
    told = api.post(f"{FLOWS}/batch/read", {"inputs": inputs})
    assert api.status == 207
    assert [it["enrollmentCriteria"] for it in told["results"]] == [ONE.criteria]
    assert told["errors"][0]["context"]["ids"] == ["99"]


def test_a_pipeline_tells_its_rules(sandbox: HubSpotSandbox, api: Api) -> None:
    sandbox.portal.stage_rules["default"] = StageRules(
        forward_only=("contractsent",), approved=("closedwon",), edited_by_some=("closedwon",)
    )
    rules = api.get(RULES)
    moves = rules["governanceValidationRules"]
    assert moves["noBackwardsMovementRule"]["pipelineStageIds"] == ["contractsent"]
    assert moves["noSkippingStagesRule"]["pipelineStageIds"] == []
    assert [it["pipelineStageId"] for it in rules["approvalStageRules"]] == ["closedwon"]
    stages = api.get(f"{RULES}/stage-edit-permissions")["stages"]
    assert [it["label"] for it in stages if it["permissionMode"] == "RESTRICTED"] == ["Closed Won"]
    assert len(stages) == 10, "archived stages are not told"


def test_no_version_before_2026_09_tells_the_rules_of_pipelines(api: Api) -> None:
    api.get(RULES.replace("2026-09", "2026-03"))
    assert api.status == 404


@pytest.mark.parametrize(
    "path", ["/crm/v3/limits/custom-properties", "/crm/limits/2026-09/custom-properties"]
)
def test_the_plan_bounds_the_properties_of_an_object_type(
    sandbox: HubSpotSandbox, api: Api, path: str
) -> None:
    sandbox.portal.custom_properties = 7
    deals = api.get(path)["byObjectType"][0]
    assert (deals["objectTypeId"], deals["limit"], deals["usage"]) == ("0-3", 7, 7)
    definition = {
        "name": "one_more",
        "label": "One more",
        "type": "string",
        "fieldType": "text",
        "groupName": "sales_method",
    }
    refused = api.post("/crm/v3/properties/deals", definition)
    assert (api.status, refused["errors"][0]["code"]) == (400, "LIMIT_EXCEEDED")
    sandbox.portal.custom_properties = 8
    api.post("/crm/v3/properties/deals", definition)
    assert api.status == 201


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (FLOWS, "automation"),
        (RULES, "crm-pipelines-governance-read"),
        (f"{RULES}/stage-edit-permissions", "crm-pipelines-locked-stages-access"),
        ("/crm/v3/limits/custom-properties", "crm.objects.deals.read"),
    ],
)
def test_each_takes_a_scope_of_its_own(sandbox: HubSpotSandbox, path: str, scope: str) -> None:
    stranger = Api(sandbox.base_url, sandbox.token("crm.objects.owners.read"))
    answer = stranger.get(path)
    assert stranger.status == 403
    assert scope in answer["errors"][0]["context"]["requiredGranularScopes"]


def test_they_are_kept_with_the_account(sandbox: HubSpotSandbox, tmp_path: Path) -> None:
    sandbox.portal.workflows.append(ONE)
    sandbox.portal.stage_rules["default"] = StageRules(edited_by_some=("closedwon",))
    sandbox.save(tmp_path / "account.db")
    with HubSpotSandbox(state=tmp_path / "account.db", now=NOW) as again:
        assert again.portal.workflows == sandbox.portal.workflows
        assert again.portal.stage_rules == sandbox.portal.stage_rules
