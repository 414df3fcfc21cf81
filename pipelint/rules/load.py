"""Loads a pack: the project's rule files, the shipped packs they use, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from pipelint.config.nodes import List, Map, Node, Problems, Text
from pipelint.rules.branches import Variants
from pipelint.rules.calendar import Calendar
from pipelint.rules.cases import Case
from pipelint.rules.catalogue import ACTIVITY_TYPES, FORECAST_CATEGORIES, ROLES, RecordKind
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.facts import Fact
from pipelint.rules.fields import Field
from pipelint.rules.own_fields import OWN_FIELDS
from pipelint.rules.pack import Pack, Pipeline, Stage, Words
from pipelint.rules.read_currency import read_currency
from pipelint.rules.read_facts import FactReader
from pipelint.rules.read_fields import in_one_currency, read_fields, with_mapping
from pipelint.rules.read_rules import RuleContext, read_overrides, read_rules
from pipelint.rules.read_scores import ScoreContext, read_scores
from pipelint.rules.read_settings import read_crm_fields, read_settings, read_words
from pipelint.rules.read_snooze import SNOOZE, read_snooze
from pipelint.rules.read_stages import read_pipelines, read_stages
from pipelint.rules.read_tests import read_tests
from pipelint.rules.read_waivers import WaiverContext, read_waivers
from pipelint.rules.renames import read_renames
from pipelint.rules.scope import Scope
from pipelint.rules.scores import Score, own_keys
from pipelint.rules.sections import Sections, read_sections
from pipelint.rules.stage_rules import generated_checks, open_criteria
from pipelint.rules.thin_evidence import mandatory, placeholders, thin_checks

KINDS: tuple[RecordKind, ...] = ("opportunity", "lead")
CRMS = ("salesforce", "hubspot", "pipedrive", "files")


def load_pack(
    folder: Path,
    shown: str,
    problems: Problems,
    connections: Sequence[str] = (),
    *,
    today: date | None = None,
    home: Path | None = None,
) -> Pack | None:
    """The pack of a folder; None where a mistake makes it unusable. All files are checked either way.

    `shown` is how messages call the folder; `connections` are the names that may stand in `from:` beside the
    CRMs; `today` is the day from which the ends of waivers are seen, the machine's own if it is not given;
    paths in the files begin at `home`, the project's folder, else at the one above the pack's.
    """
    return _load(read_sections(folder, shown, problems), connections, problems, home or folder.parent, today)


def load_tests(
    folder: Path,
    shown: str,
    problems: Problems,
    connections: Sequence[str] | None = (),
    *,
    home: Path | None = None,
) -> tuple[Pack | None, tuple[Case, ...]]:
    """The pack of a folder with its tests, which are read once the pack is sound: they name what is in it.

    Where `connections` is None, nobody knows their names, and `from:` may hold any.
    """
    sections = read_sections(folder, shown, problems)
    pack = _load(sections, connections, problems, home or folder.parent)
    return pack, () if pack is None else read_tests(sections.tests, pack, problems)


def _load(
    sections: Sections,
    connections: Sequence[str] | None,
    problems: Problems,
    home: Path,
    today: date | None = None,
) -> Pack | None:
    day = today or datetime.now(UTC).date()
    systems = () if connections is None else (*CRMS, *connections)
    pack = _Loader(sections, systems, day, home, problems).load()
    return None if problems.errors else pack


class _Loader:
    """Reads the sections in the order in which one may name what stands in another."""

    def __init__(
        self, sections: Sections, systems: Sequence[str], today: date, home: Path, problems: Problems
    ) -> None:
        self.today = today
        self.home = home
        self.named = sections.named
        self.sections = sections
        self.systems = systems
        self.problems = problems
        self.readers: dict[RecordKind, FactReader] = {}
        self.facts: dict[RecordKind, Mapping[str, Fact]] = {}
        self.scopes: dict[RecordKind, Scope] = {}
        """What a condition may name, so far."""

    def load(self) -> Pack:
        named, problems = self.named, self.problems
        settings = read_settings(self.single("pack"), problems)
        currency = read_currency(self.single("currency"), self.home, problems)
        stages = read_stages(self.single("stages"), problems)
        mapped = read_fields(named["fields"], self.sections.declared, self.systems, problems)
        mapped |= read_snooze(named["crm_fields"], mapped, self.systems, problems)
        for kind in KINDS:
            fields = _with_stages(with_mapping(kind, mapped), stages)
            if currency is not None and kind == "opportunity":
                fields = in_one_currency(fields)
            self.open_scope(kind, fields, stages, settings.calendar)
        pipelines = self.read_pipelines(stages)
        segments = self.segments()
        scores = self.read_scores(settings.languages)
        known = {kind: scope.fields for kind, scope in self.scopes.items()}
        expected = mandatory(pipelines, known["opportunity"], self.sections.declared)
        generated = generated_checks(pipelines, known["opportunity"])
        generated["thin-evidence"] = tuple(thin_checks(expected, known["opportunity"]))
        renames = read_renames(named["rules"], problems)
        overrides = [each for each in self.sections.overrides if each[0].value not in named["scores"]]
        by_kind = {kind: tuple(name for name, by in segments if kind in by) for kind in KINDS}
        context = RuleContext(
            self.scopes,
            Variants(by_kind, pipelines),
            settings.languages,
            read_overrides(overrides, tuple(named["rules"]), renames, problems),
            generated,
            renames,
        )
        rules = read_rules(named["rules"], context, problems)
        self.unused_conditions()
        waived = WaiverContext(rules, named["rules"], generated, self.scopes, self.today)
        own = (*OWN_FIELDS, *own_keys(scores), *SNOOZE)
        return Pack(
            settings=settings,
            fields=mapped,
            known=known,
            facts=self.facts,
            stages=stages,
            pipelines=pipelines,
            segments=tuple(segments),
            rules=rules,
            roles=self.words("roles", ROLES),
            activity_types=self.words("activity_types", ACTIVITY_TYPES),
            forecast_categories=self.words("forecast_categories", FORECAST_CATEGORIES),
            crm_fields=read_crm_fields(named["crm_fields"], own, self.systems, problems),
            hash=self.sections.digest,
            scores=scores,
            renames=renames,
            mandatory=expected,
            placeholders=placeholders(self.settings_of("thin-evidence"), problems),
            currency=currency,
            waivers=read_waivers(self.sections.waivers, waived, problems),
        )

    def open_scope(
        self, kind: RecordKind, fields: Mapping[str, Field], stages: Sequence[Stage], calendar: Calendar
    ) -> None:
        """Begin with the fields of a kind and the facts over them."""
        reader = FactReader(kind, fields, self.named["facts"], calendar, stages, self.problems)
        self.readers[kind] = reader
        self.facts[kind] = reader.read()
        conditions = {name: entry.node for name, entry in self.named["conditions"].items()}
        broken = frozenset(reader.broken)
        self.scopes[kind] = Scope(kind, fields, calendar, conditions, broken=broken)
        self.extend(kind, _fields_of(self.facts[kind]))

    def extend(
        self, kind: RecordKind, fields: Mapping[str, Field], facts: Mapping[str, Fact] | None = None
    ) -> None:
        """Let what is read from here on name these too."""
        scope = self.scopes[kind]
        self.scopes[kind] = replace(scope, fields={**scope.fields, **fields})
        self.facts[kind] = {**self.facts[kind], **(facts or {})}

    def read_pipelines(self, stages: tuple[Stage, ...]) -> tuple[Pipeline, ...]:
        """The pipelines, whose names become the words of `pipeline`, and whose criteria become a fact."""
        scope = self.scopes["opportunity"]
        pipelines = read_pipelines(self.named["pipelines"], stages, scope, self.systems, self.problems)
        if pipelines:
            names = tuple(pipeline.name for pipeline in pipelines if not pipeline.ignore)
            self.extend("opportunity", {"pipeline": replace(scope.fields["pipeline"], values=names)})
        criteria = open_criteria(pipelines, self.scopes["opportunity"].fields)
        self.extend("opportunity", {criteria.name: criteria.field}, {criteria.name: criteria})
        return pipelines

    def read_scores(self, languages: tuple[str, ...]) -> Mapping[str, Score]:
        """The scores, whose totals rules may name."""
        changes = {
            key.value: node for key, node in self.sections.overrides if key.value in self.named["scores"]
        }
        context = ScoreContext(self.scopes, self.readers, languages, changes)
        scores = read_scores(self.named["scores"], context, self.problems)
        for kind in KINDS:
            self.extend(kind, _totals(scores, kind), _facts_of(scores, kind))
        return scores

    def words(self, section: str, ours: tuple[str, ...]) -> Words:
        """What the CRM calls some words of ours."""
        return read_words(self.named[section], ours, section.replace("_", " "), self.systems, self.problems)

    def settings_of(self, rule: str) -> Iterator[Node | None]:
        """The settings of a built-in rule, then those of its override."""
        overrides = [node for key, node in self.sections.overrides if key.value == rule]
        for node in (self.named["rules"][rule].node, *overrides):
            yield node.get("settings") if isinstance(node, Map) else None

    def single(self, name: str) -> Node | None:
        found = self.sections.single.get(name)
        return found[0] if found else None

    def unused_conditions(self) -> None:
        """A condition of the project that no rule uses is checked too; it must suit at least one kind."""
        for name, entry in self.named["conditions"].items():
            used = any(name in scope.used_conditions for scope in self.scopes.values())
            if used or entry.origin or _has_setting(entry.node):
                continue
            if not any(read_condition(entry.node, scope, Problems()) for scope in self.scopes.values()):
                read_condition(entry.node, self.scopes["opportunity"], self.problems)

    def segments(self) -> list[tuple[str, Mapping[RecordKind, Condition]]]:
        """Each segment for every kind whose fields it can be asked of; it must suit at least one."""
        found: list[tuple[str, Mapping[RecordKind, Condition]]] = []
        for name, entry in self.named["segments"].items():
            by_kind: dict[RecordKind, Condition] = {}
            for kind, scope in self.scopes.items():
                trial = Problems()
                condition = read_condition(entry.node, scope, trial)
                if condition is not None:
                    by_kind[kind] = condition
            if not by_kind:
                read_condition(entry.node, self.scopes["opportunity"], self.problems)
            found.append((name, by_kind))
        return found


def _fields_of(facts: Mapping[str, Fact]) -> dict[str, Field]:
    return {name: fact.field for name, fact in facts.items()}


def _totals(scores: Mapping[str, Score], kind: RecordKind) -> dict[str, Field]:
    """The totals as rules name them."""
    return {score.field.name: score.field for score in scores.values() if score.kind == kind}


def _facts_of(scores: Mapping[str, Score], kind: RecordKind) -> dict[str, Fact]:
    """What the items of scores count."""
    return {fact.name: fact for score in scores.values() if score.kind == kind for fact in score.facts()}


def _has_setting(node: Node) -> bool:
    """Whether it can be checked only inside a rule, which gives its settings their values."""
    if isinstance(node, Text):
        return node.value.startswith("$") and not node.quoted
    parts = node.items if isinstance(node, List) else tuple(value for _, value in node.entries)
    return any(_has_setting(part) for part in parts)


def _with_stages(fields: Mapping[str, Field], stages: Sequence[Stage]) -> dict[str, Field]:
    """The same fields, with the pack's own stages as the words of `stage`."""
    names = tuple(stage.name for stage in stages)
    return {
        name: replace(field, values=names) if name == "stage" else field for name, field in fields.items()
    }
