"""The rule `thin-evidence`: which fields it looks at, and what counts as a placeholder (rules.md §4.7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pipelint.config.nodes import Map, Node, Problems
from pipelint.errors import Place
from pipelint.rules.branches import is_word
from pipelint.rules.catalogue import SIX
from pipelint.rules.conditions import Test, Truth
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.form import texts_of
from pipelint.rules.operators import operators_of
from pipelint.rules.pack import Branch, Check, Pipeline
from pipelint.rules.text import clean, fold

THIN = "__thin"
AT_ONCE = f"stage_change{THIN}"
"""The prepared column that says that everything was filled within a minute of a stage change."""


def mandatory(
    pipelines: Sequence[Pipeline], known: Mapping[str, Field], declared: Iterable[str]
) -> tuple[str, ...]:
    """The six, what a used framework declares, and what some stage requires; of the record itself."""
    required = [field.name for each in pipelines for stage in each.stages for field in stage.required]
    names = dict.fromkeys((*SIX, *declared, *required))
    own = {Origin.RECORD, Origin.CUSTOM}
    return tuple(name for name in names if name in known and known[name].origin in own)


def thin_checks(names: Iterable[str], known: Mapping[str, Field]) -> Iterator[Check]:
    """One item per mandatory text, and one for all of them at once."""
    place = Place("builtin@1/rules.yaml")
    scope = is_word(known["stage_kind"], "open", place)
    texts = [name for name in names if known[name].type is FieldType.TEXT]
    for item, name, about in (
        *((name, name, "says nothing") for name in texts),
        ("stage_change", "stage", "and everything was filled in within a minute of a stage change"),
    ):
        column = f"{item}{THIN}"
        marked = Field(column, FieldType.YES_NO, about, Origin.MARKER, name)
        test = Test(marked, operators_of(FieldType.YES_NO)["is"], (Truth(value=True),), place)
        yield Check(item, scope, (Branch(None, test, "info"),))


def placeholders(settings: Iterable[Node | None], problems: Problems) -> frozenset[str]:
    """The folded words of the last `words` that is given: the rule's own, then an override's."""
    found: frozenset[str] = frozenset()
    for node in settings:
        words = node.get("words") if isinstance(node, Map) else None
        if words is not None:
            texts = texts_of(words, "'words'", problems)
            found = frozenset(fold(word) for text in texts if (word := clean(text.value)))
    return found


def is_thin(text: str | None, words: Collection[str]) -> bool:
    """Whether a text is there and says nothing: a placeholder, or one character over and over."""
    cleaned = clean(text)
    if cleaned is None:
        return False
    folded = fold(cleaned)
    return folded in words or len(set(folded)) == 1
