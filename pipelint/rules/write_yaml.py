"""Writes the YAML of rule files: scalars that read back as the same text, and nodes as one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelint.config.nodes import List, Map, Node, Text

# What needs no quotes in any place, inside brackets too. Words that other YAML readers take for yes, no or
# nothing are quoted, although ours keeps them as text.
_PLAIN = re.compile(r"[^\W_](?:[\w ./()&+%$-]|:(?=\S)|'(?=\w))*", re.UNICODE)
_WORDS = re.compile(r"(?:yes|no|on|off|true|false|null|y|n|[\d.,:_-]+)", re.IGNORECASE)


def scalar(text: str) -> str:
    """A text as YAML, quoted where it has to be."""
    if _PLAIN.fullmatch(text) and not _WORDS.fullmatch(text) and not text.endswith((" ", ":")):
        return text
    return f'"{"".join(_escaped(sign) for sign in text)}"'


def _escaped(sign: str) -> str:
    if sign in {'"', "\\"}:
        return f"\\{sign}"
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"


def flow(node: Node) -> str:
    """A node as one line, as it was written but for its comments."""
    if isinstance(node, List):
        return f"[{', '.join(flow(item) for item in node.items)}]"
    if isinstance(node, Map):
        return f"{{{', '.join(f'{written(key)}: {flow(value)}' for key, value in node.entries)}}}"
    return written(node)


def written(text: Text) -> str:
    """A scalar that was read, in quotes where it had some; numbers, yes and no stay as they were written."""
    plain = _WORDS.fullmatch(text.value) or text.value.startswith("$")  # in quotes it would be no setting
    return text.value if plain and not text.quoted else scalar(text.value)


def names(texts: Iterable[str]) -> str:
    """One text, or several as a list on one line."""
    found = [scalar(text) for text in texts]
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: how deep, what, and the remark behind it."""

    depth: int
    text: str
    remark: str = ""


def lines(found: Iterable[Line], *, column: int = 58) -> Iterator[str]:
    """The lines as text, remarks below one another where the line leaves room."""
    for line in found:
        text = "  " * line.depth + line.text
        remark = " ".join(line.remark.split())
        yield (
            f"{text:<{column}}  # {remark}" if remark and text.strip() else f"# {remark}" if remark else text
        )
