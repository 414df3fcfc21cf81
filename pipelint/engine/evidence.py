"""The tests that decided a finding, with the values that they met (rules.md §4.15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelint.engine.evaluate import Outcome
from pipelint.rules.catalogue import PRICE_MARKER
from pipelint.rules.compile import CompiledCheck, CompiledPack
from pipelint.rules.compile_condition import Inputs
from pipelint.rules.conditions import Condition, Other
from pipelint.rules.explain import Explainer, Leaf, Row, in_words
from pipelint.rules.fields import Field, Origin
from pipelint.rules.messages import Reader

UNSYNCED = "not synced"
UNMAPPED = "not mapped"
NO_RATE = "without an exchange rate"
TOO_RECENT = "not known far enough back"
LAST_ALONE = "known only in part, as the CRM tells the last e-mail alone"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One test that decided: the field, its value as people read it, and the test in words."""

    field: str
    value: str
    test: str
    lack: str = ""
    """Why the field is unknown here, as a word of `lack_of`; empty where it is known, or blank."""


class Witness:
    """Tells what decided a check on a record, of one compiled pack."""

    def __init__(self, compiled: CompiledPack, known: Mapping[str, Field]) -> None:
        self.compiled = compiled
        self.known = known
        self.explainer = Explainer(compiled.inputs, compiled.moment)
        self.phrases: dict[int, str] = {}

    def of(self, check: CompiledCheck, outcome: Outcome, row: Row, reader: Reader) -> list[Evidence]:
        """The tests that decided, or those that could not be answered."""
        return [self.of_leaf(leaf, row, reader) for leaf in self.leaves(check, outcome, row)]

    def lacked_by(self, check: CompiledCheck, outcome: Outcome, row: Row, _: Reader) -> list[Evidence]:
        """The same with nothing but the fields."""
        fields = [self.missing(leaf, row) for leaf in self.leaves(check, outcome, row)]
        return [
            Evidence(field.source, "", "")
            if field.origin is Origin.MARKER
            else Evidence(field.name, "", "", lack_of(self.compiled.inputs, field, row))
            for field in fields
        ]

    def leaves(self, check: CompiledCheck, outcome: Outcome, row: Row) -> list[Leaf]:
        found = [
            leaf
            for condition in self.conditions(check, row)
            for leaf in self.explainer.deciding(condition, row)
        ]
        return found if outcome is Outcome.FLAGGED else [leaf for leaf in found if leaf.answer is None]

    def missing(self, leaf: Leaf, row: Row) -> Field:
        """The field that a test looks at; of one that could not be answered, the field that is missing."""
        field = leaf.test.field
        if leaf.answer is None and row.get(field.main.name) is not None:
            others = [operand.field for operand in leaf.test.operands if isinstance(operand, Other)]
            return next((other for other in others if row.get(other.main.name) is None), field)
        return field

    def of_leaf(self, leaf: Leaf, row: Row, reader: Reader) -> Evidence:
        field = self.missing(leaf, row)
        phrase = self.phrases.get(id(leaf.test))
        if phrase is None:
            phrase = self.phrases[id(leaf.test)] = in_words(leaf.test, self.compiled.moment)
        inputs = self.compiled.inputs
        if field.origin is Origin.MARKER:
            return Evidence(field.source, shown_value(inputs, self.known[field.source], reader), phrase)
        if field.name not in self.known:
            return Evidence(field.name, str(row.get(field.main.name)), phrase, lack_of(inputs, field, row))
        return Evidence(field.name, shown_value(inputs, field, reader), phrase, lack_of(inputs, field, row))

    def conditions(self, check: CompiledCheck, row: Row) -> Iterator[Condition]:
        """What decided: the branch that applied, or the scope where that is what could not be checked."""
        scope = check.check.scope
        if scope is not None and self.explainer.answer(scope, row) is None:
            yield scope
        for branch in check.check.branches:
            if branch.guard is None or self.explainer.answer(branch.guard, row):
                if branch.condition is not None:
                    yield branch.condition
                return


def lack_of(inputs: Inputs, field: Field, row: Row) -> str:
    """Why the field is unknown on this record though it need not be blank; empty where that is not so."""
    if field.name in inputs.unsynced:
        return UNSYNCED
    if field.marker and row.get(field.marker) == 1:
        return NO_RATE if field.marker == PRICE_MARKER else UNMAPPED
    if field.name in inputs.partial and row.get(field.column("partial").name) == 1:
        return LAST_ALONE if field.name in inputs.untold else TOO_RECENT
    return ""


def shown_value(inputs: Inputs, field: Field, reader: Reader) -> str:
    """The value as people read it, or in its place why there is none that the rules could read."""
    lack = lack_of(inputs, field, reader.row)
    return f"({lack})" if lack in {UNSYNCED, UNMAPPED} else reader.value(field.name)


def blank_message(evidence: Sequence[Evidence]) -> str:
    """What could not be checked, and for lack of what."""
    names: dict[str, list[str]] = {}
    for item in dict.fromkeys((item.lack, item.field) for item in evidence):
        names.setdefault(item[0], []).append(item[1])
    unknown = [f"{', '.join(fields)} {lack}" for lack, fields in names.items() if lack]
    told = "; ".join(unknown) or f"{', '.join(names.get('', ['a field']))} is blank"
    return f"could not be checked: {told}"


def distinct(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Each test once."""
    return tuple(dict.fromkeys(evidence))
