"""Reads a map with known keys: each key once, the rest reported with the nearest known spelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.config.problems import nearest
from pipelint.errors import Place

Word = TypeVar("Word", bound=str)


class Form:
    """One map of a rule file. Every reader answers None where the key is absent or wrong; wrong is reported."""

    def __init__(
        self,
        node: Node,
        what: str,
        known: Sequence[str],
        problems: Problems,
        name_place: Place | None = None,
    ) -> None:
        self.name_place = name_place
        self.problems = problems
        self.what = what
        self.place: Place = node.place
        self.map = node if isinstance(node, Map) else Map((), node.place)
        if not isinstance(node, Map):
            problems.error(
                node.place, f"{kind_of(node)} stands where the keys of {what} are expected", _keys(known)
            )
        self.misspelt: set[str] = set()
        """Known keys that seem to be meant by unknown ones."""
        for key, _ in self.map.entries:
            if key.value not in known:
                self.misspelt.add(nearest(key.value, known))
                hint = did_you_mean(key.value, known) or _keys(known)
                problems.error(key.place, f"'{key.value}' is not known in {what}", hint)

    def node(self, key: str) -> Node | None:
        return self.map.get(key)

    def has(self, key: str) -> bool:
        return self.map.get(key) is not None

    def lacks(self, key: str) -> bool:
        """Whether a key is absent, and not merely misspelt: that is one mistake, and reported already."""
        return not self.has(key) and key not in self.misspelt

    def key_place(self, key: str) -> Place:
        found = self.map.key(key)
        return found.place if found else self.place

    def text(self, key: str) -> Text | None:
        node = self.map.get(key)
        if node is None or (isinstance(node, Text) and not node.is_empty):
            return node
        self.problems.error(node.place, f"{kind_of(node)} stands where the text of '{key}' is expected")
        return None

    def required(self, key: str, hint: str = "") -> Text | None:
        if self.lacks(key):
            self.problems.error(self.place, f"'{key}' is missing in {self.what}", hint)
        return self.text(key)

    def choice(self, key: str, words: Sequence[Word]) -> Word | None:
        text = self.text(key)
        if text is None:
            return None
        found = next((word for word in words if word == text.value), None)
        if found is None:
            hint = did_you_mean(text.value, words) or f"it is one of: {', '.join(words)}"
            self.problems.error(text.place, f"'{text.value}' is not a value of '{key}'", hint)
        return found

    def yes(self, key: str) -> bool | None:
        text = self.text(key)
        if text is None:
            return None
        if text.value in {"yes", "true", "no", "false"}:
            return text.value in {"yes", "true"}
        self.problems.error(text.place, f"'{text.value}' is neither yes nor no")
        return None

    def texts(self, key: str) -> tuple[Text, ...]:
        """One text or a list of texts."""
        return texts_of(self.map.get(key), f"'{key}'", self.problems)


def texts_of(node: Node | None, what: str, problems: Problems) -> tuple[Text, ...]:
    """One text or a list of texts, as a tuple; anything else is reported."""
    if node is None:
        return ()
    items = node.items if isinstance(node, List) else (node,)
    found = []
    for item in items:
        if isinstance(item, Text) and not item.is_empty:
            found.append(item)
        else:
            problems.error(item.place, f"{kind_of(item)} stands where a text of {what} is expected")
    return tuple(found)


def entries(node: Node | None, what: str, problems: Problems) -> tuple[tuple[Text, Node], ...]:
    """The named entries of a section; a list or a text in its place is reported."""
    if node is None or (isinstance(node, Text) and node.is_empty):
        return ()
    if isinstance(node, Map):
        return node.entries
    problems.error(
        node.place,
        f"{kind_of(node)} stands where named {what} are expected",
        "write 'name:' and indent below",
    )
    return ()


def _keys(known: Sequence[str]) -> str:
    return f"it takes: {', '.join(known)}"
