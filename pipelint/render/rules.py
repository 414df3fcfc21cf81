"""The results of the `rules` commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pipelint.engine.bench import Usable
from pipelint.errors import Problem, ProblemsFound
from pipelint.render.documents import as_text
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
        return as_text({"schema": "pipelint.problems/1", "problems": found})
    if form == "github":
        return "\n".join(
            f"::{p.level} file={p.place.file},line={p.place.line},col={p.place.column}::{_escaped(p)}"
            for p in problems
        )
    parts = [render_error(ProblemsFound(list(problems)), color=color)] if problems else []
    if pack is not None:
        stages = f"{plural(len(pack.stages), 'stage')}, {plural(len(pack.pipelines), 'pipeline')}"
        parts.append(f"{pack.settings.name}: {_live(pack)}, {stages}; the pack is sound.")
    return "\n\n".join(parts)


def _live(pack: Pack) -> str:
    """How many rules are on, those apart that nobody wrote."""
    live = [rule for rule in pack.rules.values() if rule.status not in {"off", "retired"}]
    own = [rule for rule in live if not rule.built_in]
    return f"{plural(len(own), 'rule')} on and {len(live) - len(own)} built in (see 'rules list')"


def _escaped(problem: Problem) -> str:
    text = f"{problem.what} ({problem.hint})" if problem.hint else problem.what
    return text.replace("%", "%25").replace("\n", "%0A")


def render_fields(found: Sequence[Usable], form: str, *, color: bool) -> str:
    """What a rule may use."""
    if form == "json":
        return as_text({"schema": "pipelint.fields/1", "fields": [asdict(each) for each in found]})
    if not found:
        return "Nothing matches."
    groups: dict[str, list[Usable]] = {}
    for each in found:
        of = each.name.partition(".")[0] if each.kind == "related rows" else each.kind
        groups.setdefault(of, []).append(each)
    return "\n\n".join(_group(of, members, color) for of, members in groups.items())


def _group(of: str, members: Sequence[Usable], color: bool) -> str:
    """What there is of one kind of record, or of one kind of related rows."""
    said = [each.about + (f": {', '.join(each.values)}" if each.values else "") for each in members]
    if members[0].kind == "related rows":
        names = [each.name.removeprefix(f"{of}.") for each in members]
        rows = [(name, each.type, about) for name, each, about in zip(names, members, said, strict=True)]
        drawn = table(("name", "type", "what it is"), rows, color=color)
        return f"of {of}, which facts count (under 'where:')\n{drawn}"
    filled = [_share(each) for each in members]
    sources = [", ".join(dict.fromkeys(each.sources.values())) for each in members]
    names = [each.name for each in members]
    types = [each.type for each in members]
    rows_ = list(zip(names, types, filled, sources, said, strict=True))
    drawn = table(("name", "type", "filled", "from", "what it is"), rows_, color=color, right=(2,))
    return f"of {'an' if of[0] in 'aeiou' else 'a'} {of}\n{drawn}"


def _share(each: Usable) -> str:
    nowhere = set(each.sources.values()) <= {"not synced"}
    return "" if each.filled is None or nowhere else f"{each.filled:.0%}"


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
        return as_text({"schema": "pipelint.rules/1", "rules": found})
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
