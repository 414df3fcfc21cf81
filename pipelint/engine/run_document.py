"""The document that tells what a run came to, as it is recorded and printed."""

from __future__ import annotations

from pipelint.engine.drift import as_json as drift_json
from pipelint.engine.push import PushResult
from pipelint.engine.refusals import as_json as refusals_json
from pipelint.engine.run_result import ConnectionResult, RunResult
from pipelint.engine.runs import error_json


def summary(result: RunResult) -> dict[str, object]:
    """The document `pipelint.run/1` (architecture §5)."""
    return {
        "schema": "pipelint.run/1",
        "run": result.run,
        "mode": result.mode,
        "dry_run": result.dry_run,
        "exit_code": int(result.exit_code),
        "connections": {name: _told(each) for name, each in result.connections.items()},
    }


def _told(result: ConnectionResult) -> dict[str, object]:
    push_ = result.push or PushResult()
    plan = result.plan
    return {
        "pulled": result.pulled.stored if result.pulled else 0,
        "deleted": result.pulled.deleted if result.pulled else 0,
        "flagged": result.flagged,
        "planned": plan.differing if plan else 0,
        "carried_over": result.ration.carried if result.ration else 0,
        "written": push_.written,
        "unchanged": plan.unchanged + plan.deferred if plan else 0,
        "refused": refusals_json(result.refused),
        "gone": push_.skipped,
        "unknown": push_.unknown,
        "locked": push_.locked,
        "trouble": plan.trouble if plan else [],
        "drift": [drift_json(each) for each in result.drift],
        "held_by": result.held_by,
        "api_calls": result.api_calls,
        "seconds": round(result.seconds, 3),
        "error": error_json(result.stopped_by),
    }
