"""How well nine lines of points tell leads that convert from those that do not, on rows kept aside.

    python benchmarks/lead_scoring/run.py

Pulls leads.csv through the files connector, scores it with the project beside this file, and compares the totals
with the outcome, which the project never reads. The folder of leads.csv is taken from XEDUCATION_LEADS, else from
../shared/data/xeducation-leads beside the repository.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelint.engine.check import check
from pipelint.engine.commands import pull_all
from pipelint.engine.project import open_project
from pipelint.engine.scores import Score

HERE = Path(__file__).resolve().parent
VARIABLE = "XEDUCATION_LEADS"
DATA = HERE.parents[2] / "shared" / "data"
ANSWERS = DATA / "reference-answers.json"
MISSING = f"there is no leads.csv: set {VARIABLE} to the folder that holds it (see README.md)"


@dataclass(frozen=True, slots=True)
class Scored:
    """A lead's score beside what became of it."""

    score: Score
    row: Mapping[str, str]

    @property
    def converted(self) -> bool:
        return self.row["Converted"] == "1"

    @property
    def held_out(self) -> bool:
        return is_held_out(self.score.id)


def is_held_out(lead: str) -> bool:
    """Half of the leads, by a digest of their id; the score was written without a look at them."""
    return hashlib.sha256(lead.encode()).digest()[0] % 2 == 1


def leads_folder() -> Path | None:
    """Where leads.csv is, if it is anywhere."""
    folder = Path(os.environ.get(VARIABLE) or DATA / "xeducation-leads").resolve()
    return folder if (folder / "leads.csv").is_file() else None


def auc(outcomes: Iterable[tuple[float, bool]]) -> float:
    """How often a lead that converted has more points than one that did not; a tie counts half."""
    counts = Counter(outcomes)
    won = {points: n for (points, converted), n in counts.items() if converted}
    lost = {points: n for (points, converted), n in counts.items() if not converted}
    above = sum(n * m * ((a > b) + (a == b) / 2) for a, n in won.items() for b, m in lost.items())
    return above / (sum(won.values()) * sum(lost.values()))


def scored_leads(folder: Path) -> list[Scored]:
    """Every lead as the connector reads and the engine scores it, in a copy of the project with a cache of its own."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "project"
        shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", ".pipelint"))
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(folder)
        try:
            project = open_project(copy)
            for pulled in pull_all(project):
                if pulled.error is not None:
                    raise pulled.error
            with project.cache() as cache:
                scores = check(cache, project, project.clock()).scores
        finally:
            os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})
    with (folder / "leads.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Prospect ID"]: row for row in csv.DictReader(file)}
    if {score.id for score in scores} != rows.keys() or len(scores) != len(rows):
        raise ValueError(f"{len(scores)} scores for {len(rows)} leads")
    return [Scored(score, rows[score.id]) for score in scores]


def score_auc(leads: Iterable[Scored], without: str = "") -> float:
    """The AUC of the totals, or of what they would be without a category."""
    return auc(
        (lead.score.total - float(lead.score.categories.get(without, 0)), lead.converted) for lead in leads
    )


def reference_points(row: Mapping[str, str]) -> int:
    """The points rule of the reference figures."""
    return (
        30 * (int(row["Total Time Spent on Website"]) >= 600)
        + 30 * (row["Lead Origin"] == "Lead Add Form")
        + 15 * (row["Lead Source"] == "Olark Chat")
        + 25 * (row["What is your current occupation"] == "Working Professional")
        + 15 * (row["Last Activity"] == "SMS Sent")
        - 15 * (row["Do Not Email"] == "Yes")
    )


def reference_auc(leads: Iterable[Scored]) -> float:
    return auc((reference_points(lead.row), lead.converted) for lead in leads)


def main() -> int:
    folder = leads_folder()
    if folder is None:
        print(f"skipped: {MISSING}")
        return 0
    leads = scored_leads(folder)
    looked_at = [lead for lead in leads if not lead.held_out]
    held_out = [lead for lead in leads if lead.held_out]
    parts = {"looked at": looked_at, "held out": held_out, "all": leads}

    print(f"{'AUC':32}" + "".join(f"{name:>12}" for name in parts))
    print(f"{'  leads':32}" + "".join(f"{len(part):12,}" for part in parts.values()))
    _line("this score", [score_auc(part) for part in parts.values()])
    for category in leads[0].score.categories:
        _line(f"  without {category}", [score_auc(part, category) for part in parts.values()])
    _line("the reference's points rule", [reference_auc(part) for part in parts.values()])
    if ANSWERS.is_file():
        _print_reference(json.loads(ANSWERS.read_text(encoding="utf-8"))["xeducation-leads"])

    print("\nHeld out, by grade")
    for grade in sorted({lead.score.grade or "" for lead in held_out}):
        _share(grade, [lead for lead in held_out if lead.score.grade == grade], len(held_out))
    print("\nHeld out, by total")
    for ten in sorted({lead.score.total // 10 for lead in held_out}, reverse=True):
        among = [lead for lead in held_out if lead.score.total // 10 == ten]
        _share(f"{ten * 10} to {ten * 10 + 9}", among, len(held_out))
    print("\nNot known, leads")
    for item, count in Counter(item for lead in leads for item in lead.score.not_known).most_common():
        print(f"  {item:14}{count:6,}")
    return 0


def _line(name: str, figures: Sequence[float]) -> None:
    print(f"  {name:30}" + "".join(f"{figure:12.4f}" for figure in figures))


def _print_reference(answers: Mapping[str, Any]) -> None:
    """As told by the reference: its points rule on all leads, its logistic regression on a split of its own."""
    logistic = answers["logistic_split_inside_this_file"]["without_columns_filled_after_contact"]
    print("  as the reference tells:")
    print(f"    points rule, all leads      {answers['points_rule_auc']['auc']:36.4f}")
    print(f"    logistic, its own {logistic['test_rows']:,} leads {logistic['auc']:35.4f}")


def _share(name: str, leads: Sequence[Scored], among: int) -> None:
    converted = sum(lead.converted for lead in leads)
    share, rate = len(leads) / among, converted / len(leads)
    print(f"  {name:>10}{len(leads):7,} leads ({share:3.0%})   converted {rate:4.0%}")


if __name__ == "__main__":
    sys.exit(main())
