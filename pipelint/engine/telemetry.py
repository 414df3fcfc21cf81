"""The lines that a run leaves in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelint.engine.run_result import ConnectionResult, RunResult

_log = logging.getLogger(__name__)


def log_begun(result: RunResult) -> None:
    """A run has begun."""
    _log.info("run begun", extra={"run": result.run, "mode": result.mode, "dry_run": result.dry_run})


def log_connection(result: ConnectionResult) -> None:
    """What a connection came to."""
    _log.info(
        "connection done",
        extra={
            "connection": result.connection,
            "pulled": result.pulled.stored if result.pulled else 0,
            "flagged": result.flagged,
            "planned": result.plan.differing if result.plan else 0,
            "written": result.push.written if result.push else 0,
            "refused": len(result.refused),
            "deferred": result.plan.deferred if result.plan else 0,
            "api_calls": result.api_calls,
            "calls_left": result.calls_left,
            "seconds": round(result.seconds, 3),
            "why": result.stopped_by.message if result.stopped_by else "",
        },
    )


def log_ended(result: RunResult) -> None:
    """A run has ended."""
    _log.info(
        "run ended",
        extra={"run": result.run, "exit_code": int(result.exit_code), "seconds": result.seconds},
    )
