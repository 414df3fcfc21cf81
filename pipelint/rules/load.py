"""Loads a pack: the project's rule files, the shipped packs they use, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from pipelint.config.nodes import List, Map, Node, Problems, Text
from pipelint.rules.branches import Variants
from pipelint.rules.cases import Case
from pipelint.rules.catalogue import (
    ACTIVITY_TYPES,
    FORECAST_CATEGORIES,
    ROLES,
    RecordKind,
)
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.facts import Fact
from pipelint.rules.fields import Field
from pipelint.rules.own_fields import OWN_FIELDS
from pipelint.rules.pack import Pack, Stage
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
    def __init__(
        self, sections: Sections, systems: Sequence[str], today: date, home: Path, problems: Problems
    ) -> None:
        self.today = today
        self.home = home
        self.named = sections.named
        self.sections = sections
        self.systems = systems
        self.problems = problems

    def load(self) -> Pack:
        settings = read_settings(self.single("pack"), self.problems)
        currency = read_currency(self.single("currency"), self.home, self.problems)
        stages = read_stages(self.single("stages"), self.problems)
        mapped = read_fields(self.named["fields"], self.sections.declared, self.systems, self.problems)
        mapped |= read_snooze(self.named["crm_fields"], mapped, self.systems, self.problems)
        known: dict[RecordKind, Mapping[str, Field]] = {}
        facts: dict[RecordKind, Mapping[str, Fact]] = {}
        broken: dict[RecordKind, frozenset[str]] = {}
        readers: dict[RecordKind, FactReader] = {}
        for kind in KINDS:
            fields = _with_stages(with_mapping(kind, mapped), stages)
            if currency is not None and kind == "opportunity":
                fields = in_one_currency(fields)
            readers[kind] = FactReader(
                kind, fields, self.named["facts"], settings.calendar, stages, self.problems
            )
            facts[kind] = readers[kind].read()
            broken[kind] = frozenset(readers[kind].broken)
            known[kind] = fields | {name: fact.field for name, fact in facts[kind].items()}
        conditions = {name: entry.node for name, entry in self.named["conditions"].items()}
        scopes = {
            kind: Scope(kind, known[kind], settings.calendar, conditions, broken=broken[kind])
            for kind in KINDS
        }
        pipelines = read_pipelines(
            self.named["pipelines"], stages, scopes["opportunity"], self.systems, self.problems
        )
        if pipelines:
            names = tuple(pipeline.name for pipeline in pipelines if not pipeline.ignore)
            scopes["opportunity"] = _with_pipelines(scopes["opportunity"], names)
        criteria = open_criteria(pipelines, scopes["opportunity"].fields)
        facts["opportunity"] = {**facts["opportunity"], criteria.name: criteria}
        known["opportunity"] = {**scopes["opportunity"].fields, criteria.name: criteria.field}
        scopes["opportunity"] = replace(scopes["opportunity"], fields=known["opportunity"])
        segments = self.segments(scopes)
        changes = {
            key.value: node for key, node in self.sections.overrides if key.value in self.named["scores"]
        }
        scores = read_scores(
            self.named["scores"], ScoreContext(scopes, readers, settings.languages, changes), self.problems
        )
        for kind in KINDS:
            facts[kind] = {**facts[kind], **_facts_of(scores, kind)}
            known[kind] = {**scopes[kind].fields, **_totals(scores, kind)}
            scopes[kind] = replace(scopes[kind], fields=known[kind])
        generated = generated_checks(pipelines, known["opportunity"])
        expected = mandatory(pipelines, known["opportunity"], self.sections.declared)
        generated["thin-evidence"] = tuple(thin_checks(expected, known["opportunity"]))
        renames = read_renames(self.named["rules"], self.problems)
        context = RuleContext(
            scopes,
            Variants({kind: tuple(name for name, by in segments if kind in by) for kind in KINDS}, pipelines),
            settings.languages,
            read_overrides(
                [each for each in self.sections.overrides if each[0].value not in changes],
                tuple(self.named["rules"]),
                renames,
                self.problems,
            ),
            generated,
            renames,
        )
        rules = read_rules(self.named["rules"], context, self.problems)
        self.unused_conditions(scopes)
        waived = WaiverContext(rules, self.named["rules"], generated, scopes, self.today)
        return Pack(
            settings=settings,
            fields=mapped,
            known=known,
            facts=facts,
            stages=stages,
            pipelines=pipelines,
            segments=tuple(segments),
            rules=rules,
            roles=read_words(self.named["roles"], ROLES, "roles", self.systems, self.problems),
            activity_types=read_words(
                self.named["activity_types"], ACTIVITY_TYPES, "activity types", self.systems, self.problems
            ),
            forecast_categories=read_words(
                self.named["forecast_categories"],
                FORECAST_CATEGORIES,
                "forecast categories",
                self.systems,
                self.problems,
            ),
            crm_fields=read_crm_fields(
                self.named["crm_fields"],
                (*OWN_FIELDS, *own_keys(scores), *SNOOZE),
                self.systems,
                self.problems,
            ),
            hash=self.sections.digest,
            scores=scores,
            renames=renames,
            mandatory=expected,
            placeholders=placeholders(self.settings_of("thin-evidence"), self.problems),
            currency=currency,
            waivers=read_waivers(self.sections.waivers, waived, self.problems),
        )

    def settings_of(self, rule: str) -> Iterator[Node | None]:
        """The settings of a built-in rule, then those of its override."""
        overrides = [node for key, node in self.sections.overrides if key.value == rule]
        for node in (self.named["rules"][rule].node, *overrides):
            yield node.get("settings") if isinstance(node, Map) else None

    def single(self, name: str) -> Node | None:
        found = self.sections.single.get(name)
        return found[0] if found else None

    def unused_conditions(self, scopes: Mapping[RecordKind, Scope]) -> None:
        """A condition of the project that no rule uses is checked too; it must suit at least one kind."""
        for name, entry in self.named["conditions"].items():
            used = any(name in scope.used_conditions for scope in scopes.values())
            if used or entry.origin or _has_setting(entry.node):
                continue
            if not any(read_condition(entry.node, scope, Problems()) for scope in scopes.values()):
                read_condition(entry.node, scopes["opportunity"], self.problems)

    def segments(
        self, scopes: Mapping[RecordKind, Scope]
    ) -> list[tuple[str, Mapping[RecordKind, Condition]]]:
        """Each segment for every kind whose fields it can be asked of; it must suit at least one."""
        found: list[tuple[str, Mapping[RecordKind, Condition]]] = []
        for name, entry in self.named["segments"].items():
            by_kind: dict[RecordKind, Condition] = {}
            for kind, scope in scopes.items():
                trial = Problems()
                condition = read_condition(entry.node, scope, trial)
                if condition is not None:
                    by_kind[kind] = condition
            if not by_kind:
                read_condition(entry.node, scopes["opportunity"], self.problems)
            found.append((name, by_kind))
        return found


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


def _with_pipelines(scope: Scope, names: tuple[str, ...]) -> Scope:
    fields = dict(scope.fields)
    fields["pipeline"] = replace(fields["pipeline"], values=names)
    return replace(scope, fields=fields)
