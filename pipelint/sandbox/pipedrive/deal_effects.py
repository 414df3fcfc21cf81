"""What else happens to a deal when its stage, pipeline, status or archive mark is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelint.sandbox.pipedrive.errors import PipedriveError
from pipelint.sandbox.pipedrive.schema import STAGES, Json
from pipelint.sandbox.pipedrive.store import Row

if TYPE_CHECKING:
    from pipelint.sandbox.pipedrive.company import Company

STATUSES = ("open", "won", "lost")
VISIBILITIES = (1, 3, 5, 7)
_ONLY_WHEN = {
    "lost_reason": ("lost",),
    "lost_time": ("lost",),
    "won_time": ("won",),
    "close_time": ("won", "lost"),
}


def problems(company: Company, changes: Row, before: Row | None) -> list[str]:
    """What the API refuses about a deal."""
    if before is not None and before["is_archived"] and changes.get("is_archived") is not False:
        raise PipedriveError(400, "Archived deals cannot be updated", "ERR_DEAL_ARCHIVED")
    found = []
    status = changes.get("status", "open" if before is None else before["status"])
    if status not in STATUSES:
        found.append(f"status: Expected one of {', '.join(STATUSES)}")
    for name, statuses in _ONLY_WHEN.items():
        if changes.get(name) is not None and status not in statuses:
            found.append(f"{name}: Can only be set when the status is {' or '.join(statuses)}")
    if changes.get("visible_to", 3) not in VISIBILITIES:
        found.append("visible_to: Expected one of 1, 3, 5, 7")
    found += [f"{it}: Required" for it in ("title", "status") if it in changes and not changes[it]]
    if changes.get("stage_id") and changes.get("pipeline_id"):
        stage = company.get(STAGES, changes["stage_id"])
        if stage["pipeline_id"] != changes["pipeline_id"]:
            found.append("stage_id: The stage is not part of the pipeline")
    probability = changes.get("probability")
    if probability is not None and not 0 <= probability <= 100:
        found.append("probability: Expected 0 to 100")
    return found


def begin(company: Company, row: Row) -> None:
    """Complete a new deal: a stage, a currency, the times of its status."""
    if row.get("stage_id"):
        row["pipeline_id"] = company.get(STAGES, row["stage_id"])["pipeline_id"]
    else:
        row["pipeline_id"] = row.get("pipeline_id") or _first_pipeline(company)
        row["stage_id"] = _first_stage(company, row["pipeline_id"])
    row.setdefault("currency", "EUR")
    row.setdefault("status", "open")
    row["value"] = row.get("value") or 0
    _close(row, row["status"], company.now())


def follow(company: Company, before: Row, changes: Row) -> None:
    """Add to the changes what follows from them."""
    now = company.now()
    if "pipeline_id" in changes and "stage_id" not in changes:
        if changes["pipeline_id"] != before["pipeline_id"]:
            changes["stage_id"] = _first_stage(company, changes["pipeline_id"])
    elif "stage_id" in changes:
        changes["pipeline_id"] = company.get(STAGES, changes["stage_id"])["pipeline_id"]
    if changes.get("stage_id", before["stage_id"]) != before["stage_id"]:
        changes["stage_change_time"] = now
    if changes.get("status", before["status"]) != before["status"]:
        _close(changes, changes["status"], now)
        if changes["status"] == "won" and before["first_won_time"] is None:
            changes["first_won_time"] = now
    if changes.get("is_archived", before["is_archived"]) != before["is_archived"]:
        changes["archive_time"] = now if changes["is_archived"] else None


def _close(row: Row, status: Json, now: str) -> None:
    times = {"open": (), "won": ("won_time", "close_time"), "lost": ("lost_time", "close_time")}[status]
    for name in ("won_time", "lost_time", "close_time"):
        row[name] = (row.get(name) or now) if name in times else None
    if status != "lost":
        row["lost_reason"] = None


def _first_pipeline(company: Company) -> int:
    [[found]] = company.store.rows(
        "SELECT id FROM pipelines WHERE NOT is_deleted ORDER BY order_nr, id LIMIT 1"
    )
    return int(found)


def _first_stage(company: Company, pipeline: int) -> int:
    [[found]] = company.store.rows(
        "SELECT id FROM stages WHERE pipeline_id = ? AND NOT is_deleted ORDER BY order_nr, id LIMIT 1",
        [pipeline],
    )
    return int(found)
