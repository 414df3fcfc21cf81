"""The tutorial is done as it stands: every file written, every command run, every output compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.cli.app import run
from pipelint.engine import project
from tests.docs.pages import ROOT, TUTORIAL, Block, blocks_of, name

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Admin"), ("EMAIL", "admin@acme.example"))
}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, a terminal of 120 columns, the day of the tutorial, and a git without habits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(project.open_project, "__kwdefaults__", {"clock": lambda: NOW, "stopping": None})
    for key, value in {**WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}.items():
        monkeypatch.setenv(key, value)


def test_the_tutorial_can_be_done_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    said, exits = "", 0
    for block in blocks_of(TUTORIAL):
        if block.language == "sh":
            assert exits == 0, f"{block}: the page does not say that the command before exits with {exits}"
            said, exits = execute(block, capsys)
        elif block.language == "text":
            expected = int(block.kind.removeprefix("exits ") or 0)
            assert exits == expected, f"{block}: exits with {exits}\n{said}"
            assert matches(block.text, said), f"{block}: it says now\n{said}"
            exits = 0
        else:
            edit(block)
    assert exits == 0


def execute(block: Block, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    """What the lines of a block say, and how the last one ends; the others must succeed."""
    said, code = "", 0
    for line in block.text.splitlines():
        assert code == 0, f"{block}: a command exits with {code}\n{said}"
        words = shlex.split(line)
        if words[0] == "pipelint":
            code = int(run(words[1:]))
            said += "".join(capsys.readouterr())
        elif words[0] == "cd":
            os.chdir(words[1])
        else:
            done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
            said, code = said + done.stdout + done.stderr, done.returncode
    return said, code


def matches(shown: str, said: str) -> bool:
    """Whether it says what is shown: `…` is any text, or, alone on a line, any number of lines."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
        for line in narrow(shown)
    ]
    return re.fullmatch("".join(lines), "".join(f"{line}\n" for line in narrow(said))) is not None


def narrow(text: str) -> list[str]:
    """The lines without the width of columns, which follows from rows that may not be shown."""
    return [
        re.sub(r"(?<=\S)  +", "  ", re.sub("─+", "─", line.rstrip())) for line in text.rstrip().splitlines()
    ]


def edit(block: Block) -> None:
    """Write a file, or change, add to or look at one, as the info string of the block says."""
    way, _, file = block.kind.rpartition(" ")
    assert file, f"{block}: say after ```{block.language} which file this is"
    path = Path(file)
    if way == "":
        assert not path.exists(), block
        path.write_text(block.text, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if way == "shown":
        assert block.text == text, f"{block}: the file reads\n{text}"
    elif way == "add":
        path.write_text(text + block.text, encoding="utf-8")
    else:
        assert way == "change", block
        path.write_text(changed(text, block), encoding="utf-8")


def changed(text: str, block: Block) -> str:
    """The text with the keys of the block in place of its own; a new key follows the one before it."""
    first = block.text.partition("\n")[0]
    indent = first[: len(first) - len(first.lstrip())]
    end = 0
    for part in re.findall(rf"^{indent}\S.*\n(?:{indent} .*\n|\n)*", block.text, re.MULTILINE):
        key = part.partition(":")[0]
        found = [*re.finditer(rf"^{key}:.*\n(?:{indent} .*\n)*", text, re.MULTILINE)]
        if key.strip() == "tests":
            found = [*re.finditer(r"^tests:\n(?:.*\n)*", text, re.MULTILINE)]
        assert len(found) == 1 or (not found and end), f"{block}: where is {key.strip()}?"
        begin, end = found[0].span() if found else (end, end)
        text = text[:begin] + part + text[end:]
        end = begin + len(part)
    return text


def test_an_output_matches_only_what_it_shows() -> None:
    assert matches("one\n…\nlast … s\n", "one\nx\ny\nlast 0.1 s\n")
    assert matches("…\none\n", "one\n")
    assert matches("…\na  b\n", "longer  x\na       b\n")
    assert not matches("one\n", "one\ntwo\n")
    assert not matches("  one\n", "    one\n")
    assert not matches("one.\n", "one!\n")


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_tutorial_is_easy_to_find(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"({os.path.relpath(TUTORIAL, (ROOT / page).parent)})" in text, name(TUTORIAL)
