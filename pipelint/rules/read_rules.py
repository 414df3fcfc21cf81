"""Reads `rules:` with their overrides, settings and segments resolved into branches (rules.md §4.7, §4.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from pipelint.config.nodes import Map, Node, Problems, Text
from pipelint.rules.branches import BranchReader, Variants
from pipelint.rules.calendar import Length
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.check_rules import check_hides, check_items, check_stage_settings
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import All, Condition
from pipelint.rules.form import Form, entries, texts_of
from pipelint.rules.messages import Texts, check_slots, read_texts
from pipelint.rules.pack import SEVERITIES, STATUSES, Check, Rule, Severity
from pipelint.rules.renames import rule_hint
from pipelint.rules.scope import Scope
from pipelint.rules.sections import Entry

KEYS = (
    "title", "for", "applies_to", "flag_when", "require", "severity", "message", "settings", "raise_to",
    "per_stage_group", "per_segment", "hides", "grace", "since", "status", "fix", "why", "playbook", "formerly",
    "replaced_by", "owner",
)  # fmt: skip
OVERRIDE_KEYS = ("settings", "severity", "status", "message", "per_segment")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
KINDS: tuple[RecordKind, ...] = ("opportunity", "lead")


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule is read against; `variants` says what segments and stages may change."""

    scopes: Mapping[RecordKind, Scope]
    variants: Variants
    languages: tuple[str, ...]
    overrides: Mapping[str, Form]
    generated: Mapping[str, tuple[Check, ...]]
    """The checks of the rules that pipelint makes itself, by name."""
    renames: Mapping[str, str] = field(default_factory=dict)


def read_overrides(
    written: Sequence[tuple[Text, Node]],
    names: Sequence[str],
    renames: Mapping[str, str],
    problems: Problems,
) -> dict[str, Form]:
    """`overrides:` by rule, or by `rule/item`; a rule that no used pack defines is reported."""
    found: dict[str, Form] = {}
    for key, node in written:
        rule = key.value.partition("/")[0]
        if rule not in names or rule in renames:
            hint = rule_hint(rule, names, renames, "an override changes a rule of a used pack")
            problems.error(key.place, f"there is no rule named '{rule}' to override", hint)
            continue
        if key.value in found:
            first = found[key.value].name_place
            problems.error(key.place, f"'{key.value}' is overridden twice: also at {first}", "keep one")
            continue
        found[key.value] = Form(node, f"the override of {key.value}", OVERRIDE_KEYS, problems, key.place)
    return found


def read_rules(section: Mapping[str, Entry], context: RuleContext, problems: Problems) -> dict[str, Rule]:
    """Every rule that could be read."""
    rules: dict[str, Rule] = {}
    for name, entry in section.items():
        rule = _RuleReader(name, entry, context, problems).read()
        if rule is not None:
            rules[name] = rule
    check_hides(rules, section, context.renames, problems)
    check_items(rules, context.overrides, context.generated, problems)
    check_stage_settings(section, context.variants, problems)
    return rules


def read_applies_to(form: Form, scope: Scope, problems: Problems) -> Condition | None:
    """One or more named conditions, all of which must hold."""
    node = form.node("applies_to")
    if node is None:
        return None
    if isinstance(node, Map):
        hint = "give the condition a name under 'conditions:' and write that name here"
        problems.error(node.place, "'applies_to' takes names of conditions", hint)
        return None
    found = [read_condition(text, scope, problems) for text in texts_of(node, "'applies_to'", problems)]
    parts = tuple(condition for condition in found if condition is not None)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(parts, node.place)


