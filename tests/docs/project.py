"""A project that needs no CRM, put together from the manual's own page on files."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

from tests.docs.pages import ROOT, blocks_of

_OPPORTUNITIES = """\
opportunity_id,name,amount,deal_stage,close_date,created_at,sales_agent
006A000001LONG1AAA,Globex roll-out,42000,Proposal,2020-11-01,2020-01-07,kim
006A000001LONG2AAA,Initech renewal,,Proposal,2030-12-15,2020-02-03,kim
006A000001LONG3AAA,Umbrella pilot,9000,Won,2020-03-31,2020-01-20,lee
"""
SCORE = """\
pipelint: 1

scores:
  size:
    categories: {amount: {max: 10}}
    points:
      - {name: large, category: amount, points: 10, when: {amount: {at_least: 10000}}, because: "it is large"}
    grades: {A: 5, B: 0}
"""
_OWNERS = "sales_agent\nkim\nlee\n"


def connections(text: str) -> str:
    """A fragment with connections as a whole pipelint.yaml."""
    return f"pipelint: 1\nconnections:\n{indent(text, '  ')}"


def make_project(folder: Path) -> None:
    """Write the project: the connection and the stages of docs/files.md, and a few rows."""
    found = {
        block.kind: block.text for block in blocks_of(ROOT / "docs" / "files.md") if block.language == "yaml"
    }
    files = {
        "pipelint.yaml": connections(found["connections"]),
        "rules/pack.yaml": "pipelint: 1\nuses: [default@1, six@1]\n",
        "rules/stages.yaml": f"pipelint: 1\n{found['stages']}",
        "exports/pipeline.csv": _OPPORTUNITIES,
        "exports/team.csv": _OWNERS,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
