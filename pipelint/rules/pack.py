"""A pack as it was read and checked: what must be true, in the words of one company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from pipelint.errors import Place
from pipelint.rules.calendar import Calendar, Length
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.conditions import Condition
from pipelint.rules.currency import Currency
from pipelint.rules.facts import Fact
from pipelint.rules.fields import Field
from pipelint.rules.messages import Texts
from pipelint.rules.scores import Score
from pipelint.rules.waivers import Waiver

Severity: TypeAlias = Literal["error", "warning", "info"]
Status: TypeAlias = Literal["on", "report", "trial", "off", "retired"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
STATUSES: tuple[Status, ...] = ("on", "report", "trial", "off", "retired")

NativeNames: TypeAlias = Mapping[str, tuple[str, ...]]
"""By CRM or connection name: how the CRM calls it; the connection wins."""


def native_names(names: NativeNames, crm: str, connection: str) -> tuple[str, ...]:
    """How one connection calls a thing."""
    return names.get(connection, names.get(crm, ()))


@dataclass(frozen=True, slots=True)
class PackSettings:
    """The `pack:` section."""

    name: str = "pack"
    calendar: Calendar = field(default_factory=Calendar)
    languages: tuple[str, ...] = ("en",)
    blank_words: frozenset[str] = frozenset()
    activities_count: Literal["direct", "contacts", "account"] = "contacts"
    show_at_most: int = 5


@dataclass(frozen=True, slots=True)
class MappedField:
    """An entry of `fields:`: a name, its place in each CRM, and the CRM's words for its choices."""

    field: Field
    names: NativeNames
    unmapped_is_blank: bool
    choices: Mapping[str, NativeNames]
    choice_places: Mapping[str, Place]
    place: Place
    kind: RecordKind = "opportunity"


@dataclass(frozen=True, slots=True)
class Stage:
    """A canonical stage; `number` counts from 1."""

    name: str
    number: int
    kind: Literal["open", "won", "lost"]
    group: Literal["early", "mid", "late"] | None
    place: Place


@dataclass(frozen=True, slots=True)
class PipelineStage:
    """What one pipeline asks of one stage."""

    stage: Stage
    names: NativeNames
    required: tuple[Field, ...]
    to_enter: Condition | None
    to_leave: Condition | None
    max_age: Length | None
    severity: Severity | None
    settings: Mapping[str, Mapping[str, object]]
    place: Place


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A canonical pipeline; without `names` it takes what no other one names."""

    name: str
    names: NativeNames
    stages: tuple[PipelineStage, ...]
    ignore: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Branch:
    """What holds where the guard is definitely true; a condition of None means the rule is off there."""

    guard: Condition | None
    condition: Condition | None
    severity: Severity
    raise_to: tuple[tuple[Severity, Condition], ...] = ()
    """Higher severities and when they hold, the highest first."""


@dataclass(frozen=True, slots=True)
class Check:
    """The unit of evaluation: a rule, or one item of a rule that lists what is missing.

    Where no guard is definitely true the last branch, which has none, decides; a check without such a branch
    does not concern the record then.
    """

    item: str
    scope: Condition | None
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, resolved: overrides, settings and segments are already inside its checks."""

    name: str
    kind: RecordKind
    title: Texts
    severity: Severity
    status: Status
    message: Texts
    checks: tuple[Check, ...]
    place: Place
    origin: str
    fix: Texts | None = None
    why: Texts | None = None
    playbook: str = ""
    hides: tuple[str, ...] = ()
    grace: Length | None = None
    since: date | None = None
    formerly: tuple[str, ...] = ()
    owner: str = ""
    built_in: bool = False
    """Decided while records are prepared, not by a condition (rules.md §4.7)."""


@dataclass(frozen=True, slots=True)
class Words:
    """What each CRM calls our canonical words of one list (roles, activity types, forecast categories)."""

    names: Mapping[str, NativeNames]


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything the rule files say, used packs included."""

    settings: PackSettings
    fields: Mapping[str, MappedField]
    known: Mapping[RecordKind, Mapping[str, Field]]
    """Every name that a condition on this kind of record may use."""
    facts: Mapping[RecordKind, Mapping[str, Fact]]
    stages: tuple[Stage, ...]
    pipelines: tuple[Pipeline, ...]
    segments: tuple[tuple[str, Mapping[RecordKind, Condition]], ...]
    rules: Mapping[str, Rule]
    roles: Words
    activity_types: Words
    forecast_categories: Words
    crm_fields: Mapping[str, NativeNames]
    hash: str
    scores: Mapping[str, Score] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    """The rule that has taken the place of each name that is gone; '' where none has."""
    mandatory: tuple[str, ...] = ()
    """The fields whose texts `thin-evidence` looks at."""
    placeholders: frozenset[str] = frozenset()
    """The folded words that it takes for no answer."""
    currency: Currency | None = None
    """What amounts are counted in; None takes them as they are."""
    waivers: tuple[Waiver, ...] = ()

    def live_rules(self, kind: RecordKind) -> tuple[Rule, ...]:
        """The rules of a kind that are evaluated at all."""
        return tuple(r for r in self.rules.values() if r.kind == kind and r.status not in {"off", "retired"})

    def live_scores(self, kind: RecordKind) -> tuple[Score, ...]:
        """The scores of a kind that are worked out at all."""
        return tuple(s for s in self.scores.values() if s.kind == kind and s.status != "off")
