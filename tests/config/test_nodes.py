"""Broken YAML is answered with a sentence, at the place where a person would look."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import List, Map, Text, read_file, read_text
from pipelint.config.problems import Problems
from pipelint.errors import Place

BROKEN = [
    ("a:\n\tb: 1", "2:1 a tab was used for indentation = use spaces"),
    ("a:\n  - b\n\u00a0 - c", "3:1 a no-break space was used for indentation"),
    ("a: b: c", "1:5 the value of 'a' contains ': ', which YAML reads as another name = put quotes around"),
    ("a: > 25", "1:4 '>' cannot start a value in YAML = write a word instead"),
    ("a: >5", "1:4 '>' and '>=' cannot start a value in YAML = write a word instead"),
    ("a: @x", "1:4 '@' cannot start a value in YAML"),
    ("a: 1\n b: 2", "2:3 a name with ':' is not expected here = check the indentation"),
    ("a:\n    b: 2\n  c: 3", "3:3 this line does not belong to what stands above it = check the indentation"),
    ("a: 1\nb\nc: 1", "2:1 a name needs ':' after it"),
    ("a: 'b", "1:4 a quote is opened here and not closed = add the closing quote"),
    (
        "a: [1, 2\nb: 3",
        "2:2 expected ',' or ']' here = a comma is missing, or the '[' of line 1 is not closed",
    ),
    (
        "a: {b: 2\nc: 3",
        "2:2 expected ',' or '}' here = a comma is missing, or the '{' of line 1 is not closed",
    ),
    ("a: {b: ${env:X}}", '1:9 inside { } or [ ] a reference needs quotes = write "${env:X}"'),
    ("a: 1\na: 2", "2:1 'a' is given twice in the same place = first given on line 1; keep one"),
    ("a: &x 1", "1:4 '&x' refers to another place in the file"),
    ("a: *x", "1:4 '*x' refers to another place in the file"),
    ("a: !!int 3", "1:4 the tag 'tag:yaml.org,2002:int' is not used in our files = leave it out"),
    ("---\na: 1\n---\nb: 1", "3:1 a second document begins here"),
    ("[a]: 1", "1:1 a list cannot be a name"),
    ("\u201ca\u201d: 1", "1:1 '\u201ca\u201d' contains a curly quote"),
    ("a: \u0007", "1:1 a character that YAML does not allow"),
]


@pytest.mark.parametrize(("text", "told"), BROKEN, ids=[repr(text) for text, _ in BROKEN])
def test_broken_yaml(text: str, told: str) -> None:
    problems = Problems()
    read_text(text, "f.yaml", problems)
    (problem,) = problems.found
    message = f"{problem.place.line}:{problem.place.column} {problem.what} = {problem.hint}"
    assert message.startswith(told)


def test_nodes_keep_text_and_place() -> None:
    problems = Problems()
    node = read_text("zip: 01234\nlist: [no, 'yes']\nempty:\nquoted: ''\n", "f.yaml", problems)
    assert not problems.found
    assert isinstance(node, Map)
    assert node.names() == ("zip", "list", "empty", "quoted")
    code, items, empty, quoted = (value for _, value in node.entries)
    assert isinstance(code, Text)
    assert isinstance(items, List)
    assert (code.value, str(code.place)) == ("01234", "f.yaml:1:6")
    assert [item.value for item in items.items if isinstance(item, Text)] == ["no", "yes"]
    assert isinstance(empty, Text)
    assert empty.is_empty
    assert isinstance(quoted, Text)
    assert not quoted.is_empty


def test_a_file_that_is_not_text_is_a_problem(tmp_path: Path) -> None:
    problems = Problems()
    (tmp_path / "a.yaml").write_bytes(b"a: \xff")
    assert read_file(tmp_path / "a.yaml", "a.yaml", problems) is None
    assert read_file(tmp_path / "b.yaml", "b.yaml", problems) is None
    assert [problem.what for problem in problems.found] == [
        "the file is not UTF-8 text (byte 3)",
        "the file cannot be read: No such file or directory",
    ]


def test_a_warning_stops_nothing() -> None:
    problems = Problems()
    read_text("a: 1", "f.yaml", problems)
    problems.warn(Place("f.yaml", 1, 1), "odd")
    problems.raise_if_any()
    assert [(problem.level, problem.line) for problem in problems.found] == [("warning", "a: 1")]
