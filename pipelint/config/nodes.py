"""YAML read as nodes that keep file, line and column; a scalar stays text until its field's type speaks.

Anchors, aliases, tags, merge keys, duplicate keys and second documents are refused (rules.md §4.2): they
surprise people who are not programmers, and reuse has words of its own in our files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from pipelint.config.problems import Problems, did_you_mean
from pipelint.errors import Place

__all__ = ["List", "Map", "Node", "Problems", "Text", "did_you_mean", "kind_of", "read_file", "read_text"]


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar: its text, and whether it stood in quotes. An empty unquoted one means nothing was written."""

    value: str
    place: Place
    quoted: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.value and not self.quoted


@dataclass(frozen=True, slots=True)
class List:
    """A YAML sequence."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Map:
    """A YAML mapping with unique keys, in the order of the file."""

    entries: tuple[tuple[Text, Node], ...]
    place: Place

    def get(self, key: str) -> Node | None:
        """The value under `key`, or None where the key is absent."""
        return next((value for name, value in self.entries if name.value == key), None)

    def key(self, key: str) -> Text | None:
        """The key's own node, for messages that point at it."""
        return next((name for name, _ in self.entries if name.value == key), None)

    def names(self) -> tuple[str, ...]:
        return tuple(name.value for name, _ in self.entries)


Node: TypeAlias = Text | List | Map


def kind_of(node: Node) -> str:
    """What a node is, in the words of our messages."""
    if isinstance(node, Text):
        return "nothing" if node.is_empty else f"'{node.value}'"
    return "a list" if isinstance(node, List) else "a map"


def read_file(path: Path, shown: str, problems: Problems) -> Node | None:
    """The nodes of one YAML file; None where it is empty or so broken that nothing could be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problems.error(Place(shown), f"the file is not UTF-8 text (byte {error.start})", "save it as UTF-8")
        return None
    except OSError as error:
        problems.error(Place(shown), f"the file cannot be read: {error.strerror}")
        return None
    return read_text(text, shown, problems)


def read_text(text: str, shown: str, problems: Problems) -> Node | None:
    """The nodes of a YAML text; `shown` is the file name that messages give."""
    problems.knows(shown, text)
    reader = _Reader(shown, problems)
    yaml = YAML(typ="safe", pure=True)
    try:
        return reader.document(iter(yaml.parse(text)))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.error(
            Place(shown, line, 1), "a character that YAML does not allow", "delete it and type it again"
        )
    except MarkedYAMLError as error:
        _broken(error, shown, problems)
    except YAMLError as error:
        problems.error(Place(shown), f"this is not YAML: {error}")
    return None


class _Reader:
    """Builds nodes out of parser events, reporting what our files do not allow."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.file = file
        self.problems = problems

    def place(self, mark: StreamMark) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)

    def document(self, events: Iterator[Event]) -> Node | None:
        node: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self.problems.error(
                        self.place(event.start_mark),
                        "a second document begins here",
                        "put it into a file of its own, without '---'",
                    )
                    return node
            elif isinstance(event, NodeEvent):
                node = self.node(event, events)
        return None if isinstance(node, Text) and node.is_empty else node

    def node(self, event: Event, events: Iterator[Event]) -> Node:
        place = self.place(event.start_mark)
        if isinstance(event, AliasEvent):
            self.problems.error(place, f"'*{event.anchor}' refers to another place in the file", _REUSE)
            return Text("", place)
        if isinstance(event, ScalarEvent | CollectionStartEvent):
            if event.anchor:
                self.problems.error(place, f"'&{event.anchor}' refers to another place in the file", _REUSE)
            if event.tag and event.tag != "!":
                self.problems.error(place, f"the tag '{event.tag}' is not used in our files", "leave it out")
        if isinstance(event, ScalarEvent):
            return self.text(event, place)
        if isinstance(event, MappingStartEvent):
            return self.map(place, events)
        items = []
        while not isinstance(following := next(events), SequenceEndEvent):
            items.append(self.node(following, events))
        return List(tuple(items), place)

    def text(self, event: ScalarEvent, place: Place) -> Text:
        if event.style == ">" and not event.value.strip():
            self.problems.error(place, "'>' and '>=' cannot start a value in YAML", _NO_SIGNS)
        return Text(event.value, place, quoted=event.style in {"'", '"', "|", ">"})

    def map(self, place: Place, events: Iterator[Event]) -> Map:
        entries: list[tuple[Text, Node]] = []
        seen: dict[str, Place] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self.node(event, events)
            value = self.node(next(events), events)
            if isinstance(value, Text) and value.is_empty:  # the parser is already further on
                value = Text("", key.place)
            if not isinstance(key, Text):
                self.problems.error(
                    key.place, f"{kind_of(key)} cannot be a name", "write a plain word before ':'"
                )
                continue
            key = self.cleaned(key)
            if key.value == "<<":
                self.problems.error(key.place, "'<<' merges another map into this one", _REUSE)
            elif key.value in seen:
                self.problems.error(
                    key.place,
                    f"'{key.value}' is given twice in the same place",
                    f"first given on line {seen[key.value].line}; keep one",
                )
            else:
                seen[key.value] = key.place
                entries.append((key, value))
        return Map(tuple(entries), place)

    def cleaned(self, key: Text) -> Text:
        found = _FOREIGN.search(key.value)
        if found is None:
            return key
        what = "a no-break space" if found[0] in "\u00a0\u202f" else "a curly quote"
        self.problems.error(
            key.place,
            f"'{key.value}' contains {what}, often copied from a chat or a web page",
            "type it again",
        )
        return Text(_FOREIGN.sub("", key.value), key.place, key.quoted)


