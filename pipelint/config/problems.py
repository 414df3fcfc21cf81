"""Collects the mistakes in a user's files, each with the line it stands on, never showing a secret."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable

from pipelint.errors import Place, Problem, ProblemsFound


class Problems:
    """Collects mistakes over all files, so that a person sees every one at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self._lines: dict[str, list[str]] = {}

    def knows(self, file: str, text: str) -> None:
        """Remember a file's text, so that its problems can show the line they point at."""
        self._lines[file] = [_without_secrets(line) for line in text.splitlines()]

    def error(self, place: Place, what: str, hint: str = "") -> None:
        self._add(Problem(place, what, hint, self.line_at(place), "error"))

    def warn(self, place: Place, what: str, hint: str = "") -> None:
        self._add(Problem(place, what, hint, self.line_at(place), "warning"))

    def conceal(self, place: Place) -> None:
        """Star out the value that begins here, in this line's problems so far and from now on."""
        lines = self._lines.get(place.file, [])
        if not 0 < place.line <= len(lines):
            return
        lines[place.line - 1] = _concealed(lines[place.line - 1], place.column - 1)
        self.found = [
            dataclasses.replace(problem, line=self.line_at(place))
            if (problem.place.file, problem.place.line) == (place.file, place.line)
            else problem
            for problem in self.found
        ]

    def _add(self, problem: Problem) -> None:
        if problem not in self.found:
            self.found.append(problem)

    def line_at(self, place: Place) -> str:
        """The line of a file that a place stands on, its secrets starred out."""
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
    near = nearest(word, known)
    return f"did you mean '{near}'?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known spelling that comes nearest to a word, or nothing."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return names[near[0]] if near else ""


# A broken file cannot be checked against a model, which knows what is secret. Until then a value counts as
# secret if its key sounds like it, or if it is as long and as mixed as only generated text is.
_SECRET_KEY = re.compile(
    r"""(?<![\w-])[\w-]*(?:secret|token|password|private_?key|api_?key)["']?\s*:\s+(?!["']?\$\{(?:env:\w+|file:[^}]+)\})""",
    re.IGNORECASE,
)
_GENERATED = re.compile(r"(?<![\w+/=-])(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])(?=[\w+/=-]*\d)[\w+/=-]{32,}")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_IN_BRACKETS = re.compile(r"[^,{}\[\]]+")


def _without_secrets(line: str) -> str:
    for key in _SECRET_KEY.finditer(line):
        line = _concealed(line, key.end())
    return _GENERATED.sub(lambda found: "*" * len(found[0]), line)


def _concealed(line: str, start: int) -> str:
    """The line with its value at `start` starred out, as wide as before: carets further right still fit."""
    rest = line[start:]
    brackets = sum(line[:start].count(sign) for sign in "{[") - sum(line[:start].count(sign) for sign in "}]")
    value = _QUOTED.match(rest) or (_IN_BRACKETS.match(rest) if brackets > 0 else None)
    end = start + len(value[0].rstrip() if value else rest)
    return line[:start] + "*" * (end - start) + line[end:]
