"""A small project on a HubSpot sandbox."""

from __future__ import annotations

from pathlib import Path

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
    auth: {{token: "${{file:token}}"}}
write_back: {{mode: "on", max_share: 100%}}
"""


def project_in(folder: Path, base_url: str, token: str) -> None:
    """A project that signs in with the token beside it."""
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    (folder / "pipelint.yaml").write_text(SETTINGS.format(url=base_url), encoding="utf-8")
    (folder / "token").write_text(token, encoding="utf-8")
