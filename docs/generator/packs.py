"""The shipped packs as the pages need them: loaded, as nodes, and as the text of their files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelint.config.nodes import List, Map, Node, Text
from pipelint.config.problems import Problems
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack
from pipelint.rules.sections import SHIPPED, Entry, Sections, read_sections, shipped_pack

STAGES = (shipped_pack("templates") / "six-stages.yaml").read_text(encoding="utf-8")
PACKS = tuple(name for name in SHIPPED if shipped_pack(name).is_dir())
USED = tuple(f"{name}@1" for name in PACKS)
PACK = f"pipelint: 1\npack: {{name: docs, languages: [en, fr]}}\nuses: [{', '.join(USED)}]\n"


@dataclass(frozen=True, slots=True)
class Shipped:
    """Everything that is shipped, together with the stages that `init` writes."""

    pack: Pack
    sections: Sections


@cache
def shipped() -> Shipped:
    """All shipped packs, loaded once."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pack.yaml").write_text(PACK, encoding="utf-8")
        (folder / "stages.yaml").write_text(STAGES, encoding="utf-8")
        problems = Problems()
        pack = load_pack(folder, "rules", problems)
        sections = read_sections(folder, "rules", problems)
    if pack is None:
        raise LookupError(f"the shipped packs do not load: {problems.errors}")
    return Shipped(pack, sections)


@cache
def _files() -> Mapping[str, str]:
    """The text of every shipped file, by the name that places give it: `default@1/facts.yaml`."""
    found: dict[str, str] = {}
    for name in ("builtin", *PACKS):
        for path in _yaml(shipped_pack(name)):
            found[f"{name}@1/{path.name}"] = path.read_text(encoding="utf-8")
    return found


def _yaml(folder: Traversable) -> Iterator[Traversable]:
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.is_dir():
            yield from _yaml(item)
        elif item.name.endswith(".yaml"):
            yield item


def entries(section: str) -> Mapping[str, Entry]:
    """The definitions of one section; shipped packs only declare fields, since a project says where they are."""
    sections = shipped().sections
    return sections.declared if section == "fields" else sections.named[section]


def source(section: str, name: str) -> str:
    """The lines of one definition as they stand in its file, with the comment above it."""
    entry = entries(section)[name]
    lines = _files()[entry.key.place.file].splitlines()
    start = end = entry.key.place.line - 1
    while re.match(r"  #", lines[start - 1]):
        start -= 1
    end += 1
    while end < len(lines) and re.match(r"   |\s*$", lines[end]):
        end += 1
    return "\n".join(lines[start:end]).rstrip()


def words_in(node: Node) -> Iterator[str]:
    """Every scalar and key of a node, from which the names it uses can be picked."""
    if isinstance(node, Text):
        yield node.value
    elif isinstance(node, List):
        for item in node.items:
            yield from words_in(item)
    else:
        for key, value in node.entries:
            yield key.value
            yield from words_in(value)


def shown(node: Node) -> str:
    """A node on one line, as it would be written in YAML."""
    if isinstance(node, List):
        return f"[{', '.join(map(shown, node.items))}]"
    if isinstance(node, Map):
        return f"{{{', '.join(f'{key.value}: {shown(value)}' for key, value in node.entries)}}}"
    return f'"{node.value}"' if node.quoted else node.value
