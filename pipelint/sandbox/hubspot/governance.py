"""What the administrator sets around writes: workflows, the rules of pipelines, and what the plan has room for."""

from __future__ import annotations

from pipelint.sandbox.hubspot.call import Call, Handler, Json, batch, batch_error, page, whole
from pipelint.sandbox.hubspot.errors import not_found
from pipelint.sandbox.hubspot.pipelines import Pipeline
from pipelint.sandbox.hubspot.rules import StageRules

FLOWS = 100
"""Workflows on a page, and in a batch."""


def list_flows(call: Call) -> object:
    """All workflows, in pages."""
    call.token.require("automation")
    limit, first = call.limit(FLOWS, FLOWS), whole(call.request.args.get("after", "0"), "after")
    found = call.portal.workflows[first : first + limit]
    more = first + limit < len(call.portal.workflows)
    return page([it.listed() for it in found], str(first + limit) if more else None)


def read_flows(call: Call) -> object:
    """Workflows by their ids, with what enrols records."""
    call.token.require("automation")
    known = {it.id: it for it in call.portal.workflows}
    asked = [str(it.get("flowId")) for it in call.inputs(FLOWS)]
    missing = [batch_error("OBJECT_NOT_FOUND", "No such flow", ids=[it]) for it in asked if it not in known]
    return batch(call, [known[it].whole() for it in asked if it in known], missing)


def pipeline_rules(call: Call) -> object:
    """How records may move through a pipeline."""
    call.token.require("crm-pipelines-governance-read")
    pipeline, rules = _rules(call)
    document: Json = {
        "id": f"{call.kind().type_id}-{pipeline.id}",
        "objectTypeId": call.kind().type_id,
        "pipelineId": pipeline.id,
        "governanceValidationRules": {
            "noBackwardsMovementRule": _stages(rules.forward_only),
            "noSkippingStagesRule": _stages(rules.not_skipped),
            "objectCreationRule": {"pipelineStageIds": []},
        },
    }
    if rules.approved:
        document["approvalStageRules"] = [
            {"pipelineStageId": it, "approverUserIds": ["61000001"], "approvalMode": "ANY"}
            for it in rules.approved
        ]
    return document


def stage_permissions(call: Call) -> object:
    """Who may edit the records of each stage."""
    call.token.require("crm-pipelines-locked-stages-access", "pipeline-level-permissions-access")
    pipeline, rules = _rules(call)
    stages: list[Json] = []
    for it in pipeline.stages:
        if it.archived_at is None:
            some = it.id in rules.edited_by_some
            stage: Json = {"pipelineStageId": it.id, "label": it.label}
            stages.append(stage | {"permissionMode": "RESTRICTED" if some else "OPEN", "superAdmin": some})
    return {"objectTypeId": call.kind().type_id, "pipelineId": pipeline.id, "stages": stages}


def property_limits(call: Call) -> object:
    """How many properties the account may add to each object type, and how many it has added."""
    call.token.require("crm.objects.deals.read", "crm.objects.contacts.read", "crm.objects.companies.read")
    room = call.portal.custom_properties
    rows: list[Json] = []
    for kind, properties in call.portal.properties.items():
        used = sum(it.custom and it.archived_at is None for it in properties.every.values())
        rows.append(
            {
                "objectTypeId": kind.type_id,
                "singularLabel": kind.singular.capitalize(),
                "pluralLabel": kind.label.capitalize(),
                "limit": room,
                "usage": used,
                "percentage": round(100 * used / room, 2) if room else 100,
            }
        )
    used = sum(int(str(it["usage"])) for it in rows)
    return {
        "byObjectType": rows,
        "overallLimit": room * len(rows),
        "overallUsage": used,
        "overallPercentage": 0,
    }


def _rules(call: Call) -> tuple[Pipeline, StageRules]:
    kind = call.kind()
    if kind not in call.portal.pipelines:
        raise not_found()
    pipeline = call.portal.pipelines[kind].get(call.args["pipeline"])
    return pipeline, call.portal.stage_rules.get(pipeline.id, StageRules())


def _stages(ids: tuple[str, ...]) -> Json:
    return {"enabledForAllStages": False, "pipelineStageIds": list(ids)}


HANDLERS: dict[str, Handler] = {
    "GET /automation/flows": list_flows,
    "POST /automation/flows/batch/read": read_flows,
    "GET /pipelines-rules/<type>/<pipeline>": pipeline_rules,
    "GET /pipelines-rules/<type>/<pipeline>/stage-edit-permissions": stage_permissions,
    "GET /limits/custom-properties": property_limits,
}
