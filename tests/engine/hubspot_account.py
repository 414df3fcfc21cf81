"""A small project on a HubSpot sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelint.sandbox.hubspot.auth import REFRESH_TOKEN

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris}
overrides: {duplicate-open-opportunities: {status: off}, thin-evidence: {status: off}}   # about other things
stages:
  - {name: open, kind: open, group: early}
  - {name: negotiation, kind: open, group: late}
pipelines:
  sales: {stages: {open: {from: {hubspot: appointmentscheduled}}, negotiation: {from: {hubspot: "186012377"}}}}
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

SETTINGS = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  acme:
    crm: hubspot
    base_url: {url}
    auth: {{{auth}}}
write_back: {{mode: "on", max_share: 100%}}
"""


SERVICE_KEY = 'token: "${file:token}"'
APP = (
    'client_id: "${file:client_id}", client_secret: "${file:client_secret}", '
    'refresh_token: "${file:refresh_token}"'
)


def project_in(folder: Path, base_url: str, token: str) -> None:
    """A project that signs in with the token beside it."""
    _project_in(folder, base_url, SERVICE_KEY, {"token": token})


def app_project_in(folder: Path, base_url: str) -> None:
    """A project that signs in as an app that the account has installed."""
    secrets = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    _project_in(folder, base_url, APP, {**secrets, "refresh_token": REFRESH_TOKEN})


def _project_in(folder: Path, base_url: str, auth: str, secrets: Mapping[str, str]) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    (folder / "pipelint.yaml").write_text(SETTINGS.format(url=base_url, auth=auth), encoding="utf-8")
    for name, secret in secrets.items():
        (folder / name).write_text(secret, encoding="utf-8")
