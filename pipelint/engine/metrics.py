"""What the last run came to, for Prometheus: a file in its text format, as node_exporter collects such files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pipelint.errors import ExitCode
from pipelint.rules.pack import Severity

if TYPE_CHECKING:
    from pipelint.engine.run_result import ConnectionResult, RunResult

_log = logging.getLogger(__name__)

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


Samples: TypeAlias = Mapping[str, float]
"""By what is added to the labels; an empty key for a single sample."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge of the last run. Those of a connection have its name and CRM as labels."""

    name: str
    help: str
    value: Callable[[ConnectionResult], float | Samples | None]
    """None where it is not known."""
    label: str = ""
    """Of several samples."""


METRICS = (
    Metric(
        "up",
        "Whether the connection did its whole job: 1, or 0 where something ended it early.",
        lambda c: not _failed(c),
    ),
    Metric("duration_seconds", "How long the connection took.", lambda c: c.seconds),
    Metric("pulled_records", "Records that were new or changed in the CRM.", lambda c: _pulled(c)),
    Metric(
        "deleted_records",
        "Records that were deleted in the CRM.",
        lambda c: c.pulled.deleted if c.pulled else 0,
    ),
    Metric("checked_records", "Records that the rules were applied to.", lambda c: c.evaluated),
    Metric(
        "flagged_records",
        "Records with a flag, by the worst of their flags.",
        lambda c: _flagged(c),
        "severity",
    ),
    Metric(
        "planned_records",
        "Records whose values in the CRM should change.",
        lambda c: c.plan.differing if c.plan else 0,
    ),
    Metric("written_records", "Records that were written.", lambda c: _written(c)),
    Metric(
        "deferred_records",
        "Records of which time alone moved a text: written at the next cause.",
        lambda c: _deferred(c),
    ),
    Metric(
        "refused_records",
        "Records that the CRM refuses, now or since an earlier run.",
        lambda c: len(c.refused),
    ),
    Metric(
        "locked_records",
        "Records that somebody else was writing to: the next run tries again.",
        lambda c: c.push.locked if c.push else 0,
    ),
    Metric(
        "unknown_records",
        "Records whose outcome the next run finds out.",
        lambda c: c.push.unknown if c.push else 0,
    ),
    Metric(
        "held",
        "1 where an undo holds the connection: nothing is written before push --resume.",
        lambda c: c.held_by is not None,
    ),
    Metric(
        "schema_drift",
        "Names in the rule files that the CRM does not offer any more, and that rules need.",
        lambda c: sum(each.problem.level == "error" for each in c.drift),
    ),
    Metric("api_calls", "Calls to the CRM, retries included.", lambda c: c.api_calls),
    Metric(
        "api_calls_left",
        "What is left of the CRM's allowance of calls; missing where it tells none.",
        lambda c: c.calls_left,
    ),
)
"""Of each connection."""


@dataclass(frozen=True, slots=True)
class RunMetric:
    """A gauge of the last run as a whole."""

    name: str
    help: str
    value: Callable[[RunResult], float]


RUN_METRICS = (
    RunMetric(
        "last_run_timestamp_seconds",
        "When the last run ended, in seconds since 1970.",
        lambda r: r.finished_at.timestamp() if r.finished_at else 0,
    ),
    RunMetric("last_run_duration_seconds", "How long it took.", lambda r: r.seconds),
    RunMetric("last_run_exit_code", "Its exit code.", lambda r: r.exit_code),
    RunMetric("last_run_write_mode", "1 with mode: on, 0 with mode: preview.", lambda r: r.mode == "on"),
)


def publish(result: RunResult, file: Path) -> None:
    """Replace the metrics file as a whole, so that nobody reads half of one; a failure does not fail the run."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text("\n".join(_lines(result)) + "\n", encoding="utf-8")
        beside.chmod(0o644)  # read by the collector, which is another user
        beside.replace(file)
    except OSError as error:
        why = error.strerror or str(error)
        _log.warning(
            "the metrics cannot be written to %s: %s",
            file,
            why,
            extra={"event": "metrics not written", "file": str(file), "why": why},
        )


def _lines(result: RunResult) -> Iterator[str]:
    for whole in RUN_METRICS:
        yield from _head(whole.name, whole.help)
        yield f"pipelint_{whole.name} {_number(whole.value(result))}"
    for metric in METRICS:
        yield from _head(metric.name, metric.help)
        for name, each in result.connections.items():
            value = metric.value(each)
            samples = value if isinstance(value, Mapping) else {} if value is None else {"": value}
            for of, number in samples.items():
                more = f',{metric.label}="{of}"' if metric.label else ""
                labels = f'connection="{name}",crm="{each.crm}"{more}'
                yield f"pipelint_{metric.name}{{{labels}}} {_number(number)}"


def _head(name: str, about: str) -> Iterator[str]:
    yield f"# HELP pipelint_{name} {about}"
    yield f"# TYPE pipelint_{name} gauge"


def _number(value: float) -> str:
    return repr(round(float(value), 3)).removesuffix(".0")


def _failed(result: ConnectionResult) -> bool:
    return result.stopped_by is not None and result.stopped_by.exit_code is not ExitCode.OK


def _pulled(result: ConnectionResult) -> int:
    return result.pulled.stored if result.pulled else 0


def _written(result: ConnectionResult) -> int:
    return result.push.written if result.push else 0


def _deferred(result: ConnectionResult) -> int:
    return result.plan.deferred if result.plan else 0


def _flagged(result: ConnectionResult) -> Samples:
    return {severity: result.flagged_by[severity] for severity in SEVERITIES}
