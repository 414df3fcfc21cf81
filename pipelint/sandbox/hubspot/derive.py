"""What HubSpot calculates when a record changes: stage times and amounts of deals, and smaller things."""

from __future__ import annotations

from pipelint.sandbox.hubspot.moments import DAY
from pipelint.sandbox.hubspot.object_types import DEALS, LEADS, LINE_ITEMS, TASKS, ObjectType
from pipelint.sandbox.hubspot.pipelines import Pipelines, Stage
from pipelint.sandbox.hubspot.values import Row, Value


def derive(kind: ObjectType, before: Row | None, after: Row, at: int, pipelines: Pipelines | None) -> None:
    """Bring the calculated values of a changed record up to date."""
    if kind is DEALS and pipelines is not None:
        if before is None or before["dealstage"] != after["dealstage"]:
            move(after, before, at)
        stage = pipelines.stage(str(after["pipeline"]), str(after["dealstage"]))
        after |= calculated(after, stage)
    elif kind is LINE_ITEMS:
        after["amount"] = _text(_number(after.get("price")) * _number(after.get("quantity") or "1"))
    elif kind is TASKS:
        done = after.get("hs_task_status") == "COMPLETED"
        after["hs_task_completion_date"] = (after.get("hs_task_completion_date") or at) if done else None


def defaults(kind: ObjectType, pipelines: Pipelines | None) -> Row:
    """What a new record has when nobody says otherwise: the first pipeline and its first stage."""
    if pipelines is None:
        return {}
    first = pipelines.all[0]
    names = ("hs_pipeline", "hs_pipeline_stage") if kind is LEADS else ("pipeline", "dealstage")
    return dict(zip(names, (first.id, first.stages[0].id), strict=True))


def move(after: Row, before: Row | None, at: int) -> None:
    """The times of the stage that was left and of the one that was entered."""
    if before is not None:
        old = str(before["dealstage"])
        entered = before.get(f"hs_v2_date_entered_{old}")
        spent = at - (entered if isinstance(entered, int) else at)
        total = spent + int(_number(before.get(f"hs_v2_cumulative_time_in_{old}")))
        after[f"hs_v2_date_exited_{old}"] = after[f"hs_date_exited_{old}"] = at
        after[f"hs_v2_latest_time_in_{old}"] = str(spent)
        after[f"hs_v2_cumulative_time_in_{old}"] = after[f"hs_time_in_{old}"] = str(total)
    new = str(after["dealstage"])
    after[f"hs_v2_date_entered_{new}"] = after[f"hs_date_entered_{new}"] = at
    after[f"hs_v2_date_exited_{new}"] = after[f"hs_date_exited_{new}"] = None
    after["hs_v2_date_entered_current_stage"] = after["hs_v2_time_in_current_stage"] = at


def calculated(deal: Row, stage: Stage) -> Row:
    """What follows from stage, amount and dates of a deal."""
    won = stage.closed and stage.probability == 1
    amount = deal.get("amount")
    closes, created = deal.get("closedate"), deal.get("createdate")
    chance = deal.get("hs_forecast_probability")
    return {
        "hs_is_closed": _bool(stage.closed),
        "hs_is_closed_won": _bool(won),
        "hs_is_closed_lost": _bool(stage.closed and not won),
        "hs_deal_stage_probability": _text(stage.probability),
        "hs_projected_amount": None if amount is None else _text(_number(amount) * stage.probability),
        "hs_forecast_amount": None
        if amount is None or chance is None
        else _text(_number(amount) * _number(chance)),
        "amount_in_home_currency": amount,
        "hs_closed_amount": (amount or "0") if won else "0",
        "days_to_close": str(max(0, (closes - created) // DAY))
        if isinstance(closes, int) and isinstance(created, int)
        else None,
    }


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _number(value: Value) -> float:
    return float(value or 0)


def _text(number: float) -> str:
    """Without a decimal point where there is nothing after it."""
    rounded = round(number, 6)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)
