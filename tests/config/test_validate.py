"""One message for each mistake, at its place, in words of the person who made it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Discriminator, Field, Tag

from pipelint.config.nodes import read_text
from pipelint.config.problems import Problems
from pipelint.config.secrets import Origin, SecretRef
from pipelint.config.settings import Settings
from pipelint.config.validate import read_model
from pipelint.config.values import Duration, Percent


class Square(Settings):
    shape: Literal["square"]
    side: int = Field(ge=1, le=9)


class Circle(Settings):
    shape: Literal["circle"]
    radius: int


class Token(Settings):
    token: SecretRef


class Refresh(Settings):
    client_id: str
    refresh_token: SecretRef


def form(value: object) -> str:
    return "token" if isinstance(value, dict) and "token" in value else "refresh"


Auth = Annotated[Annotated[Token, Tag("token")] | Annotated[Refresh, Tag("refresh")], Discriminator(form)]


class Everything(Settings):
    text: str = ""
    count: int = Field(default=1, ge=1)
    yes: bool = False
    share: Percent | None = None
    wait: Duration | None = None
    day: date | None = None
    choice: Literal["preview", "on"] = "on"
    names: tuple[str, ...] = ()
    either: int | Literal["never"] | list[str] = "never"
    form: Annotated[Square | Circle, Field(discriminator="shape")] | None = None
    auth: Auth | None = None
    squares: dict[str, Square] = Field(default={})


def told(text: str) -> list[str]:
    """Every message as `line:column what = hint`."""
    problems = Problems()
    node = read_text(text, "f.yaml", problems)
    assert node is not None
    assert read_model(node, Everything, problems, Origin("acme")) is None
    found = sorted(problems.found, key=lambda one: (one.place.line, one.place.column))
    return [
        f"{one.place.line}:{one.place.column} {one.what} = {one.hint}".removesuffix(" = ") for one in found
    ]


MISTAKES = [
    ("txet: a", ["1:1 'txet' is not known here = did you mean 'text'?"]),
    ("text: [a]", ["1:7 'text' is a list, expected text"]),
    ("text:", ["1:1 'text' is empty, expected text"]),
    ("count: many", ["1:8 'count' is 'many', expected a whole number"]),
    ("count: 0", ["1:8 '0' is too small = the least is 1"]),
    ("yes: maybe", ["1:6 'yes' is 'maybe', expected yes or no"]),
    ("share: 40", ["1:8 'share' is '40', expected a percentage from 0% to 100%"]),
    ("wait: soon", ["1:7 'wait' is 'soon', expected a length of time such as 30s, 15m, 6h or 1d"]),
    ("day: 2026-02-30", ["1:6 'day' is '2026-02-30', expected a date such as 2026-12-31"]),
    ("choice: prevew", ["1:9 'choice' is 'prevew', expected preview or on = did you mean 'preview'?"]),
    ("names: a", ["1:8 'names' is 'a', expected a list"]),
    ("names: [a, {b: c}]", ["1:12 this is a map, expected text"]),
    (
        "either: nevr",
        ["1:9 'either' is 'nevr', expected a whole number, never or a list = did you mean 'never'?"],
    ),
    ("either: [[a]]", ["1:10 this is a list, expected text"]),
    (
        "form: {shape: sqare, side: 2}",
        ["1:15 'shape' is 'sqare', expected square or circle = did you mean 'square'?"],
    ),
    ("form: {side: 2}", ["1:1 'shape' is missing"]),
    ("form: {shape: square}", ["1:1 'side' is missing"]),
    ("form: {shape: square, sied: 2}", ["1:23 'sied' is not known here = did you mean 'side'?"]),
    (
        "form: {shape: circle, color: red}",
        ["1:1 'radius' is missing", "1:23 'color' is not known here = known here: shape, radius"],
    ),
    ("form: square", ["1:7 'form' is 'square', expected a map"]),
    ("squares: {a: {shape: square, side: 10}}", ["1:36 '10' is too large = the most is 9"]),
    (
        "auth: {token: abc}",
        ["1:15 a secret stands here in plain text = write ${env:ACME_TOKEN} and set that variable"],
    ),
    (
        "auth: {token: $CRM_TOKEN}",
        ["1:15 a secret stands here in plain text = write ${env:CRM_TOKEN} and set that variable"],
    ),
    ("auth: {client_id: abc}", ["1:1 'refresh_token' is missing"]),
    ("auth: {token: [abc]}", ["1:15 'token' is a list, expected a reference such as ${env:NAME}"]),
    (
        "text: ${env:UNSET_BY_TEST}",
        ["1:7 the variable UNSET_BY_TEST is not set = set it in the environment of pipelint"],
    ),
    (
        "count: ${env:UNSET_BY_TEST}",
        ["1:8 the variable UNSET_BY_TEST is not set = set it in the environment of pipelint"],
    ),
    ("text: ${HOME}", ["1:7 '${HOME}' is not a reference = write ${env:NAME} or ${file:path}"]),
    ("[a]", ["1:1 this is a list, expected a map"]),
    (
        "count: x\nyes: x\nnmaes: []",
        [
            "1:8 'count' is 'x', expected a whole number",
            "2:6 'yes' is 'x', expected yes or no",
            "3:1 'nmaes' is not known here = did you mean 'names'?",
        ],
    ),
]


@pytest.mark.parametrize(("text", "messages"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_mistakes(text: str, messages: list[str]) -> None:
    assert told(text) == messages


def test_a_scalar_is_text_until_its_field_speaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNT", "12")
    (tmp_path / "name.txt").write_text("Ada\n", encoding="utf-8")
    text = """\
text: 007
count: ${env:COUNT}
yes: yes
share: 40%
wait: 15m
day: 2026-12-31
names: ["${file:name.txt}", no, "${env:UNSET_BY_TEST:-x}y"]
either: 3
"""
    problems = Problems()
    node = read_text(text, "f.yaml", problems)
    assert node is not None
    read = read_model(node, Everything, problems, Origin("acme", tmp_path))
    assert not problems.found
    assert read is not None
    assert (read.text, read.count, read.yes, read.names, read.either) == (
        "007",
        12,
        True,
        ("Ada", "no", "xy"),
        3,
    )
    assert (str(read.share), str(read.wait), str(read.day)) == ("0.4", "0:15:00", "2026-12-31")


def test_text_is_left_alone_where_no_settings_are_read() -> None:
    node = read_text("text: ${whatever}", "rules.yaml", Problems())
    assert node is not None
    read = read_model(node, Everything, Problems())
    assert read is not None
    assert read.text == "${whatever}"


@pytest.mark.parametrize(
    "text",
    [
        "auth: hunter2",
        "auth: {token: hunter2, client_id: x}",
        "auth: {tokn: hunter2}",
        "auth:\n  token: [hunter2, hunter2]",
        "auth:\n  token: {a: hunter2, b: hunter2}",
        "auth:\n  token: hunter2, with a comma",
        "auth:\n  token: 'hunter2'",
        "auth: {refresh_token: hunter2}",
        "nonsense: 1\nauth: {token: hunter2}",
        "{count: x, auth: {token: hunter2}, yes: x}",
    ],
)
def test_the_line_that_is_shown_holds_no_secret(text: str) -> None:
    problems = Problems()
    node = read_text(text, "f.yaml", problems)
    assert node is not None
    assert read_model(node, Everything, problems, Origin("acme")) is None
    assert problems.found
    assert "hunter2" not in repr(problems.found)
