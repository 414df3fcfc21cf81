"""What a run came to, connection by connection."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from pipelint.engine.drift import Drift
from pipelint.engine.finding import Finding
from pipelint.engine.plan import Plan
from pipelint.engine.pull import PullResult
from pipelint.engine.push import PushResult
from pipelint.engine.rationed import Ration
from pipelint.engine.refusals import Refusal
from pipelint.errors import ExitCode, LimitExceeded, PipelintError
from pipelint.rules.pack import Severity

Mode: TypeAlias = Literal["preview", "on"]


@dataclass(slots=True)
class ConnectionResult:
    """What one connection came to; its error is its own."""

    connection: str
    crm: str
    off: bool = False
    """By `write_back: off`."""
    pulled: PullResult | None = None
    evaluated: int = 0
    drift: list[Drift] = field(default_factory=list)
    """What the pack names in the CRM and the last pull did not find any more."""
    flagged_by: Counter[Severity] = field(default_factory=Counter)
    """How many records are flagged, by the worst of their flags."""
    findings: list[Finding] = field(default_factory=list)
    """What the CRM refuses to take, as findings of their own."""
    plan: Plan | None = None
    """None where the connection is not written to at all."""
    limit: LimitExceeded | None = None
    """What refuses the plan, or would refuse it if it were written."""
    ration: Ration | None = None
    """What of the plan the CRM's daily allowance covers, where it has one for writing."""
    push: PushResult | None = None
    """None where nothing was to be written: a preview, a dry run, or an error before."""
    held_by: str | None = None
    """The undo after which nothing is written here until `push --resume`."""
    error: PipelintError | None = None
    api_calls: int = 0
    calls_left: int | None = None
    """Of the CRM's allowance, as far as it tells."""
    seconds: float = 0.0

    @property
    def stopped_by(self) -> PipelintError | None:
        """What ended its work early."""
        return self.error or (self.push.error if self.push else None)

    @property
    def flagged(self) -> int:
        """How many records have a flag, refusals of our own writes aside."""
        return self.flagged_by.total()

    @property
    def exit_code(self) -> ExitCode:
        codes = [self.stopped_by.exit_code if self.stopped_by else ExitCode.OK]
        if self.push and (self.push.incomplete or (self.plan and self.plan.trouble)):
            codes.append(ExitCode.INCOMPLETE)
        return max(codes)

    @property
    def refused(self) -> list[Refusal]:
        """What the CRM does not take, in this run or since an earlier one."""
        return self.push.refused if self.push else self.plan.refused if self.plan else []


@dataclass(slots=True)
class RunResult:
    """What a run, or a push, came to."""

    run: str
    started_at: datetime
    mode: Mode
    dry_run: bool
    connections: dict[str, ConnectionResult] = field(default_factory=dict)
    finished_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it is under way."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else 0.0

    @property
    def exit_code(self) -> ExitCode:
        """The highest that a connection reached."""
        return max((each.exit_code for each in self.connections.values()), default=ExitCode.OK)
