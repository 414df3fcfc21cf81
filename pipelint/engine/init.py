"""Writes a new project: connections, a pack that uses a shipped one, and stages to make one's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal, TypeAlias

from pipelint.errors import UsageError

Crm: TypeAlias = Literal["salesforce", "files"]
PackName: TypeAlias = Literal["default", "six"]
Language: TypeAlias = Literal["en", "fr"]

_CONNECTIONS: dict[Crm, str] = {
    "salesforce": """\
  sales:                                   # a name of your choice
    crm: salesforce
    base_url: https://acme.my.salesforce.com        # your My Domain address
    # An External Client App with the client credentials flow, scope api, and an integration user.
    auth: {flow: client_credentials, client_id: "${env:SF_CLIENT_ID}", client_secret: "${env:SF_CLIENT_SECRET}"}
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

schedule: 15m                              # for 'pipelint run --every'
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

# Where your CRM keeps the six things that every opportunity should say. Without a place they are
# reported as not synced. 'pipelint stages import' proposes names.
#
# fields:
#   need: {{from: {{salesforce: Need__c}}}}
"""
_USES: dict[PackName, str] = {"default": "default@1", "six": "default@1, six@1"}


def init(
    folder: Path, crm: Crm = "salesforce", pack: PackName = "default", language: Language = "en"
) -> list[Path]:
    """Make a project in a folder and say which files were written.

    Raises:
        UsageError: one of the files is there already; nothing is written then.
    """
    stages = (resources.files("pipelint.rules") / "packs" / "templates" / "six-stages.yaml").read_text(
        encoding="utf-8"
    )
    name = folder.resolve().name or "pack"
    files = {
        folder / "pipelint.yaml": _PROJECT.format(connections=_CONNECTIONS[crm]),
        folder / "rules" / "pack.yaml": _PACK.format(name=name, language=language, uses=_USES[pack]),
        folder / "rules" / "stages.yaml": stages,
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
