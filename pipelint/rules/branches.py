"""A rule's branches: what it asks of each segment, stage and stage group, specific first (rules.md §4.8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.errors import Place
from pipelint.rules.catalogue import STAGE_GROUPS, RecordKind
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import All, Condition, Negated, Test, Word
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.form import Form, entries
from pipelint.rules.operators import operators_of
from pipelint.rules.pack import SEVERITIES, Branch, Pipeline, PipelineStage, Severity
from pipelint.rules.scope import Scope


@dataclass(frozen=True, slots=True)
class Variants:
    """What may change a rule: the segments of each kind, and the stages of the pipelines."""

    segments: Mapping[RecordKind, tuple[str, ...]]
    pipelines: tuple[Pipeline, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """What one segment or stage group changes."""

    off: bool = False
    severity: Severity | None = None
    settings: Mapping[str, Node] | None = None


def is_word(field: Field, word: str, place: Place, operator: str = "is") -> Test:
    """The test that a choice has one value."""
    rank = field.values.index(word) + 1 if word in field.values else 0
    return Test(field, operators_of(field.type)[operator], (Word(word, rank),), place)


def segment_field(segments: tuple[str, ...]) -> Field:
    """The field that holds a record's segment; blank where none fits."""
    return Field("segment", FieldType.ORDERED, "the segment it belongs to", Origin.FACT, "segment", segments)


class BranchReader:
    """Reads the branches of one rule."""

    def __init__(
        self,
        name: str,
        kind: RecordKind,
        form: Form,
        override: Form | None,
        severity: Severity,
        scope: Scope,
        variants: Variants,
        problems: Problems,
    ) -> None:
        self.name = name
        self.form = form
        self.severity: Severity = severity
        self.scope = scope
        self.variants = variants
        self.problems = problems
        self.settings = self._settings(form.node("settings"))
        self.overridden = self._settings(override.node("settings"), known=True) if override else {}
        self.settings |= self.overridden
        segments = variants.segments[kind]
        self.segment = segment_field(segments)
        self.per_segment = self._changes(form.node("per_segment"), segments, "segment")
        if override is not None:
            self.per_segment |= self._changes(override.node("per_segment"), segments, "segment")
        groups = form.node("per_stage_group")
        if groups is not None and "stage_group" not in scope.fields:
            what = f"'per_stage_group' needs stages, and a {kind} has none"
            problems.error(form.key_place("per_stage_group"), what, "leave it out")
            groups = None
        self.per_group = self._changes(groups, STAGE_GROUPS, "stage group")
        self.place = form.place

    def read(self) -> tuple[Branch, ...] | None:
        """The branches; None after a mistake was reported."""
        branches = []
        for guard, changes, settings in self._cases():
            if any(change.off for change in changes):
                branches.append(Branch(guard, None, self.severity))
                continue
            condition = self._condition(settings)
            if condition is None:
                return None
            severities = [change.severity for change in changes if change.severity]
            severity = severities[-1] if severities else self.severity
            branches.append(Branch(guard, condition, severity, self._raise_to(settings)))
        return tuple(branches)

    def _cases(self) -> Iterator[tuple[Condition | None, list[_Change], Mapping[str, Node]]]:
        """Every combination that differs, the most specific first, the plain rule last."""
        stages = [
            (pipeline, member)
            for pipeline in self.variants.pipelines
            for member in pipeline.stages
            if self.name in member.settings and "stage" in self.scope.fields
        ]
        for segment in (*self.per_segment, None):
            for stage in (*stages, None):
                groups = (*self.per_group, None) if stage is None else (self._group_of(stage[1]),)
                for group in groups:
                    yield self._case(segment, stage, group)

    def _group_of(self, member: PipelineStage) -> str | None:
        return member.stage.group if member.stage.group in self.per_group else None

    def _case(
        self, segment: str | None, stage: tuple[Pipeline, PipelineStage] | None, group: str | None
    ) -> tuple[Condition | None, list[_Change], Mapping[str, Node]]:
        guards: list[Condition] = []
        changes: list[_Change] = []
        settings = dict(self.settings)
        if group is not None:
            changes.append(self.per_group[group])
            # Whoever overrides a setting means it everywhere, also where the shipped rule varies it by group.
            settings |= {**(self.per_group[group].settings or {}), **self.overridden}
            if stage is None:
                guards.append(is_word(self.scope.fields["stage_group"], group, self.place))
        if stage is not None:
            pipeline, member = stage
            settings |= {
                key: value
                for key, value in member.settings[self.name].items()
                if isinstance(value, Text | Map | List)
            }
            guards.append(is_word(self.scope.fields["pipeline"], pipeline.name, self.place))
            guards.append(is_word(self.scope.fields["stage"], member.stage.name, self.place))
        if segment is not None:
            changes.append(self.per_segment[segment])
            settings |= self.per_segment[segment].settings or {}
            guards.append(is_word(self.segment, segment, self.place))
        if not guards:
            return None, changes, settings
        return (guards[0] if len(guards) == 1 else All(tuple(guards), self.place)), changes, settings

    def _condition(self, settings: Mapping[str, Node]) -> Condition | None:
        scope = self.scope.with_settings(settings)
        required = self.form.node("require")
        node = required or self.form.node("flag_when")
        condition = None if node is None else read_condition(node, scope, self.problems)
        return Negated(condition, condition.place) if condition is not None and required else condition

    def _raise_to(self, settings: Mapping[str, Node]) -> tuple[tuple[Severity, Condition], ...]:
        scope = self.scope.with_settings(settings)
        found: dict[str, Condition] = {}
        for key, value in entries(self.form.node("raise_to"), "severities", self.problems):
            if key.value not in SEVERITIES:
                hint = did_you_mean(key.value, SEVERITIES) or f"it is one of: {', '.join(SEVERITIES)}"
                self.problems.error(key.place, f"'{key.value}' is no severity", hint)
                continue
            condition = read_condition(value, scope, self.problems)
            if condition is not None:
                found[key.value] = condition
        return tuple((severity, found[severity]) for severity in SEVERITIES if severity in found)

    def _settings(self, node: Node | None, *, known: bool = False) -> dict[str, Node]:
        found = {}
        for key, value in entries(node, "settings", self.problems):
            if known and key.value not in self.settings:
                hint = (
                    did_you_mean(key.value, self.settings) or f"it has: {', '.join(self.settings) or 'none'}"
                )
                self.problems.error(key.place, f"{self.name} has no setting '{key.value}'", hint)
                continue
            found[key.value] = value
        return found

    def _changes(self, node: Node | None, words: tuple[str, ...], what: str) -> dict[str, _Change]:
        found: dict[str, _Change] = {}
        for key, value in entries(node, f"{what}s", self.problems):
            if key.value not in words:
                hint = did_you_mean(key.value, words) or f"known are: {', '.join(words) or 'none'}"
                self.problems.error(key.place, f"there is no {what} named '{key.value}'", hint)
            elif isinstance(value, Text) and value.value == "off":
                found[key.value] = _Change(off=True)
            elif isinstance(value, Map):
                found[key.value] = self._change(value)
            else:
                hint = "write 'off', or the settings and severity that differ"
                self.problems.error(value.place, f"{kind_of(value)} cannot change a rule", hint)
        return found

    def _change(self, node: Map) -> _Change:
        form = Form(node, f"a change of {self.name}", ("severity", *self.settings), self.problems)
        settings = {key.value: value for key, value in node.entries if key.value in self.settings}
        return _Change(False, form.choice("severity", SEVERITIES), settings)
