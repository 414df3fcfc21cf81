"""Reads `stages:` and `pipelines:`: our ladder, each CRM's stages on it, and what each stage asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import Length
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.form import Form, entries, texts_of
from pipelint.rules.operands import OperandReader
from pipelint.rules.pack import SEVERITIES, NativeNames, Pipeline, PipelineStage, Stage
from pipelint.rules.read_settings import read_names
from pipelint.rules.scope import Scope
from pipelint.rules.sections import Entry

_Kind = Literal["open", "won", "lost"]
_Group = Literal["early", "mid", "late"]
_STAGE_KEYS = ("name", "kind", "group", "label")
_PIPELINE_KEYS = ("from", "stages", "ignore", "label")
_MEMBER_KEYS = ("from", "required", "to_enter", "to_leave", "max_age", "severity", "settings")


def read_stages(node: Node | None, problems: Problems) -> tuple[Stage, ...]:
    """The `stages:` list, in order."""
    if node is None:
        return ()
    if not isinstance(node, List):
        problems.error(
            node.place, f"{kind_of(node)} stands where the list of stages is expected", "start each with '- '"
        )
        return ()
    found: list[Stage] = []
    for item in node.items:
        form = Form(item, "a stage", _STAGE_KEYS, problems)
        name = form.required("name")
        kind = form.choice("kind", get_args(_Kind))
        group = form.choice("group", get_args(_Group))
        if form.lacks("kind"):
            problems.error(form.place, "'kind' is missing in a stage", "add kind: open, won or lost")
        if kind == "open" and form.lacks("group"):
            problems.error(form.place, "'group' is missing in an open stage", "add group: early, mid or late")
        if name is None or kind is None:
            continue
        if any(stage.name == name.value for stage in found):
            problems.error(name.place, f"the stage '{name.value}' is listed twice")
            continue
        found.append(Stage(name.value, len(found) + 1, kind, group if kind == "open" else None, name.place))
    return tuple(found)


def read_pipelines(
    section: Mapping[str, Entry],
    stages: Sequence[Stage],
    scope: Scope,
    systems: Sequence[str],
    problems: Problems,
) -> tuple[Pipeline, ...]:
    """Every pipeline; conditions of its stages are checked against the opportunity."""
    by_name = {stage.name: stage for stage in stages}
    found = []
    for name, entry in section.items():
        form = Form(entry.node, f"the pipeline {name}", _PIPELINE_KEYS, problems)
        members = tuple(
            _member(key, value, by_name, scope, systems, problems)
            for key, value in entries(form.node("stages"), "stages", problems)
            if _known(key, by_name, problems)
        )
        names = read_names(form.node("from"), systems, problems)
        ordered = tuple(sorted(members, key=lambda member: member.stage.number))
        ignore = form.yes("ignore") or False
        if not members and not ignore:
            problems.error(
                entry.key.place, f"the pipeline '{name}' has no stages", "list them under 'stages:'"
            )
        found.append(Pipeline(name, names, ordered, ignore, entry.key.place))
    _claimed_twice(found, problems)
    return tuple(found)


def _known(key: Text, by_name: Mapping[str, Stage], problems: Problems) -> bool:
    if key.value in by_name:
        return True
    hint = did_you_mean(key.value, by_name) or f"stages are: {', '.join(by_name)}"
    problems.error(key.place, f"there is no stage named '{key.value}'", hint)
    return False


def _member(
    key: Text,
    node: Node,
    by_name: Mapping[str, Stage],
    scope: Scope,
    systems: Sequence[str],
    problems: Problems,
) -> PipelineStage:
    empty = isinstance(node, Text) and node.is_empty
    form = Form(Map((), node.place) if empty else node, f"the stage {key.value}", _MEMBER_KEYS, problems)
    operands = OperandReader(scope, problems)
    required = []
    for text in texts_of(form.node("required"), "'required'", problems):
        field = scope.find(text.value)
        if field is None:
            operands.unknown_field(text)
        else:
            required.append(field)
    return PipelineStage(
        by_name[key.value],
        read_names(form.node("from"), systems, problems),
        tuple(required),
        _condition(form.node("to_enter"), scope, problems),
        _condition(form.node("to_leave"), scope, problems),
        _age(form.text("max_age"), problems),
        form.choice("severity", SEVERITIES),
        _settings(form.node("settings"), problems),
        key.place,
    )


def _condition(node: Node | None, scope: Scope, problems: Problems) -> Condition | None:
    return None if node is None else read_condition(node, scope, problems)


def _age(text: Text | None, problems: Problems) -> Length | None:
    if text is None:
        return None
    length = Length.parse(text.value)
    if length is None or length.is_clock:
        problems.error(
            text.place, f"'{text.value}' is not a length in days", "write 30 days or 10 business days"
        )
        return None
    return length


def _settings(node: Node | None, problems: Problems) -> dict[str, dict[str, Node]]:
    """`settings: {rule: {setting: value}}`; the rules check their names later."""
    return {
        rule.value: {key.value: value for key, value in entries(values, "settings", problems)}
        for rule, values in entries(node, "rules", problems)
    }


def _claimed_twice(pipelines: Sequence[Pipeline], problems: Problems) -> None:
    """A native pipeline, and a native stage inside one pipeline, belong to one place."""
    claims: dict[tuple[str, str], str] = {}
    for pipeline in pipelines:
        for system, native in _pairs(pipeline.names):
            before = claims.setdefault((system, native), pipeline.name)
            if before != pipeline.name:
                problems.error(
                    pipeline.place, f"'{native}' of {system} belongs to the pipeline '{before}' already"
                )
        stages: dict[tuple[str, str], str] = {}
        for member in pipeline.stages:
            for system, native in _pairs(member.names):
                before = stages.setdefault((system, native), member.stage.name)
                if before != member.stage.name:
                    what = f"the stage '{native}' of {system} is mapped to '{before}' already"
                    problems.error(member.place, what)


def _pairs(names: NativeNames) -> list[tuple[str, str]]:
    return [(system, native) for system, natives in names.items() for native in natives]
