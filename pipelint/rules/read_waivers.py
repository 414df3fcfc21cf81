"""Reads `waivers:`; what waives a finding has a reason, an approver and an end (rules.md §4.9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.form import Form
from pipelint.rules.pack import Check, Rule
from pipelint.rules.read_rules import KINDS
from pipelint.rules.scope import Scope
from pipelint.rules.sections import Entry
from pipelint.rules.waivers import Waiver

_KEYS = ("rules", "opportunities", "leads", "when", "reason", "approved_by", "until")
_RECORDS: dict[str, RecordKind] = {"opportunities": "opportunity", "leads": "lead"}
_SHORTEST = 10
_USUAL = timedelta(days=90)
_OPEN_ITEMS = frozenset(
    {"unknown-value", "duplicate-open-opportunities", "thin-evidence"}
)  # known on a record only


@dataclass(frozen=True, slots=True)
class WaiverContext:
    """What a waiver is read against; `section` holds the rules as written, retired ones included."""

    rules: Mapping[str, Rule]
    section: Mapping[str, Entry]
    generated: Mapping[str, tuple[Check, ...]]
    scopes: Mapping[RecordKind, Scope]
    today: date


def read_waivers(nodes: Sequence[Node], context: WaiverContext, problems: Problems) -> tuple[Waiver, ...]:
    """Every waiver that could be read."""
    found = []
    for node in nodes:
        if isinstance(node, List):
            found += [_WaiverReader(item, context, problems).read() for item in node.items]
        elif not (isinstance(node, Text) and node.is_empty):
            problems.error(
                node.place,
                f"{kind_of(node)} stands where a list of waivers is expected",
                "start each with '- '",
            )
    return tuple(waiver for waiver in found if waiver is not None)


class _WaiverReader:
    def __init__(self, node: Node, context: WaiverContext, problems: Problems) -> None:
        self.context = context
        self.problems = problems
        self.form = Form(node, "a waiver", _KEYS, problems)

    def read(self) -> Waiver | None:
        rules = tuple(self.rules())
        kinds = tuple(kind for kind in KINDS if any(self.kind_of(name) == kind for name in rules))
        given = [key for key in (*_RECORDS, "when") if self.form.has(key)]
        if given[1:] or not (given or self.form.misspelt & {*_RECORDS, "when"}):
            found = f"here are {' and '.join(given)}" if given else "here is none"
            what = f"a waiver has exactly one of 'opportunities', 'leads' and 'when'; {found}"
            self.problems.error(self.form.place, what)
        reason = self.reason()
        approved_by = self.form.required("approved_by", "name who answers for it")
        until = self.until()
        when = self.when(kinds)
        if not rules or len(given) != 1 or reason is None or approved_by is None or until is None:
            return None
        if given[0] in _RECORDS:
            self.check_kind(given[0], rules)
            kinds = (_RECORDS[given[0]],)
        records = tuple((text.value, text.place) for key in _RECORDS for text in self.form.texts(key))
        return Waiver(rules, kinds, reason.value, approved_by.value, until, self.form.place, records, when)

    def rules(self) -> Iterator[str]:
        """The rules by the names that they have now."""
        if self.form.lacks("rules"):
            self.problems.error(self.form.place, "'rules' is missing in a waiver", "name the rules it waives")
        former = {old: rule.name for rule in self.context.rules.values() for old in rule.formerly}
        for text in self.form.texts("rules"):
            name, slash, item = text.value.partition("/")
            if name not in self.context.section and name in former:
                self.problems.warn(text.place, f"'{name}' is called '{former[name]}' now", "rename it here")
                name = former[name]
            if name not in self.context.section:
                hint = did_you_mean(name, self.context.section)
                self.problems.error(text.place, f"there is no rule named '{name}' to waive", hint)
            elif name not in self.context.rules:
                self.retired(text, name)
            elif slash and not self.has_item(name, item):
                items = self.items(name)
                hint = did_you_mean(item, items) or (f"it has: {', '.join(items)}" if items else "")
                self.problems.error(text.place, f"the rule {name} has no item '{item}'", hint)
            else:
                yield f"{name}/{item}" if slash else name

    def retired(self, text: Text, name: str) -> None:
        """A rule that is gone cannot be waived; one that could not be read has its own message."""
        node = self.context.section[name].node
        status = node.get("status") if isinstance(node, Map) else None
        if isinstance(status, Text) and status.value == "retired":
            new = node.get("replaced_by") if isinstance(node, Map) else None
            hint = f"'{new.value}' has taken its place" if isinstance(new, Text) else "leave it out"
            self.problems.warn(text.place, f"the rule '{name}' is retired, so nothing is waived", hint)

    def has_item(self, name: str, item: str) -> bool:
        return name in _OPEN_ITEMS or item in self.items(name)

    def items(self, name: str) -> tuple[str, ...]:
        checks = self.context.generated.get(name) or self.context.rules[name].checks
        return tuple(check.item for check in checks if check.item)

    def kind_of(self, name: str) -> RecordKind:
        return self.context.rules[name.partition("/")[0]].kind

    def check_kind(self, key: str, rules: Sequence[str]) -> None:
        for name in rules:
            if self.kind_of(name) != _RECORDS[key]:
                other = next(word for word, kind in _RECORDS.items() if kind != _RECORDS[key])
                what = f"{name} is a rule for {other}, and this waiver names {key}"
                self.problems.error(self.form.key_place(key), what, "write a waiver of its own for it")

    def when(self, kinds: Sequence[RecordKind]) -> Mapping[RecordKind, Condition]:
        node = self.form.node("when")
        if node is None:
            return {}
        found = {kind: read_condition(node, self.context.scopes[kind], self.problems) for kind in kinds}
        return {kind: condition for kind, condition in found.items() if condition is not None}

    def reason(self) -> Text | None:
        text = self.form.required("reason", "say why, so that the next reader need not ask")
        if text is not None and len(text.value.strip()) < _SHORTEST:
            what = f"'{text.value}' is too short for a reason"
            self.problems.error(text.place, what, f"{_SHORTEST} characters or more: say why")
        return text

    def until(self) -> date | None:
        today = self.context.today
        usual = today + _USUAL
        if not self.form.has("until"):
            hint = (
                f"a waiver without an end is forgotten and hides what is wrong for ever; write until: {usual}"
            )
            if self.form.lacks("until"):
                self.problems.error(self.form.place, "'until' is missing in a waiver", hint)
            return None
        text = self.form.text("until")
        if text is None:
            return None
        try:
            until = date.fromisoformat(text.value)
        except ValueError:
            self.problems.error(text.place, f"'{text.value}' is not a date", f"write {usual}")
            return None
        if until > (latest := _a_year_after(today)):
            hint = f"write {latest} at the latest, and look at it again then"
            self.problems.error(text.place, "a waiver lasts for a year at most", hint)
        elif until < today:
            self.problems.warn(text.place, ended(until))
        return until


def ended(until: date) -> str:
    """What there is to say about a waiver that is over."""
    return f"this waiver ended on {until:%-d %B %Y} and no longer has an effect"


def _a_year_after(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if leap else day.day)