_FOREIGN = re.compile("[\u00a0\u202f\u2018\u2019\u201c\u201d]")
_REUSE = "write it out here; to reuse a condition, give it a name under 'conditions:'"
_NO_SIGNS = "write a word instead, e.g. {at_least: 5} or {more_than: 5}"


def _broken(error: MarkedYAMLError, shown: str, problems: Problems) -> None:
    """Turn the parser's own complaint into a sentence with a hint."""
    what, hint = error.problem or "this is not YAML", ""
    mark = error.problem_mark or error.context_mark
    if "could not find expected ':'" in what or "while scanning a quoted scalar" in f"{error.context}":
        mark = error.context_mark or mark
    number, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    line = problems.line_at(Place(shown, number))
    sign = re.search(r":\s*([<>]=?|[@`%])\s*\S", line)
    if re.match(r"[ ]*\t", line):
        what, hint, column = "a tab was used for indentation", "use spaces", line.index("\t") + 1
    elif re.match("[ ]*\u00a0", line):
        what, hint = "a no-break space was used for indentation", "replace it with ordinary spaces"
    elif sign and ("block scalar" in f"{error.context} {what}" or "cannot start" in what):
        what, hint = f"'{sign[1]}' cannot start a value in YAML", _NO_SIGNS
        column = sign.start(1) + 1
    elif "mapping values are not allowed" in what:
        what, hint = _colon(line, column)
    elif "could not find expected ':'" in what:
        what, hint = "a name needs ':' after it", _INDENTATION
    elif "expected <block end>" in what:
        what, hint = "this line does not belong to what stands above it", _INDENTATION
    elif "while scanning a quoted scalar" in f"{error.context}":
        what, hint = "a quote is opened here and not closed", "add the closing quote"
    elif "expected ',' or" in what:
        what, hint = _bracket(error, line, column)
    problems.error(Place(shown, number, column), what, hint)


_INDENTATION = (
    "check the indentation: lines that belong together start in one column, and a name ends with ':'"
)


def _bracket(error: MarkedYAMLError, line: str, column: int) -> tuple[str, str]:
    opened, closing = ("{", "}") if "mapping" in f"{error.context}" else ("[", "]")
    reference = re.search(r"\$\{[^}]*\}", line[max(column - 2, 0) :])
    if reference and reference.start() == 0:
        return "inside { } or [ ] a reference needs quotes", f'write "{reference[0]}"'
    where = f" of line {error.context_mark.line + 1}" if error.context_mark else ""
    return f"expected ',' or '{closing}' here", f"a comma is missing, or the '{opened}'{where} is not closed"


def _colon(line: str, column: int) -> tuple[str, str]:
    found = re.match(r"\s*(?:- )?([\w.-]+):\s+(.*?)\s*$", line)
    if found and found.end(1) + 1 < column:
        value = found[2].replace('"', '\\"')
        return (
            f"the value of '{found[1]}' contains ': ', which YAML reads as another name",
            f'put quotes around it: {found[1]}: "{value}"',
        )
    return "a name with ':' is not expected here", "check the indentation of this line and the one above"
