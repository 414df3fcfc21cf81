"""Writes a new project: connections, a pack that uses a shipped one, and stages to make one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from pipelint.errors import UsageError
from pipelint.rules.sections import shipped_pack

Crm: TypeAlias = Literal["salesforce", "hubspot", "pipedrive", "files"]
PackName: TypeAlias = Literal["default", "six", "bant", "meddpicc", "spiced"]
Language: TypeAlias = Literal["en", "fr"]

_CONNECTIONS: dict[Crm, str] = {
    "salesforce": """\
  sales:                                   # a name of your choice
    crm: salesforce
    base_url: https://acme.my.salesforce.com        # your My Domain address
    # An External Client App with the client credentials flow, scope api, and an integration user.
    auth: {flow: client_credentials, client_id: "${env:SF_CLIENT_ID}", client_secret: "${env:SF_CLIENT_SECRET}"}
""",
    "hubspot": """\
  sales:                                   # a name of your choice
    crm: hubspot
    # A service key: Settings > Integrations > Service keys; its scopes are listed in the guide.
    auth: {token: "${env:HUBSPOT_TOKEN}"}
""",
    "pipedrive": """\
  sales:                                   # a name of your choice
    crm: pipedrive
    base_url: https://acme.pipedrive.com   # your company's own address
    # The API token of a user of its own, with deals admin rights: Personal preferences > API.
    auth: {token: "${env:PIPEDRIVE_TOKEN}"}
    # 30000, times the plan's factor (Lite 1, Growth 2, Premium 5, Ultimate 7), times the seats.
    daily_tokens: 30000
    share: 50%                             # of them that may be used here
""",
    "files": """\
  sales:                                   # a name of your choice
    crm: files
    path: exports/                         # the folder with the CSV or JSON files
    streams:
      # For each kind of record: its file, and which of its columns hold our fields.
      opportunities:
        file: opportunities.csv
        zone: Europe/Paris                 # of dates with a time that name no zone
        columns: {id: id, name: name, amount: amount, stage: stage, close_date: close_date, owner: owner}
""",
}
_PROJECT = """\
# What pipelint reads, and what it may write. Secrets are references: ${{env:NAME}} or ${{file:path}}.
pipelint: 1

connections:
{connections}
rules: rules/                              # the rule files, to be kept in git
cache: .pipelint/cache.db

write_back:
  mode: preview                            # preview: plan and record, write nothing. on: write
  max_changes: 2000                        # a plan with more changed records is refused whole
  max_share: 40%                           # likewise, of the records that were written before
"""
_PACK = """\
# Which rules apply, and what this company changes about them.
pipelint: 1

pack:
  name: {name}
  time_zone: UTC                           # yours, e.g. Europe/Paris: it decides when a day begins
  languages: [{language}]
  blank_words: [tbd, n/a, "-", "."]        # such text counts as empty

uses: [{uses}]

# Change a shipped rule here: settings, severity, status or message. 'pipelint rules list' names them all.
#
# overrides:
#   close-date-past: {{severity: warning}}
#   no-activity: {{settings: {{late: 10 days}}}}

# Where your CRM keeps what every opportunity should say. Rules about a field without a place 'could not check';
# 'unmapped: blank' says that a CRM simply has no such field. 'pipelint stages import CONNECTION' proposes names.
#
# fields:
{fields}"""
_SIX = ("need", "decision_makers", "budget", "deadline", "risk")
_FIELDS: dict[PackName, tuple[str, ...]] = {
    "default": _SIX,
    "six": _SIX,
    "bant": ("budget", "decision_makers", "need", "deadline"),
    "meddpicc": (
        "metrics", "economic_buyer", "decision_criteria", "decision_process", "paper_process", "pain", "champion",
        "competition",
    ),
    "spiced": ("situation", "pain", "impact", "critical_event", "decision"),
}  # fmt: skip
"""The names that have no place in a CRM before the project says one."""
_BY_ROLE = {"decision_makers", "economic_buyer", "champion"}  # the roles of contacts answer as well
_SIX_REQUIRED = (
    (
        "        # What is needed and what happens next are known from here on, and there is a first estimate.\n",
        "",
    ),
    ("required: [need, next_step, amount, close_date]", "required: [next_step, amount, close_date]"),
    (
        "        # With need and next_step from above, all six mandatory fields are known when an offer goes out.\n",
        "",
    ),
    ("        required: [decision_makers, budget, deadline, risk]\n", ""),
)
"""What the stages ask for on behalf of the six; another framework has rules of its own for that."""


def init(
    folder: Path, crm: Crm = "salesforce", pack: PackName = "default", language: Language = "en"
) -> list[Path]:
    """Make a project in a folder and say which files were written.

    Raises:
        UsageError: one of the files is there already; nothing is written then.
    """
    name = folder.resolve().name or "pack"
    files = {
        folder / "pipelint.yaml": _PROJECT.format(connections=_CONNECTIONS[crm]),
        folder / "rules" / "pack.yaml": _PACK.format(
            name=name, language=language, uses=_uses(pack), fields=_fields(crm, pack)
        ),
        folder / "rules" / "stages.yaml": _stages(pack),
        folder / ".gitignore": ".pipelint/\n",
    }
    ignore = folder / ".gitignore"
    if ignore.exists():
        files.pop(ignore)
    there = [path for path in files if path.exists()]
    if there:
        raise UsageError(
            f"{there[0]} is there already", hint="choose an empty folder with -C, or move the file away"
        )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def _uses(pack: PackName) -> str:
    return "default@1" if pack == "default" else f"default@1, {pack}@1"


def _fields(crm: Crm, pack: PackName) -> str:
    """A commented line per name, with the place that it might have."""
    lines = []
    for name in _FIELDS[pack]:
        place = f"{name.title()}__c" if crm == "salesforce" else name
        blank = ", unmapped: blank" if name in _BY_ROLE else ""
        lines.append(f"#   {name}: {{from: {{{crm}: {place}}}{blank}}}\n")
    return "".join(lines)


def _stages(pack: PackName) -> str:
    template = shipped_pack("templates") / "six-stages.yaml"
    text = template.read_text(encoding="utf-8")
    for six, plain in _SIX_REQUIRED if pack not in {"default", "six"} else ():
        text = text.replace(six, plain)
    return text
