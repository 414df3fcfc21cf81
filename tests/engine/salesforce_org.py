"""A small project on a Salesforce sandbox."""

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
  sales: {stages: {open: {from: {salesforce: Prospecting}}, negotiation: {from: {salesforce: Negotiation/Review}}}}
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


def make_project(folder: Path, base_url: str, write_back: str = "{mode: on}", pack: str = PACK) -> None:
    """A project that signs in with SF_CLIENT_ID and SF_CLIENT_SECRET of the environment."""
    (folder / "rules").mkdir()
    (folder / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    (folder / "pipelint.yaml").write_text(
        f"""\
pipelint: 1
connections:
  acme:
    crm: salesforce
    base_url: {base_url}
    auth: {{flow: client_credentials, client_id: "${{env:SF_CLIENT_ID}}", client_secret: "${{env:SF_CLIENT_SECRET}}"}}
write_back: {write_back}
""",
        encoding="utf-8",
    )
