"""However a pack is damaged, reading it ends in a pack or in messages, never in a traceback."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.rules.load import load_pack
from pipelint.rules.sections import SHIPPED, shipped_pack
from tests.rules.example_pack import EXAMPLE, adapted

WORDS = ("{", "[", "]", ": ", "- ", "\"", "'", "&a ", "*a", "!x ", "<<", "\t", "\u00a0", "blank", "$x", "today",
         "0", "9" * 30, "yes", "off", "not", "all", "for: lead", "amount", "é", "# ", "\n",
         "stage", "-", "1 month", "3 hours")  # fmt: skip


def _shipped() -> Iterator[tuple[str, str]]:
    builtin = ("builtin", *SHIPPED)
    for name in builtin:
        root = Path(str(shipped_pack(name)))
        for path in sorted(root.rglob("*.yaml")):
            yield f"{name}/{path.name}", path.read_text(encoding="utf-8")


def sources() -> list[tuple[str, str]]:
    found = [pair for pair in _shipped() if "tests" not in pair[0] and not pair[0].startswith("builtin")]
    templates = Path(str(shipped_pack("templates")))
    found += [(path.name, path.read_text(encoding="utf-8")) for path in sorted(templates.glob("*.yaml"))]
    if EXAMPLE.is_dir():
        found += [(name, text) for name, text in adapted().items()]
    return found


def damaged(text: str, chance: random.Random) -> str:
    """Some lines or words deleted, doubled, moved, or replaced."""
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, lines[place])
            case 2:
                lines.insert(place, lines[chance.randrange(len(lines))])
            case 3:
                lines[place] = chance.choice(["", "  ", " "]) + lines[place].lstrip()
            case 4:
                words = lines[place].split(" ")
                words[chance.randrange(len(words))] = chance.choice(WORDS)
                lines[place] = " ".join(words)
            case 5:
                cut = chance.randrange(len(lines[place]) + 1)
                lines[place] = lines[place][:cut] + chance.choice(WORDS) + lines[place][cut:]
            case _:
                key, colon, _ = lines[place].partition(":")
                lines[place] = f"{key}{colon} {chance.choice(WORDS)}\n"
        lines = lines or ["\n"]
    return "".join(lines)


def read(folder: Path) -> None:
    problems = Problems()
    pack = load_pack(folder, "rules", problems)
    assert (pack is None) == bool(problems.errors)
    for problem in problems.found:
        assert problem.what
        assert problem.place.file


@pytest.mark.parametrize("name", [name for name, _ in sources()])
def test_a_damaged_file_ends_in_messages(name, tmp_path):
    text = dict(sources())[name]
    chance = random.Random(name)  # noqa: S311 - the same damage every time
    for _ in range(12):
        (tmp_path / "rules.yaml").write_text(damaged(text, chance), encoding="utf-8")
        read(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in sources()])
def test_a_damaged_file_ends_in_messages_whatever_the_damage(name, tmp_path):
    text = dict(sources())[name]
    chance = random.Random(f"long {name}")  # noqa: S311
    for _ in range(100):
        (tmp_path / "rules.yaml").write_text(damaged(text, chance), encoding="utf-8")
        read(tmp_path)
