"""The results of `setup` and `doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pipelint.connectors.base import Diagnosis
from pipelint.engine.provision import PackageResult, SetupResult
from pipelint.render.documents import as_text
from pipelint.render.table import plural

_SIGNS = {"create": "+", "extend": "+", "grant": "+", "assign": "+", "ready": "=", "conflict": "!"}
_LEVELS = {"ok": ("ok", "32"), "warning": ("warning", "33"), "problem": ("problem", "1;31")}


def render_setup(results: Sequence[SetupResult], form: str) -> str:
    """The plan or what was done, and the clicks that are left."""
    if form == "json":
        found = {
            each.connection: {"steps": [asdict(step) for step in each.steps], "clicks": each.clicks}
            for each in results
        }
        return as_text({"schema": "pipelint.setup/1", "connections": found})
    if not results:
        return "No connection is written to, so there is nothing to set up."
    return "\n\n".join(_setup_text(result) for result in results)


def _setup_text(result: SetupResult) -> str:
    lines = [f"{result.connection}"]
    for step in result.steps:
        detail = f"  {step.detail}" if step.detail else ""
        done = "done" if result.applied and step.action not in {"ready", "conflict"} else step.action
        lines.append(f"  {_SIGNS[step.action]} {done:<8} {step.target}{detail}")
    if result.open:
        lines.append("Nothing was changed. To do it: pipelint setup --apply")
    elif result.clicks:
        lines.append("Left for an admin, so that managers see the fields:")
        lines += _numbered(result.clicks)
    return "\n".join(lines)


def render_package(results: Sequence[PackageResult], form: str) -> str:
    """The files that were written, and what an admin does with them."""
    if form == "json":
        found = {
            each.connection: {"folder": str(each.folder), "files": each.files, "clicks": each.clicks}
            for each in results
        }
        return as_text({"schema": "pipelint.package/1", "connections": found})
    return "\n\n".join(_package_text(result) for result in results)


def _package_text(result: PackageResult) -> str:
    if not result.files:
        return f"{result.connection}\nNo field of ours is wanted, so there is nothing to deploy."
    lines = [f"{result.connection}", f"Written to {result.folder}:", *(f"  {name}" for name in result.files)]
    return "\n".join([*lines, "Left for an admin:", *_numbered(result.clicks)])


def _numbered(clicks: Sequence[str]) -> list[str]:
    return [f"  {number}. {click}" for number, click in enumerate(clicks, 1)]


def render_doctor(found: Sequence[tuple[str, Diagnosis]], form: str, *, color: bool) -> str:
    """Each thing that was looked at, problems with their cure."""
    if form == "json":
        items = [{"connection": name, **asdict(diagnosis)} for name, diagnosis in found]
        return as_text({"schema": "pipelint.doctor/1", "diagnoses": items})
    lines = []
    for name, diagnosis in found:
        word, code = _LEVELS[diagnosis.level]
        shown = f"\x1b[{code}m{word:<8}\x1b[0m" if color else f"{word:<8}"
        lines.append(f"{shown} {name}: {diagnosis.what}")
        if diagnosis.cure:
            lines.append(f"         = {diagnosis.cure}")
    problems = sum(diagnosis.level == "problem" for _, diagnosis in found)
    if problems:
        lines.append(f"\n{plural(problems, 'problem')} to mend.")
    return "\n".join(lines).rstrip()
