"""What another version of the rules would change: the flags and scores that differ over the same cache."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias

from pipelint.config.paths import shown
from pipelint.config.problems import Problems
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import CheckResult, check
from pipelint.engine.finding import Finding
from pipelint.engine.project import Project
from pipelint.errors import UsageError
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack

Change: TypeAlias = Literal["gains", "loses", "severity", "score"]


@dataclass(frozen=True, slots=True)
class Flip:
    """A flag that appears, goes or changes its severity on one record, or a score that moves."""

    change: Change
    rule: str
    before: str
    after: str
    connection: str
    kind: str
    id: str
    name: str
    owner: str
    stage: str
    amount: int | None


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """All that two versions of the rules decide differently."""

    old: str
    new: str
    records: int
    flips: tuple[Flip, ...]
    not_pulled: tuple[str, ...]


def diff(cache: Cache, project: Project, old: str, new: str, as_of: datetime) -> RulesDiff:
    """Evaluate both versions, each a folder or a git revision of the project's rules folder.

    Raises:
        UsageError: one of them is neither a folder nor a revision.
        ProblemsFound: the files of one of them hold mistakes.
    """
    with _pack(project, old) as before, _pack(project, new) as after:
        results = [check(cache, replace(project, pack=pack), as_of) for pack in (before, after)]
        flips = [*_flags(results[0], results[1], after), *_scores(results[0], results[1])]
    order = {"gains": 0, "severity": 1, "loses": 2, "score": 3}
    flips.sort(key=lambda flip: (order[flip.change], -(flip.amount or 0), flip.rule, flip.id))
    return RulesDiff(old, new, sum(results[1].records.values()), tuple(flips), tuple(results[1].not_pulled))


@contextmanager
def _pack(project: Project, given: str) -> Iterator[Pack]:
    folder = Path(given)
    with tempfile.TemporaryDirectory() as made:
        if not folder.is_dir():
            folder = _revision(project.file.rules, given, Path(made))
        problems = Problems()
        name = (
            f"{given}:{project.file.rules.name}" if folder != Path(given) else shown(folder, project.folder)
        )
        pack = load_pack(folder, name, problems, tuple(project.file.connections), home=project.folder)
        problems.raise_if_any()
        if pack is None:
            raise UsageError(f"the rules of {given} could not be read")
        yield pack


def _revision(rules: Path, revision: str, made: Path) -> Path:
    """The rules folder as it was in a git revision, unpacked."""
    git = shutil.which("git")
    if git is None:
        raise UsageError(f"there is no folder '{given_as(revision)}', and git is not installed")
    command = [git, "-C", str(rules), "archive", "--format=tar", revision, "--", "."]
    answer = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell, fixed words
    if answer.returncode != 0:
        told = answer.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(
            f"'{given_as(revision)}' is neither a folder nor a git revision of the rules",
            hint=told[-1].removeprefix("fatal: ") if told else "",
        )
    with tarfile.open(fileobj=BytesIO(answer.stdout)) as archive:
        archive.extractall(made, filter="data")
    return made


def given_as(text: str) -> str:
    """What a person wrote, short enough for a message."""
    return text if len(text) <= 80 else f"{text[:79]}…"


def _flags(before: CheckResult, after: CheckResult, pack: Pack) -> Iterator[Flip]:
    """A rule under a new name goes on where the old one was."""
    names = {former: rule.name for rule in pack.rules.values() for former in rule.formerly}
    held, now = _flagged(before, names), _flagged(after, {})
    for key in held.keys() | now.keys():
        one, other = held.get(key), now.get(key)
        if one is None and other is not None:
            yield _flip("gains", other, "", other.severity)
        elif one is not None and other is None:
            yield _flip("loses", one, one.severity, "")
        elif one is not None and other is not None and one.severity != other.severity:
            yield _flip("severity", other, one.severity, other.severity)


def _flagged(result: CheckResult, names: Mapping[str, str]) -> dict[tuple[str, str, str, str], Finding]:
    return {
        (found.connection, found.kind, found.id, names.get(found.rule, found.rule)): found
        for found in result.findings
        if found.status == "flagged"
    }


def _flip(change: Change, found: Finding, before: str, after: str) -> Flip:
    return Flip(
        change,
        found.rule,
        before,
        after,
        found.connection,
        found.kind,
        found.id,
        found.name,
        found.owner,
        found.stage,
        found.amount,
    )


def _scores(before: CheckResult, after: CheckResult) -> Iterator[Flip]:
    about: dict[tuple[str, str, str], Finding] = {
        (f.connection, f.kind, f.id): f for f in (*before.findings, *after.findings)
    }
    held, now = _totals(before), _totals(after)
    for key in held.keys() | now.keys():
        if held.get(key) != now.get(key):
            connection, kind, record, score, name = key
            found = about.get((connection, kind, record))
            owner, stage = (found.owner, found.stage) if found else ("", "")
            amount = found.amount if found else None
            yield Flip(
                "score", score, held.get(key, ""), now.get(key, ""),
                connection, kind, record, name, owner, stage, amount,
            )  # fmt: skip


def _totals(result: CheckResult) -> dict[tuple[str, str, str, str, str], str]:
    return {
        (s.connection, s.kind, s.id, s.score, s.name): f"{s.total} {s.grade or ''}".strip()
        for s in result.scores
    }
