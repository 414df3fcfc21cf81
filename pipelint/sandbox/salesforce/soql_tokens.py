"""Cutting SOQL into words, and pointing at one of them as Salesforce does."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipelint.sandbox.salesforce.errors import SalesforceError

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2}))
      | (?P<date>\d{4}-\d{2}-\d{2})
      | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<range>[A-Za-z_]+:\d+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<symbol><=|>=|!=|<>|[=<>(),:])""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A word of the statement; at the end stands one of kind `end`."""

    kind: str
    text: str
    at: int

    @property
    def upper(self) -> str:
        return self.text.upper()


def pointing(text: str, at: int, message: str) -> str:
    """The message with the spot it concerns, in the layout Salesforce uses."""
    row, start = text.count("\n", 0, at) + 1, text.rfind("\n", 0, at) + 1
    column = at - start + 1
    begin = max(start, at - 40)
    line = text[begin : at + 40].split("\n")[0]
    return f"\n{line}\n{' ' * (at - begin)}^\nERROR at Row:{row}:Column:{column}\n{message}"


def tokens(text: str) -> list[Token]:
    """All words, and one of kind `end` after them."""
    words: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise SalesforceError(
                "MALFORMED_QUERY", f"line 1:{at} no viable alternative at character '{text[at]}'"
            )
        if found.lastgroup != "blank":
            words.append(Token(str(found.lastgroup), found.group(), at))
        at = found.end()
    return [*words, Token("end", "<EOF>", at)]
