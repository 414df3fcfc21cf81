"""The results of the `rules` commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from pipelint.engine.bench import Usable
from pipelint.errors import Problem, ProblemsFound
from pipelint.render.errors import render_error
from pipelint.render.table import plural, table
from pipelint.rules.pack import Pack, Rule


def render_problems(problems: Sequence[Problem], pack: Pack | None, form: str, *, color: bool) -> str:
    """Every problem of the files, as people, programs or GitHub read it."""
    if form == "json":
        found = [
            {
                "file": p.place.file,
                "line": p.place.line,
                "column": p.place.column,
                "level": p.level,
                "what": p.what,
                "hint": p.hint,
            }
            for p in problems
        ]
        return json.dumps({"schema": "pipelint.problems/1", "problems": found}, ensure_ascii=False, indent=2)
    if form == "github":
        return "\n".join(
            f"::{p.level} file={p.place.file},line={p.place.line},col={p.place.column}::{_escaped(p)}"
            for p in problems
        )
    parts = [render_error(ProblemsFound(list(problems)), color=color)] if problems else []
    if pack is not None:
        live = sum(rule.status not in {"off", "retired"} for rule in pack.rules.values())
        said = f"{pack.settings.name}: {plural(live, 'rule')} on, {plural(len(pack.stages), 'stage')}, "
        parts.append(said + f"{plural(len(pack.pipelines), 'pipeline')}; the pack is sound.")
    return "\n\n".join(parts)


def _escaped(problem: Problem) -> str:
    text = f"{problem.what} ({problem.hint})" if problem.hint else problem.what
    return text.replace("%", "%25").replace("\n", "%0A")


def render_fields(found: Sequence[Usable], form: str, *, color: bool) -> str:
    """What a rule may use."""
    if form == "json":
        return json.dumps(
            {"schema": "pipelint.fields/1", "fields": [asdict(each) for each in found]},
            ensure_ascii=False,
            indent=2,
        )
    if not found:
        return "Nothing matches."
    rows = [
        (
            each.name,
            each.kind,
            each.type,
            "" if each.filled is None else f"{each.filled:.0%}",
            ", ".join(dict.fromkeys(each.sources.values())),
            each.about + (f": {', '.join(each.values)}" if each.values else ""),
        )
        for each in found
    ]
    return table(("name", "of", "type", "filled", "from", "what it is"), rows, color=color, right=(3,))


def render_list(rules: Sequence[Rule], language: str, form: str, *, color: bool) -> str:
    """All rules with severity, status and origin."""
    if form == "json":
        found = [
            {
                "rule": r.name,
                "for": r.kind,
                "severity": r.severity,
                "status": r.status,
                "origin": r.origin or "this project",
                "title": r.title.say(language),
            }
            for r in rules
        ]
        return json.dumps({"schema": "pipelint.rules/1", "rules": found}, ensure_ascii=False, indent=2)
    rows = [
        (
            r.severity if r.status == "on" else "",
            r.name,
            r.status,
            r.origin or "this project",
            r.title.say(language),
        )
        for r in rules
    ]
    return table(("", "rule", "status", "from", "title"), rows, color=color, style=0)
