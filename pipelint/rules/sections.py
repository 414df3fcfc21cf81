"""Rule files as sections: every file of a folder, the packs it uses, and each name's one definition."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pipelint.config.nodes import List, Map, Node, Problems, Text, did_you_mean, kind_of, read_text
from pipelint.errors import Place

FORMAT = "1"
NAMED = (
    "fields", "roles", "activity_types", "forecast_categories", "crm_fields", "pipelines", "facts",
    "conditions", "segments", "rules", "scores",
)  # fmt: skip
SINGLE = ("pack", "uses", "overrides", "currency", "stages")
LATER = {"baselines", "targets"}
TESTS_FILE = "tests.yaml"
SHIPPED = ("default", "six", "bant", "meddpicc", "spiced")


@dataclass(frozen=True, slots=True)
class Entry:
    """One named definition, and which pack it comes from ('' for the project's own files)."""

    key: Text
    node: Node
    origin: str


@dataclass(slots=True)
class Sections:
    """Everything that the files define, by section and name."""

    named: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in NAMED})
    declared: dict[str, Entry] = field(default_factory=dict)
    """The `fields:` of used packs: a shipped pack says what a field is, the project where it lives."""
    single: dict[str, tuple[Node, str]] = field(default_factory=dict)
    overrides: list[tuple[Text, Node]] = field(default_factory=list)
    waivers: list[Node] = field(default_factory=list)
    tests: list[Node] = field(default_factory=list)
    """The project's own; a shipped pack's tests are not even read, they took half the time."""
    digest: str = ""


def read_sections(folder: Path, shown: str, problems: Problems) -> Sections:
    """All sections of a pack folder and of the shipped packs it uses; `shown` is how messages call the folder."""
    sections = Sections()
    hashed = hashlib.sha256()
    before = len(problems.found)
    files = sorted(_rule_files(folder, shown, problems))
    if not files and len(problems.found) == before:
        problems.error(
            Place(shown), "there are no rule files (*.yaml) here", "run 'pipelint init' to get a first pack"
        )
    _shipped("builtin", sections, problems, hashed)
    for path in files:
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            what = f"the file is not UTF-8 text (byte {error.start})"
            problems.error(Place(name), what, "save it as UTF-8")
        except OSError as error:
            problems.error(Place(name), f"the file cannot be read: {error.strerror}")
        else:
            _file(text, name, "", sections, problems, hashed)
    uses = sections.single.get("uses")
    for used in _uses(uses[0] if uses else None, problems):
        _shipped(used, sections, problems, hashed)
    sections.digest = hashed.hexdigest()[:16]
    return sections


