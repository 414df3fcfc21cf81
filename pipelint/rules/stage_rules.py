"""The rules that follow from `pipelines:`: one per kind of stage key, over all pipelines (rules.md §4.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pipelint.errors import Place
from pipelint.rules.branches import is_word
from pipelint.rules.catalogue import PRICE_MARKER
from pipelint.rules.conditions import All, AnyOf, Condition, Negated, Span, Test, Truth, tests_in
from pipelint.rules.facts import Fact, OpenCriteria
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.operators import operators_of
from pipelint.rules.pack import SEVERITIES, Branch, Check, Pipeline, PipelineStage, Severity

_Made = tuple[str, Condition, Condition, Severity]  # item, guard, what is wrong, severity


def generated_checks(
    pipelines: Sequence[Pipeline], known: Mapping[str, Field]
) -> dict[str, tuple[Check, ...]]:
    """The checks of every generated rule, by rule name; a rule without any has an empty tuple."""
    maker = _StageRules(known)
    makers: dict[str, tuple[Callable[[Pipeline, PipelineStage], Iterator[_Made]], Severity]] = {
        "stage-required": (maker.required, "warning"),
        "stage-entry-unmet": (maker.entry, "error"),
        "stage-exit-skipped": (maker.skipped, "warning"),
        "stage-exit-open": (maker.open, "info"),
        "stage-age-limit": (maker.age, "warning"),
    }
    members = [
        (pipeline, member) for pipeline in pipelines if not pipeline.ignore for member in pipeline.stages
    ]
    checks = {
        name: _merged([made for pipeline, member in members for made in make(pipeline, member)])
        for name, (make, _) in makers.items()
    }
    checks["unknown-value"] = tuple(_unknown_values(known))
    checks["currency-unknown"] = tuple(_unknown_currency(known))
    return checks


class _StageRules:
    def __init__(self, known: Mapping[str, Field]) -> None:
        self.known = known

    def in_pipeline(self, pipeline: Pipeline, member: PipelineStage, *, later: str) -> Condition:
        """This pipeline, and this stage (`is`), from it on (`from`) or only after it (`after`), while it is open."""
        place = member.place
        tests: list[Condition] = [is_word(self.known["pipeline"], pipeline.name, place)]
        stage = self.known["stage"]
        if later == "is" or member.stage.kind != "open":
            tests.append(is_word(stage, member.stage.name, place))
        else:
            tests.append(is_word(stage, member.stage.name, place, "at_or_after"))
            tests.append(is_word(self.known["stage_kind"], "open", place))
            if later == "after":
                tests.append(is_word(stage, member.stage.name, place, "is_not"))
        return All(tuple(tests), place)

    def required(self, pipeline: Pipeline, member: PipelineStage) -> Iterator[_Made]:
        guard = self.in_pipeline(pipeline, member, later="from")
        for field in member.required:
            yield field.name, guard, Test(field, "blank", (), member.place), member.severity or "warning"

    def entry(self, pipeline: Pipeline, member: PipelineStage) -> Iterator[_Made]:
        if member.to_enter is not None:
            guard = self.in_pipeline(pipeline, member, later="from")
            unmet = Negated(member.to_enter, member.place)
            yield member.stage.name, guard, unmet, member.severity or "error"

    def skipped(self, pipeline: Pipeline, member: PipelineStage) -> Iterator[_Made]:
        if member.to_leave is not None:
            guard = self.in_pipeline(pipeline, member, later="after")
            yield (
                member.stage.name,
                guard,
                Negated(member.to_leave, member.place),
                member.severity or "warning",
            )

    def open(self, pipeline: Pipeline, member: PipelineStage) -> Iterator[_Made]:
        if member.to_leave is None:
            return
        guard = self.in_pipeline(pipeline, member, later="is")
        parts: dict[str, list[Condition]] = {}
        for part in members_of(member.to_leave):
            parts.setdefault(next(tests_in(part)).field.name, []).append(part)
        for item, wanted in parts.items():
            yield item, guard, Negated(All(tuple(wanted), member.place), member.place), "info"

    def age(self, pipeline: Pipeline, member: PipelineStage) -> Iterator[_Made]:
        if member.max_age is not None:
            entered = self.known["stage_entered_at"]
            older = operators_of(entered.type)["older_than"]
            too_long = Test(entered, older, (Span(member.max_age),), member.place)
            guard = self.in_pipeline(pipeline, member, later="is")
            yield "", guard, too_long, member.severity or "warning"


def open_criteria(pipelines: Sequence[Pipeline], known: Mapping[str, Field]) -> Fact:
    """The built-in fact that counts what this stage still asks for before it is left."""
    maker = _StageRules(known)
    stages = tuple(
        (maker.in_pipeline(pipeline, member, later="is"), members_of(member.to_leave))
        for pipeline in pipelines
        for member in pipeline.stages
        if member.to_leave is not None
    )
    name, about = "open_exit_criteria", "how many exit criteria of this stage do not hold yet"
    field = Field(name, FieldType.NUMBER, about, Origin.FACT, name)
    return Fact(name, "opportunity", field, OpenCriteria(stages), Place("builtin@1/facts.yaml"))


def members_of(condition: Condition) -> tuple[Condition, ...]:
    """The parts that must all hold."""
    return condition.items if isinstance(condition, All) else (condition,)


def _merged(made: Sequence[_Made]) -> tuple[Check, ...]:
    """One check per item; its scope is that any of its guards holds."""
    checks = []
    for item in dict.fromkeys(each[0] for each in made):
        # Where several stages ask for the same, the worst severity counts.
        mine = sorted((each for each in made if each[0] == item), key=lambda each: SEVERITIES.index(each[3]))
        guards = tuple(guard for _, guard, _, _ in mine)
        scope = guards[0] if len(guards) == 1 else AnyOf(guards, _place(guards[0]))
        branches = tuple(Branch(guard, wrong, severity) for _, guard, wrong, severity in mine)
        checks.append(Check(item, scope, branches))
    return tuple(checks)


def _place(condition: Condition) -> Place:
    return condition.place


def _unknown_values(known: Mapping[str, Field]) -> Iterator[Check]:
    """One item per field that can hold a word which nobody mapped."""
    items = {f.marker: f.name for f in known.values() if f.marker and f.origin is not Origin.SCORE}
    items.pop(PRICE_MARKER, None)
    for marker, name in items.items():
        item = "stage" if marker == "stage__missing" else name
        missing = Field(marker, FieldType.YES_NO, "is not known to the rules", Origin.MARKER, item)
        place = Place("builtin@1/rules.yaml")
        test = Test(missing, operators_of(FieldType.YES_NO)["is"], (Truth(value=True),), place)
        yield Check(item, None, (Branch(None, test, "error"),))


def _unknown_currency(known: Mapping[str, Field]) -> Iterator[Check]:
    """Where amounts are converted: that this record's currency has no rate."""
    if known["amount"].marker:
        missing = Field(PRICE_MARKER, FieldType.YES_NO, "has no exchange rate", Origin.MARKER, "currency")
        place = Place("builtin@1/rules.yaml")
        test = Test(missing, operators_of(FieldType.YES_NO)["is"], (Truth(value=True),), place)
        yield Check("", None, (Branch(None, test, "error"),))
