"""Everything about one rule: its texts, what changes it and where, its tests, how often it fires now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelint.config.nodes import Map, Node, Text
from pipelint.config.paths import shown
from pipelint.config.problems import Problems
from pipelint.engine.project import Project
from pipelint.engine.try_rule import Tried, the_rule, try_rule
from pipelint.errors import Place
from pipelint.rules.cases import Case
from pipelint.rules.load import load_tests
from pipelint.rules.pack import Rule
from pipelint.rules.sections import Sections, read_sections
from pipelint.rules.write_yaml import flow


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is in force, for whom, and where it was written."""

    name: str
    where: str
    """`everywhere`, or a stage group, stage or segment."""
    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class RulePage:
    """One rule with overrides and settings resolved."""

    rule: Rule
    applies_to: str
    condition: str
    values: tuple[Value, ...]
    """Severity, status and settings, the plain value first, the more specific below."""
    hidden_by: tuple[str, ...]
    tests: tuple[Case, ...]
    tried: Tried | None
    """None where nothing was pulled yet."""


def rule_page(project: Project, name: str) -> RulePage:
    """The page of a rule.

    Raises:
        UsageError: there is no such rule.
    """
    rule = the_rule(project, name)
    rules = project.file.rules
    names = tuple(project.file.connections)
    folder_shown = shown(rules, project.folder)
    sections = read_sections(rules, folder_shown, Problems())
    _, cases = load_tests(rules, folder_shown, Problems(), names)
    entry = sections.named["rules"].get(name)
    body = entry.node if entry is not None and isinstance(entry.node, Map) else Map((), rule.place)
    return RulePage(
        rule,
        _written(body.get("applies_to")),
        _condition(body),
        tuple(_values(rule, body, sections)),
        tuple(other.name for other in project.pack.rules.values() if name in _hidden(other)),
        tuple(case for case in cases if _names(case, name)),
        _tried(project, name),
    )


def _tried(project: Project, name: str) -> Tried | None:
    if not (project.folder / project.file.cache).exists():
        return None
    with project.cache() as cache:
        tried = try_rule(cache, project, name, project.clock())
    return tried if len(tried.not_pulled) < len(project.file.connections) else None


def _hidden(rule: Rule) -> set[str]:
    return {name.partition("/")[0] for name in rule.hides}


def _names(case: Case, rule: str) -> bool:
    return any(each.rule == rule for given in case.records for each in given.expected)


def _written(node: Node | None) -> str:
    return "" if node is None else flow(node)


def _condition(body: Map) -> str:
    """The bad case as it was written; the generated rules have none."""
    required = _written(body.get("require"))
    return _written(body.get("flag_when")) or (f"not {required}" if required else "")


def _values(rule: Rule, body: Map, sections: Sections) -> Iterator[Value]:
    """Severity, status and each setting, with every place that changes it."""
    changed = {key.value: node for key, node in sections.overrides if isinstance(node, Map)}
    override = changed.get(rule.name, Map((), rule.place))
    for key in ("severity", "status"):
        source = override if override.get(key) is not None else body
        node = source.get(key)
        yield Value(key, "everywhere", getattr(rule, key), node.place if node is not None else rule.place)
        if key == "severity":
            yield from _varied(key, body, override, sections, rule.name)
    settings = {**_entries(body.get("settings")), **_entries(override.get("settings"))}
    for name, value in settings.items():
        yield Value(name, "everywhere", flow(value), value.place)
        yield from _varied(name, body, override, sections, rule.name)
    for item, node in changed.items():
        if item.startswith(f"{rule.name}/"):
            for written, change in node.entries:
                yield Value(written.value, item.removeprefix(f"{rule.name}/"), _written(change), change.place)


def _varied(name: str, body: Map, override: Map, sections: Sections, rule: str) -> Iterator[Value]:
    """By stage group, stage and segment, in the order in which the more specific wins."""
    for group, change in _entries(body.get("per_stage_group")).items():
        yield from _change(name, f"stage group {group}", change)
    for pipeline, entry in sections.named["pipelines"].items():
        stages = _entries(entry.node.get("stages") if isinstance(entry.node, Map) else None)
        for stage, member in stages.items():
            settings = _entries(member.get("settings") if isinstance(member, Map) else None)
            if rule in settings:
                yield from _change(name, f"stage {pipeline}/{stage}", settings[rule])
    segments = {**_entries(body.get("per_segment")), **_entries(override.get("per_segment"))}
    for segment, change in segments.items():
        yield from _change(name, f"segment {segment}", change)


def _change(name: str, where: str, change: Node) -> Iterator[Value]:
    if isinstance(change, Text) and name == "severity":
        yield Value(name, where, change.value, change.place)
    elif isinstance(change, Map) and (value := change.get(name)) is not None:
        yield Value(name, where, _written(value), value.place)


def _entries(node: Node | None) -> Mapping[str, Node]:
    return {key.value: value for key, value in node.entries} if isinstance(node, Map) else {}
