"""The tests that decided a finding, with the values that they met (rules.md §4.15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelint.engine.evaluate import Outcome
from pipelint.rules.compile import CompiledCheck, CompiledPack
from pipelint.rules.conditions import Condition, Other
from pipelint.rules.explain import Explainer, Leaf, Row, in_words
from pipelint.rules.fields import Field, Origin
from pipelint.rules.messages import Reader

UNSYNCED = "(not synced)"
"""Shown in place of a value that the connection does not supply."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One test that decided: the field, its value as people read it, and the test in words."""

    field: str
    value: str
    test: str
    unsynced: bool = False


class Witness:
    """Tells what decided a check on a record, of one compiled pack."""

    def __init__(self, compiled: CompiledPack, known: Mapping[str, Field]) -> None:
        self.compiled = compiled
        self.known = known
        self.explainer = Explainer(compiled.inputs, compiled.moment)
        self.phrases: dict[int, str] = {}

    def of(self, check: CompiledCheck, outcome: Outcome, row: Row, reader: Reader) -> list[Evidence]:
        leaves: list[Leaf] = []
        for condition in self.conditions(check, row):
            leaves += self.explainer.deciding(condition, row)
        chosen = leaves if outcome is Outcome.FLAGGED else [leaf for leaf in leaves if leaf.answer is None]
        return [self.of_leaf(leaf, row, reader) for leaf in chosen]

    def of_leaf(self, leaf: Leaf, row: Row, reader: Reader) -> Evidence:
        """The field that a test looks at; of one that could not be answered, the field that is missing."""
        field = leaf.test.field
        if leaf.answer is None and row.get(field.main.name) is not None:
            others = [operand.field for operand in leaf.test.operands if isinstance(operand, Other)]
            field = next((other for other in others if row.get(other.main.name) is None), field)
        phrase = self.phrases.get(id(leaf.test))
        if phrase is None:
            phrase = self.phrases[id(leaf.test)] = in_words(leaf.test, self.compiled.moment)
        if field.origin is Origin.MARKER:
            return Evidence(field.source, reader.value(field.source), phrase)
        return Evidence(field.name, self.value(field, reader), phrase, self.lacking(field, row))

    def lacking(self, field: Field, row: Row) -> bool:
        """Whether the field is unknown here because it was not supplied, rather than blank."""
        inputs = self.compiled.inputs
        marked = field.marker and row.get(field.marker) == 1
        late = field.name in inputs.partial and row.get(field.column("partial").name) == 1
        return field.name in inputs.unsynced or bool(marked) or late

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

    def value(self, field: Field, reader: Reader) -> str:
        if field.name in self.compiled.inputs.unsynced:
            return UNSYNCED
        return reader.value(field.name) if field.name in self.known else str(reader.row.get(field.main.name))


def blank_message(evidence: Sequence[Evidence]) -> str:
    """What could not be checked, and for lack of what."""
    lacking = list(dict.fromkeys(item.field for item in evidence if item.unsynced))
    if lacking:
        return f"could not be checked: {', '.join(lacking)} not known yet, or not synced"
    blank = list(dict.fromkeys(item.field for item in evidence))
    return f"could not be checked: {', '.join(blank) or 'a field'} is blank"


def distinct(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Each test once."""
    return tuple(dict.fromkeys(evidence))