class _RuleReader:
    def __init__(self, name: str, entry: Entry, context: RuleContext, problems: Problems) -> None:
        self.name = name
        self.entry = entry
        self.context = context
        self.problems = problems
        self.form = Form(entry.node, f"the rule {name}", KEYS, problems)
        self.override = context.overrides.get(name)
        self.scope: Scope | None = None

    def read(self) -> Rule | None:
        self.check_name()
        status = self.changed("status").choice("status", STATUSES) or "on"
        if status == "retired":
            return None
        kind = self.kind()
        if kind is None:
            return None
        given = self.severity()
        severity = given or "info"
        checks = self.context.generated.get(self.name) if self.entry.origin == "builtin" else None
        if checks is None:
            checks = self.checks(kind, severity)
        texts = {key: self.texts(key, kind) for key in ("title", "message", "fix", "why")}
        playbook, owner = self.form.text("playbook"), self.form.text("owner")
        if checks is not None:
            self.warn_unused()
        rule = Rule(
            name=self.name,
            kind=kind,
            title=texts["title"] or Texts({self.context.languages[0]: self.name}),
            severity=severity,
            status=status,
            message=texts["message"] or texts["title"] or Texts({self.context.languages[0]: self.name}),
            checks=self.overridden(checks or ()),
            place=self.entry.key.place,
            origin=self.entry.origin,
            fix=texts["fix"],
            why=texts["why"],
            playbook=playbook.value if playbook else "",
            hides=tuple(text.value for text in self.form.texts("hides")),
            grace=self.grace(),
            since=self.since(),
            formerly=tuple(text.value for text in self.form.texts("formerly")),
            owner=owner.value if owner else "",
            built_in=self.entry.origin == "builtin",
        )
        return None if given is None or checks is None else rule

    def severity(self) -> Severity | None:
        form = self.changed("severity")
        if form.lacks("severity"):
            hint = f"add one of: {', '.join(SEVERITIES)}"
            self.problems.error(self.entry.key.place, "'severity' is missing", hint)
        return form.choice("severity", SEVERITIES)

    def changed(self, key: str) -> Form:
        """Where a key is read from: the override if it has it, otherwise the rule."""
        return self.override if self.override is not None and self.override.has(key) else self.form

    def check_name(self) -> None:
        place = self.entry.key.place
        if len(self.name) > 40:
            self.problems.error(
                place, f"the rule's name has {len(self.name)} characters", "40 fit into the CRM's field"
            )
        elif not _NAME.fullmatch(self.name):
            self.problems.error(
                place, f"'{self.name}' is no rule name", "use lower-case letters, digits and single hyphens"
            )

    def kind(self) -> RecordKind | None:
        text = self.form.text("for")
        if text is None:
            return "opportunity"
        if text.value == "owner":
            self.problems.error(text.place, "rules for owners are not supported yet", "leave it out for now")
            return None
        return self.form.choice("for", KINDS)

    def checks(self, kind: RecordKind, severity: Severity) -> tuple[Check, ...] | None:
        given = [key for key in ("flag_when", "require") if self.form.has(key)]
        if len(given) != 1:
            what = "the rule has both 'flag_when' and 'require'" if given else "the rule has no condition"
            hint = "keep one" if given else "add 'flag_when:' (the bad case) or 'require:' (the good case)"
            self.problems.error(self.entry.key.place, what, hint)
            return None
        self.scope = scope = self.context.scopes[kind].for_rule()
        applies = read_applies_to(self.form, scope, self.problems)
        reader = BranchReader(
            self.name, kind, self.form, self.override, severity, scope, self.context.variants, self.problems
        )
        branches = reader.read()
        return None if branches is None else (Check("", applies, branches),)

    def texts(self, key: str, kind: RecordKind) -> Texts | None:
        form = self.changed(key) if key == "message" else self.form
        node = form.node(key)
        scope = self.context.scopes[kind]
        check_slots(node, scope.fields, self.problems, scope.broken)
        return read_texts(node, self.problems, self.context.languages)

    def settings(self) -> dict[str, Node]:
        """The rule's settings as its overrides leave them."""
        own = entries(self.form.node("settings"), "settings", self.problems)
        changed = self.override.node("settings") if self.override else None
        return {key.value: value for key, value in (*own, *entries(changed, "settings", self.problems))}

    def own_settings(self) -> set[str]:
        """The settings that the rule itself has: those of a rule that pipelint makes are all used."""
        return {key.value for key, _ in entries(self.form.node("settings"), "settings", self.problems)}

    def warn_unused(self) -> None:
        used = self.scope.used_settings if self.scope else self.own_settings()
        for name, value in self.settings().items():
            if name not in used:
                what = f"the setting '{name}' of {self.name} is not used"
                self.problems.warn(value.place, what, f"use it as ${name}")

    def grace(self) -> Length | None:
        text = self.form.text("grace")
        if text is None:
            return None
        length = Length.parse(text.value)
        if length is None or length.is_clock:
            self.problems.error(text.place, f"'{text.value}' is not a length in days", "write 3 days")
            return None
        return length

    def since(self) -> date | None:
        text = self.form.text("since")
        if text is None:
            return None
        try:
            return date.fromisoformat(text.value)
        except ValueError:
            self.problems.error(text.place, f"'{text.value}' is not a date", "write 2026-12-31")
            return None

    def overridden(self, checks: tuple[Check, ...]) -> tuple[Check, ...]:
        """Severity and status of single items, and of all branches of a generated rule, as overrides say."""
        whole = (
            self.override.choice("severity", SEVERITIES)
            if self.override and self.override.has("severity")
            else None
        )
        generated = self.entry.origin == "builtin"
        result = []
        for check in checks:
            form = self.context.overrides.get(f"{self.name}/{check.item}") if check.item else None
            if form is not None and form.choice("status", STATUSES) == "off":
                continue
            severity = (form.choice("severity", SEVERITIES) if form else None) or (
                whole if generated else None
            )
            if severity is not None:
                branches = tuple(replace(branch, severity=severity) for branch in check.branches)
                check = replace(check, branches=branches)
            result.append(check)
        return tuple(result)
