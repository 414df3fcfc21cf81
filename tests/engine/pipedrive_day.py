"""A day of one Pipedrive company and one project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from pipelint.connectors.pipedrive import doctor
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import DEALS

from .day import Day

OURS = ("Pipelint flags", "Pipelint severity", "Pipelint summary", "Pipelint hygiene")

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris}
overrides: {duplicate-open-opportunities: {status: off}, thin-evidence: {status: off}}   # about other things
stages:
  - {name: open, kind: open, group: early}
  - {name: negotiation, kind: open, group: late}
  - {name: won, kind: won}
  - {name: lost, kind: lost}
pipelines:
  sales:
    from: {pipedrive: "1"}
    stages:
      open: {from: {pipedrive: ["1", "2"]}}
      negotiation: {from: {pipedrive: ["3"]}}
      won: {from: {pipedrive: won}}
      lost: {from: {pipedrive: lost}}
conditions:
  still-open: {stage_kind: open}
rules:
  amount-missing:
    title: The amount is missing
    applies_to: still-open
    flag_when: {amount: blank}
    severity: error
    message: No amount.
    fix: Enter one.
  close-date-past:
    title: The close date has passed
    applies_to: still-open
    flag_when: {close_date: {before: today}}
    severity: warning
    message: "{name}: {close_date:date} has passed."
    fix: Agree on a new one.
"""

SETTINGS = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  acme:
    crm: pipedrive
    base_url: {url}
    auth: {auth}
    daily_tokens: {tokens}
write_back: {{mode: "on", max_share: 100%}}
"""


TOKEN = '{token: "${file:token}"}'
APP = (
    '{client_id: "${file:client}", client_secret: "${file:secret}", refresh_token: "${file:refresh}",'
    " oauth_url: %s}"
)


def project_in(folder: Path, sandbox: PipedriveSandbox, *, app: bool = False) -> None:
    """A project that signs in with the token beside it, or as an app."""
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    auth = APP % sandbox.base_url if app else TOKEN
    settings = SETTINGS.format(url=sandbox.base_url, auth=auth, tokens=sandbox.limits.budget)
    (folder / "pipelint.yaml").write_text(settings, encoding="utf-8")
    secrets = {"token": sandbox.token(), "client": sandbox.client_id, "secret": sandbox.client_secret}
    scopes = [*doctor.READING, *doctor.WRITING]
    for name, secret in {**secrets, "refresh": sandbox.refresh_token(*scopes)}.items():
        (folder / name).write_text(secret, encoding="utf-8")


class PipedriveDay(Day[PipedriveSandbox]):
    """One company and one project, run again and again."""

    @property
    def deals(self) -> list[str]:
        return [str(deal["id"]) for deal in self.sandbox.company.store.select(DEALS)]

    def crm(self) -> Mapping[str, Mapping[str, object]]:
        company = self.sandbox.company
        fields = [company.fields.by_name("deals", name) for name in OURS]
        return {
            str(deal["id"]): {
                field["field_name"]: _shown(field, deal["custom_fields"].get(field["field_code"]))
                for field in fields
            }
            for deal in company.store.select(DEALS)
        }

    def redirect(self, step: tuple[str, str], place: str) -> None:
        """Send the first request of this kind elsewhere, without doing the work."""
        control: Any = self.sandbox._control
        work = control._work
        done: list[bool] = []

        def first(request: Request) -> Any:
            if request.method == step[0] and re.search(step[1], request.full_path) and not done:
                done.append(True)
                return Response(status=302, headers={"Location": place})
            return work(request)

        control._work = first

    def asked(self, method: str, path: str) -> int:
        """How many requests of a kind there were."""
        return sum(it.method == method and bool(re.search(path, it.path)) for it in self.sandbox.requests)


def count_writes(day: PipedriveDay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is really written, whether or not the answer arrives."""
    company = day.sandbox.company
    update = company.update

    def counted(name: str, record: object, values: Mapping[str, Any], *rest: Any, **options: Any) -> Any:
        changed = update(name, record, values, *rest, **options)
        if name == "deals" and "custom_fields" in values:
            day.writes[str(record)] += 1
        return changed

    monkeypatch.setattr(company, "update", counted)


def _shown(field: Mapping[str, Any], value: object) -> object:
    labels = {option["id"]: option["label"] for option in field["options"] or ()}
    return sorted(labels[one] for one in value) if isinstance(value, list) else labels.get(value, value)
