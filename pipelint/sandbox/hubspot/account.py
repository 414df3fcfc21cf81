"""The account around the records: pipelines, owners, details, and what was used of the day's calls."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pipelint.sandbox.hubspot.call import Call, Handler, page, whole
from pipelint.sandbox.hubspot.errors import HubSpotError, invalid_input, not_found
from pipelint.sandbox.hubspot.moments import iso
from pipelint.sandbox.hubspot.object_types import DEALS, LEADS, ObjectType
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Pipelines, Stage

OWNERS_PAGE = 500


def list_pipelines(call: Call) -> object:
    """All pipelines in order, with the stages in use."""
    return {
        "results": [it.as_json(order) for order, it in enumerate(_pipelines(call)) if it.archived_at is None]
    }


def get_pipeline(call: Call) -> object:
    """One pipeline."""
    return _pipelines(call).get(call.args["pipeline"]).as_json(0)


def list_stages(call: Call) -> object:
    """The stages of a pipeline that are in use, or those that were archived."""
    document = _pipelines(call).get(call.args["pipeline"]).as_json(0, archived=call.flag("archived"))
    return {"results": document["stages"]}


def get_stage(call: Call) -> object:
    """One stage."""
    stage = _pipelines(call).stage(call.args["pipeline"], call.args["stage"])
    if (stage.archived_at is not None) != call.flag("archived"):
        raise not_found()
    return stage.as_json(0)


def create_stage(call: Call) -> object:
    """A further stage, before the archived ones; its id is a number."""
    kind = _kind(call, "write")
    pipeline = call.portal.pipelines[kind].get(call.args["pipeline"])
    body = call.json()
    metadata = body.get("metadata")
    if not body.get("label") or not isinstance(metadata, dict):
        raise invalid_input("Some required fields were not set: [label, metadata]", "json")
    taken = [int(it.id) for each in call.portal.pipelines[kind] for it in each.stages if it.id.isdigit()]
    stage = Stage(
        str(max(taken, default=186_000_000) + 1),
        str(body["label"]),
        {str(name): str(value) for name, value in metadata.items()},
    )
    pipeline.stages.insert(
        min(whole(body.get("displayOrder", 0), "displayOrder"), len(pipeline.stages)), stage
    )
    call.portal.stage_added(kind, pipeline, stage)
    return stage.as_json(pipeline.stages.index(stage))


def update_stage(call: Call) -> object:
    """Another label or other metadata; the id stays."""
    kind = _kind(call, "write")
    stage = call.portal.pipelines[kind].stage(call.args["pipeline"], call.args["stage"])
    body = call.json()
    stage.label = str(body.get("label") or stage.label)
    if isinstance(metadata := body.get("metadata"), dict):
        stage.metadata |= {str(name): str(value) for name, value in metadata.items()}
    return stage.as_json(0)


def archive_stage(call: Call) -> object:
    """Put a stage away; refused while deals are in it."""
    kind = _kind(call, "write")
    stage = call.portal.pipelines[kind].stage(call.args["pipeline"], call.args["stage"])
    column = "hs_pipeline_stage" if kind is LEADS else "dealstage"
    used = call.portal.store.scalar(
        f"SELECT count(*) FROM {kind.name} WHERE {column} = ? AND NOT _archived", [stage.id]
    )
    if used:
        raise HubSpotError(
            400, f"The stage {stage.id} is in use by {used} records", category="STAGE_ID_IN_USE"
        )
    stage.archived_at = call.portal.now()
    return Response(status=204)


def list_owners(call: Call) -> object:
    """Who may own records; with `archived` who no longer may."""
    call.token.require("crm.objects.owners.read")
    limit = call.limit(100, OWNERS_PAGE)
    after, email = whole(call.request.args.get("after", "0"), "after"), call.request.args.get("email")
    found = [
        it
        for it in sorted(call.portal.owners, key=_id)
        if it.archived == call.flag("archived") and it.id > after and email in {None, it.email}
    ]
    return page(
        [it.as_json() for it in found[:limit]], str(found[limit - 1].id) if len(found) > limit else None
    )


def get_owner(call: Call) -> object:
    """One owner, by its own id or by that of its user."""
    call.token.require("crm.objects.owners.read")
    by_user = call.request.args.get("idProperty") == "userId"
    for it in call.portal.owners:
        number = it.user_id if by_user else it.id
        if str(number) == call.args["id"] and it.archived == call.flag("archived"):
            return it.as_json()
    raise not_found()


def details(call: Call) -> object:
    """The account itself."""
    offset = call.portal.clock.now().astimezone(call.portal.time_zone).utcoffset()
    minutes = int((offset.total_seconds() if offset else 0) // 60)
    return {
        "portalId": call.portal.id,
        "accountType": "STANDARD",
        "timeZone": call.portal.zone,
        "companyCurrency": call.portal.currency,
        "additionalCurrencies": list(call.portal.more_currencies),
        "utcOffset": f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}",
        "utcOffsetMilliseconds": minutes * 60_000,
        "uiDomain": "app-eu1.hubspot.com",
        "dataHostingLocation": "eu1",
    }


def daily_usage(call: Call) -> object:
    """What private apps and service keys used of the day's calls."""
    return {
        "results": [
            {
                "name": "private-apps-api-calls-daily",
                "usageLimit": call.per_day,
                "currentUsage": call.used_today,
                "collectedAt": iso(call.portal.now()),
                "fetchStatus": "SUCCESS",
                "resetsAt": call.resets_at,
            }
        ]
    }


def _kind(call: Call, may: str) -> ObjectType:
    kind = call.kind()
    if kind not in call.portal.pipelines:
        raise not_found()
    scopes = {"read": f"{kind.scope}.read", "write": "crm.schemas.deals.write"}
    call.token.require(scopes[may] if kind is DEALS else f"{kind.scope}.{may}")
    return kind


def _pipelines(call: Call) -> Pipelines:
    return call.portal.pipelines[_kind(call, "read")]


def _id(owner: Owner) -> int:
    return owner.id


HANDLERS: dict[str, Handler] = {
    "GET /pipelines/<type>": list_pipelines,
    "GET /pipelines/<type>/<pipeline>": get_pipeline,
    "GET /pipelines/<type>/<pipeline>/stages": list_stages,
    "POST /pipelines/<type>/<pipeline>/stages": create_stage,
    "GET /pipelines/<type>/<pipeline>/stages/<stage>": get_stage,
    "PATCH /pipelines/<type>/<pipeline>/stages/<stage>": update_stage,
    "DELETE /pipelines/<type>/<pipeline>/stages/<stage>": archive_stage,
    "GET /owners": list_owners,
    "GET /owners/<id>": get_owner,
    "GET /account-info/details": details,
    "GET /account-info/api-usage/daily/private-apps": daily_usage,
}
