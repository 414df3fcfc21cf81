"""YAML read as nodes that keep file, line and column; a scalar stays text until its field's type speaks.

Anchors, aliases, tags, merge keys, duplicate keys and second documents are refused (rules.md §4.2): they
surprise people who are not programmers, and reuse has words of its own in our files.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from pipelint.errors import Place, Problem, ProblemsFound


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


class Problems:
    """Collects mistakes over all files, so that a person sees every one at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self._lines: dict[str, list[str]] = {}

    def knows(self, file: str, text: str) -> None:
        """Remember a file's text, so that its problems can show the line they point at."""
        self._lines[file] = text.splitlines()

    def error(self, place: Place, what: str, hint: str = "") -> None:
        self._add(Problem(place, what, hint, self._line(place), "error"))

    def warn(self, place: Place, what: str, hint: str = "") -> None:
        self._add(Problem(place, what, hint, self._line(place), "warning"))

    def _add(self, problem: Problem) -> None:
        if problem not in self.found:
            self.found.append(problem)

    def _line(self, place: Place) -> str:
        lines = self._lines.get(place.file, [])
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.found if problem.level == "error"]

    def raise_if_any(self) -> None:
        """Raise `ProblemsFound` with everything collected where at least one is an error."""
        if self.errors:
            raise ProblemsFound(self.found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known spelling, or nothing."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return f"did you mean '{names[near[0]]}'?" if near else ""


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
        _broken(error, text, shown, problems)
    except YAMLError as error:
        problems.error(Place(shown), f"this is not YAML: {error}")
    return None


class _Reader:
    """Builds nodes out of parser events, reporting what our files do not allow."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.file = file
        self.problems = problems

    def place(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)

    def document(self, events: Iterator[Any]) -> Node | None:
        node: Node | None = None
        documents = 0
        for event in events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                documents += 1
                if documents == 2:
                    self.problems.error(
                        self.place(event.start_mark),
                        "a second document begins here",
                        "put it into a file of its own, without '---'",
                    )
                    return node
            elif name not in {"StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"}:
                node = self.node(event, events)
        return None if isinstance(node, Text) and node.is_empty else node

    def node(self, event: Any, events: Iterator[Any]) -> Node:
        place = self.place(event.start_mark)
        name = type(event).__name__
        if name == "AliasEvent" or event.anchor:
            sign = "*" if name == "AliasEvent" else "&"
            self.problems.error(place, f"'{sign}{event.anchor}' refers to another place in the file", _REUSE)
            if name == "AliasEvent":
                return Text("", place)
        if getattr(event, "tag", None) and event.tag != "!":
            self.problems.error(place, f"the tag '{event.tag}' is not used in our files", "leave it out")
        if name == "MappingStartEvent":
            return self.map(place, events)
        if name == "SequenceStartEvent":
            items = []
            while type(following := next(events)).__name__ != "SequenceEndEvent":
                items.append(self.node(following, events))
            return List(tuple(items), place)
        return self.text(event, place)

    def text(self, event: Any, place: Place) -> Text:
        if event.style == ">" and not event.value.strip():
            self.problems.error(place, "'>' and '>=' cannot start a value in YAML", _NO_SIGNS)
        return Text(event.value, place, quoted=event.style in {"'", '"', "|", ">"})

    def map(self, place: Place, events: Iterator[Any]) -> Map:
        entries: list[tuple[Text, Node]] = []
        seen: dict[str, Place] = {}
        while type(event := next(events)).__name__ != "MappingEndEvent":
            key = self.node(event, events)
            value = self.node(next(events), events)
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


def _broken(error: MarkedYAMLError, text: str, shown: str, problems: Problems) -> None:
    """Turn the parser's own complaint into a sentence with a hint."""
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    number, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    what = error.problem or "this is not YAML"
    hint = ""
    tab = re.match(r"[ ]*\t", line)
    sign = re.search(r":\s*([<>]=?|[@`%])\s*\S", line)
    if tab:
        what, hint, column = "a tab was used for indentation", "use spaces", line.index("\t") + 1
    elif line.startswith("\u00a0") or re.match(r" *\u00a0", line):
        what, hint = "a no-break space was used for indentation", "replace it with ordinary spaces"
    elif sign and ("block scalar" in f"{error.context} {what}" or "cannot start" in what):
        what, hint = f"'{sign[1]}' cannot start a value in YAML", _NO_SIGNS
        column = sign.start(1) + 1
    elif "mapping values are not allowed" in what:
        what, hint = _colon(line, column)
    elif "expected <block end>" in what or "could not find expected ':'" in what:
        hint = "check the indentation: lines that belong together start in the same column, and a name ends with ':'"
    elif "found unexpected end of stream" in what or "expected ',' or" in what:
        hint = "a quote, '[' or '{' is opened and not closed"
    problems.error(Place(shown, number, column), what, hint)


def _colon(line: str, column: int) -> tuple[str, str]:
    found = re.match(r"\s*(?:- )?([\w.-]+):\s+(.*?)\s*$", line)
    if found and found.end(1) + 1 < column:
        value = found[2].replace('"', '\\"')
        return (
            f"the value of '{found[1]}' contains ': ', which YAML reads as another name",
            f'put quotes around it: {found[1]}: "{value}"',
        )
    return "a name with ':' is not expected here", "check the indentation of this line and the one above"
