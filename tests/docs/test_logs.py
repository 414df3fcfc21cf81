"""The log's events and fields as the manual lists them are those of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.pages import ROOT

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PAGE = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Logs\n")[2].partition("\n## ")[0]
TABLES = SECTION.partition("\n| field |")


class Line(NamedTuple):
    event: str
    level: str
    fields: frozenset[str]


def documented() -> set[Line]:
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| ([^|]*)\|", TABLES[0], re.MULTILINE)
    return {Line(event, level, frozenset(re.findall(r"`(\w+)`", fields))) for event, level, fields in rows}


def emitted(file: Path) -> Iterator[Line]:
    """What a module logs. Names stand in the call itself, so that this test and a reader can see them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=level)) if level in LEVELS:
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                extra = given.get("extra", ast.Dict([], []))
                assert isinstance(extra, ast.Dict), f"{file}:{node.lineno}"
                facts = {
                    ast.literal_eval(key): value
                    for key, value in zip(extra.keys, extra.values, strict=True)
                    if key
                }
                assert len(facts) == len(extra.keys), f"{file}:{node.lineno} hides names"
                event = ast.literal_eval(facts.pop("event", node.args[0]))
                yield Line(event, level, frozenset(facts))


def in_code() -> set[Line]:
    return {line for file in (ROOT / "pipelint").rglob("*.py") for line in emitted(file)}


def test_every_event_is_documented_with_its_level_and_fields_and_none_besides() -> None:
    assert in_code() == documented()


def test_every_field_is_explained_and_none_besides() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", TABLES[2], re.MULTILINE)
    assert explained == sorted({name for line in in_code() for name in line.fields})


@pytest.mark.parametrize("line", sorted(in_code()), ids=lambda line: line.event.replace(" ", "-"))
def test_no_field_hides_one_that_every_line_has(line: Line) -> None:
    assert not line.fields & {"ts", "level", "event", "error"}
