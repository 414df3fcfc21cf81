"""Reads what a test expects of one record: flags, no flags, what could not be checked, messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.errors import Place
from pipelint.rules.cases import Expectation, What
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.form import Form, entries, texts_of
from pipelint.rules.pack import SEVERITIES, Pack, Severity
from pipelint.rules.read_values import ValueReader
from pipelint.rules.renames import rule_hint
from pipelint.rules.scores import Score

EXPECTED: tuple[What, ...] = ("flags", "no_flags", "could_not_check", "hidden", "messages", "scores")


class ExpectationReader:
    """Reads expectations against the rules of a pack."""

    def __init__(self, pack: Pack, problems: Problems) -> None:
        self.pack = pack
        self.problems = problems
        self.values = ValueReader(pack.settings.calendar, problems)

    def flagged_since(self, kind: RecordKind, node: Node) -> dict[str, date]:
        found = {}
        for key, value in entries(node, "rules with a day", self.problems):
            day = self.values.day(value)
            if self.rule(kind, key.value, key.place) and day is not None:
                found[key.value] = day
        return found

    def read(self, kind: RecordKind, node: Node) -> Iterator[Expectation]:
        form = Form(node, "what a test expects", EXPECTED, self.problems)
        readers = {"messages": self.messages, "scores": self.scores}
        for what in EXPECTED:
            found = form.node(what)
            if found is not None:
                yield from readers.get(what, self.listed)(kind, what, found)

    def listed(self, kind: RecordKind, what: What, node: Node) -> Iterator[Expectation]:
        for item in node.items if isinstance(node, List) else (node,):
            if isinstance(item, Text) and not item.is_empty:
                yield from self.one(kind, what, item, None)
            elif isinstance(item, Map) and what == "flags" and len(item.entries) == 1:
                key, value = item.entries[0]
                severity = self.severity(value)
                if severity is not None:
                    yield from self.one(kind, what, key, severity)
            else:
                hint = "a name, rule/item, or {name: severity}" if what == "flags" else "a name, or rule/item"
                self.problems.error(item.place, f"{kind_of(item)} stands where a rule is expected", hint)

    def severity(self, node: Node) -> Severity | None:
        written = node.value if isinstance(node, Text) else ""
        found = next((severity for severity in SEVERITIES if severity == written), None)
        if found is None:
            hint = did_you_mean(written, SEVERITIES) or f"it is one of: {', '.join(SEVERITIES)}"
            self.problems.error(node.place, f"{kind_of(node)} is no severity", hint)
        return found

    def one(
        self, kind: RecordKind, what: What, name: Text, severity: Severity | None
    ) -> Iterator[Expectation]:
        if self.rule(kind, name.value, name.place):
            rule, _, item = name.value.partition("/")
            yield Expectation(what, rule, item, name.place, severity)

    def messages(self, kind: RecordKind, what: What, node: Node) -> Iterator[Expectation]:
        for key, value in entries(node, "messages", self.problems):
            if not isinstance(value, Text):
                self.problems.error(value.place, f"{kind_of(value)} stands where a message is expected")
            elif self.rule(kind, key.value, key.place):
                yield Expectation(what, key.value, "", key.place, None, value.value)

    def scores(self, kind: RecordKind, what: What, node: Node) -> Iterator[Expectation]:
        for key, value in entries(node, "scores", self.problems):
            score = self.pack.scores.get(key.value)
            if score is None or score.kind != kind:
                known = [each.name for each in self.pack.scores.values() if each.kind == kind]
                hint = did_you_mean(key.value, known) or f"known are: {', '.join(known) or 'none'}"
                self.problems.error(key.place, f"{a_record(kind)} has no score named '{key.value}'", hint)
                continue
            categories = [category.name for category in score.categories]
            form = Form(
                value, f"the score {key.value}", ("total", "grade", "not_known", *categories), self.problems
            )
            for part, expected in form.map.entries:
                if part.value == "not_known":
                    text = self.items(texts_of(expected, "'not_known'", self.problems), score)
                elif part.value == "grade":
                    grade = form.choice("grade", [each.name for each in score.grades])
                    text = grade or ""
                else:
                    number = form.text(part.value)
                    text = "" if number is None else str(self.values.number(number))
                yield Expectation(what, key.value, part.value, part.place, None, text)

    def items(self, written: tuple[Text, ...], score: Score) -> str:
        names = [item.name for item in score.items]
        for text in written:
            if text.value not in names:
                hint = did_you_mean(text.value, names) or f"its items are: {', '.join(names)}"
                self.problems.error(text.place, f"{score.name} has no item '{text.value}'", hint)
        return ", ".join(sorted(text.value for text in written))

    def rule(self, kind: RecordKind, name: str, place: Place) -> bool:
        """Whether there is such a rule, and such an item of it, for this kind of record."""
        rule_name, _, item = name.partition("/")
        rule = self.pack.rules.get(rule_name)
        if rule is None:
            hint = rule_hint(rule_name, self.pack.rules, self.pack.renames, "see 'pipelint rules list'")
            self.problems.error(place, f"there is no rule named '{rule_name}'", hint)
            return False
        if rule.kind != kind:
            self.problems.error(
                place, f"{rule_name} is a rule for {a_record(rule.kind)}, and this is {a_record(kind)}"
            )
            return False
        items = [check.item for check in rule.checks if check.item]
        if not item or item in items or (rule.built_in and not items):
            return True
        hint = did_you_mean(item, items) or (f"its items are: {', '.join(items)}" if items else "")
        self.problems.error(place, f"{rule_name} has no item '{item}'", hint)
        return False


def a_record(kind: RecordKind) -> str:
    """A kind of record in a sentence."""
    return "an opportunity" if kind == "opportunity" else f"a {kind}"