def _rule_files(folder: Path, shown: str, problems: Problems) -> Iterator[Path]:
    """Every *.yaml at any depth; a folder that may not be read is reported."""

    def unreadable(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            below = Path(error.filename).relative_to(folder).as_posix()
            problems.error(
                Place(f"{shown}/{below}".removesuffix("/.")), f"the folder cannot be read: {error.strerror}"
            )

    for place, _, names in os.walk(folder, onerror=unreadable):
        yield from (Path(place, name) for name in names if name.endswith(".yaml"))


def _uses(node: Node | None, problems: Problems) -> Iterator[str]:
    items = () if node is None else node.items if isinstance(node, List) else (node,)
    seen: set[str] = set()
    for item in items:
        written = item.value if isinstance(item, Text) else ""
        name, _, version = written.partition("@")
        if name not in SHIPPED:
            problems.error(
                item.place,
                f"there is no shipped pack named '{name}'" if name else f"{kind_of(item)} is no pack",
                did_you_mean(name, SHIPPED) or f"shipped are: {', '.join(f'{pack}@1' for pack in SHIPPED)}",
            )
        elif version != "1":
            problems.error(item.place, f"'{written}' names no version that is shipped", f"write {name}@1")
        elif name in seen:
            problems.error(item.place, f"the pack '{name}' is used twice", "keep one")
        else:
            seen.add(name)
            yield name


def shipped_pack(name: str) -> Traversable:
    """The folder of a pack that comes with pipelint."""
    return resources.files("pipelint.rules") / "packs" / name


def _shipped(name: str, sections: Sections, problems: Problems, hashed: hashlib._Hash) -> None:
    for path in sorted(_yaml_files(shipped_pack(name)), key=lambda item: item.name):
        _file(path.read_text(encoding="utf-8"), f"{name}@1/{path.name}", name, sections, problems, hashed)


def _yaml_files(folder: Traversable) -> Iterator[Traversable]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _yaml_files(item)
        elif item.name.endswith(".yaml") and item.name != TESTS_FILE:
            yield item


def _file(
    text: str, shown: str, origin: str, sections: Sections, problems: Problems, hashed: hashlib._Hash
) -> None:
    hashed.update(text.encode())
    node = read_text(text, shown, problems)
    if node is None:
        return
    if not isinstance(node, Map):
        problems.error(node.place, f"{kind_of(node)} stands where the sections of a rule file are expected")
        return
    version = node.get("pipelint")
    if not isinstance(version, Text) or version.value != FORMAT:
        place = version.place if version else Place(shown, 1, 1)
        if isinstance(version, Text) and version.value.isdecimal():
            what = f"the file is written in format {version.value}, and this pipelint reads format {FORMAT}"
            hint = (
                "install a newer pipelint"
                if int(version.value) > int(FORMAT)
                else f"write pipelint: {FORMAT}"
            )
            problems.error(place, what, hint)
        else:
            problems.error(place, "the file does not say its format", "begin it with 'pipelint: 1'")
    for key, value in node.entries:
        if key.value != "pipelint":
            _section(key, value, origin, sections, problems)


def _section(key: Text, value: Node, origin: str, sections: Sections, problems: Problems) -> None:
    name = key.value
    if name in LATER:
        problems.error(key.place, f"the section '{name}' is not supported yet", "leave it out for now")
    elif name == "tests":
        sections.tests.append(value)
    elif name == "waivers":
        sections.waivers.append(value)
    elif name == "overrides":
        if isinstance(value, Map):
            sections.overrides.extend(value.entries)
        else:
            problems.error(value.place, f"{kind_of(value)} stands where overrides by rule are expected")
    elif name in SINGLE:
        if name in sections.single and not origin:
            problems.error(key.place, f"'{name}' is given in another file too", "keep it in one file")
        elif not (origin and name in {"pack", "uses"}):
            sections.single[name] = (value, origin)
    elif name in NAMED:
        _names(name, value, origin, sections, problems)
    else:
        known = (*NAMED, *SINGLE, "tests")
        hint = did_you_mean(name, known) or f"sections are: {', '.join(known)}"
        problems.error(key.place, f"'{name}' is not a section of a rule file", hint)


def _names(section: str, value: Node, origin: str, sections: Sections, problems: Problems) -> None:
    if isinstance(value, Text) and value.is_empty:
        return
    if not isinstance(value, Map):
        hint = "write 'name:' and indent what belongs to it below"
        problems.error(value.place, f"{kind_of(value)} stands where named {section} are expected", hint)
        return
    for key, node in value.entries:
        if section == "fields" and origin:
            sections.declared.setdefault(key.value, Entry(key, node, origin))
            continue
        before = sections.named[section].get(key.value)
        replaces = isinstance(node, Map) and node.get("replaces_builtin") is not None
        if before is None or (before.origin == "builtin" and replaces):
            sections.named[section][key.value] = Entry(key, node, origin)
        elif before.origin == "builtin" and section == "rules":
            hint = "change it under 'overrides:', or give yours another name"
            problems.error(key.place, f"'{key.value}' is a rule of pipelint's own", hint)
        elif before.origin == "builtin":
            hint = "add 'replaces_builtin: yes' if you mean to take its name"
            problems.error(key.place, f"'{key.value}' is a built-in fact", hint)
        else:
            _twice(section, key, before, origin, problems)


def _twice(section: str, key: Text, before: Entry, origin: str, problems: Problems) -> None:
    mine, other = (before.key, key) if origin and not before.origin else (key, before.key)
    used = origin or before.origin
    hint = f"change what {used}@1 defines under 'overrides:'" if used else "give one of the two another name"
    problems.error(mine.place, f"'{key.value}' is defined twice in {section}: also at {other.place}", hint)
