"""The manual as the tests read it: pages, their blocks of code, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/rules/*.md"),
        *ROOT.glob("deploy/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
)
MANUAL = [page for page in PAGES if page.name == "README.md" or page.is_relative_to(ROOT / "docs")]
TUTORIAL = ROOT / "docs" / "tutorial.md"

_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: where it begins, its language, and how it is to be treated."""

    page: Path
    line: int
    language: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(*languages: str) -> list[Block]:
    """Every block of the manual in one of these languages; the examples and the tutorial tell their own story."""
    return [
        block
        for page in MANUAL
        if page != TUTORIAL and not page.is_relative_to(ROOT / "examples")
        for block in blocks_of(page)
        if block.language in languages
    ]


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        language, _, kind = found["info"].partition(" ")
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, kind, found["text"])


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Where the page's links lead, other sites apart."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings as links spell them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> list[str]:
    """The lines of a shell example that call pipelint, without what is piped and remarked behind it."""
    return [line.partition(" | ")[0].strip() for line in text.splitlines() if line.startswith("pipelint ")]
