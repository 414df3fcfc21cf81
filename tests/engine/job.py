"""The whole job on one CRM: a project on its sandbox, and what the CRM shows in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from pipelint.connectors.base import WriteValue
from pipelint.engine.project import Project, open_project
from pipelint.engine.run import run
from pipelint.engine.run_result import ConnectionResult
from pipelint.sandbox.server import Sandbox

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SHOWN = ("flags", "severity", "summary", "hygiene")


_PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris}
overrides: {duplicate-open-opportunities: {status: off}, thin-evidence: {status: off}}   # about other things
stages:
  - {name: open, kind: open, group: early}
  - {name: negotiation, kind: open, group: late}
pipelines:
  sales: {stages: {open: {from: {CRM: OPEN}}, negotiation: {from: {CRM: NEGOTIATION}}}}
rules:
  amount-missing:
    {title: The amount is missing, flag_when: {amount: blank}, severity: error, message: No amount., fix: Enter one.}
  close-date-past:
    title: The close date has passed
    flag_when: {close_date: {before: today}}
    severity: warning
    message: "{name}: {close_date:date} has passed."
    fix: Agree on a new one.
"""


def pack(crm: str, open_: str, negotiation: str) -> str:
    """Two rules and two stages, by their names in the CRM."""
    return _PACK.replace("CRM", crm).replace("OPEN", open_).replace("NEGOTIATION", negotiation)


S = TypeVar("S", bound=Sandbox)


@dataclass
class Job(ABC, Generic[S]):
    """Six deals: one healthy, one late, four without an amount."""

    folder: Path
    sandbox: S
    deals: list[str]

    name: ClassVar[str]
    amount: ClassVar[str]
    """What the CRM calls these fields."""

    @property
    def project(self) -> Project:
        return open_project(self.folder, clock=self.sandbox.clock.now)

    def run(self) -> ConnectionResult:
        self.sandbox.clock.advance(timedelta(minutes=15))
        return run(self.project).connections["acme"]

    def shows(self, deal: int) -> dict[str, WriteValue]:
        """Our fields that are filled, read through the CRM's API."""
        project = self.project
        with project.connect(project.file.connections["acme"]) as connector:
            [(_, values)] = connector.read("opportunity", [self.deals[deal]], list(map(self.ours, SHOWN)))
        return {name: value for name in SHOWN if (value := values[self.ours(name)]) is not None}

    @abstractmethod
    def ours(self, name: str) -> str:
        """What the CRM calls a field of ours."""

    @abstractmethod
    def update(self, deal: int, **values: object) -> None:
        """A colleague changes fields, a minute later."""

    @abstractmethod
    def refuse(self, deal: int, message: str) -> None:
        """The CRM's own rules accept no write of this deal."""

    @abstractmethod
    def writes(self) -> int:
        """How many requests to write came so far."""
