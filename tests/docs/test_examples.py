"""Every example of the manual is executed: commands, fragments of YAML, JSON documents, operators."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from textwrap import indent
from typing import Any

import click
import pytest

from docs.generator.packs import STAGES, USED, shipped
from pipelint.cli.app import COMMANDS, pipelint, run
from pipelint.config.nodes import Map, read_text
from pipelint.config.problems import Problems
from pipelint.config.project import load_project_file
from pipelint.connectors import registry
from pipelint.engine.prepare.columns import of_type
from pipelint.engine.prepare.functions import register
from pipelint.engine.rule_tests import run_tests
from pipelint.rules.calendar import PERIOD_UNITS, Calendar
from pipelint.rules.compile_condition import Inputs, Moment, compile_condition
from pipelint.rules.condition_reader import read_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.emit import python
from pipelint.rules.fields import ASPECTS, TEMPORAL, Field, FieldType
from pipelint.rules.ir import SCALE
from pipelint.rules.load import load_pack, load_tests
from pipelint.rules.messages import Reader
from pipelint.rules.operators import EXAMPLE_NOW, EXAMPLE_ORDER, OPERATORS, Example, Operator
from pipelint.rules.pack import Pack
from pipelint.rules.scope import Scope
from pipelint.rules.zones import day_number, microseconds
from tests.docs.pages import MANUAL, ROOT, Block, blocks, commands, name, prose
from tests.docs.project import SCORE, connections, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of files, in which the examples are run."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Commands

SHELL = blocks("sh")


def by_page(kind: str) -> list[Any]:
    found = groupby((block for block in SHELL if block.kind == kind), lambda block: block.page)
    return [pytest.param(list(examples), id=name(page)) for page, examples in found]


def test_every_shell_example_says_whether_it_can_be_run_without_a_crm() -> None:
    assert {block.kind for block in SHELL} == {"run", "shown"}


@pytest.mark.parametrize("examples", by_page("run"))
def test_examples_that_need_no_crm_run(
    examples: list[Block], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in examples:
        assert commands(block.text), block
        for line in commands(block.text):
            code = run(shlex.split(line, comments=True)[1:])
            assert code in {0, 1}, f"{block}: {line}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("examples", by_page("shown"))
def test_examples_that_need_a_crm_are_at_least_well_formed(examples: list[Block], project: Path) -> None:
    for block in examples:
        for line in commands(block.text):
            parse(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("page", MANUAL, ids=name)
def test_commands_in_the_text_are_well_formed(page: Path, project: Path) -> None:
    for line in re.findall(r"`pipelint ([^`]+)`", prose(page)):
        words = shlex.split(line.partition(" | ")[0].replace("\\", ""))
        if words[0] in COMMANDS or words[0].startswith("-"):
            parse(words)


def parse(words: list[str]) -> None:
    """Read a command line as far as the command's own options, without doing anything."""
    context = pipelint.make_context("pipelint", words)
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        found, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(found, rest, parent=context)


def test_make_targets_of_the_readme_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(
        r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    ):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# YAML


def the_project(text: str, folder: Path) -> None:
    (folder / "pipelint.yaml").write_text(text, encoding="utf-8")
    problems = Problems()
    file = load_project_file(folder, problems, known_crms=registry.known())
    assert file is not None, problems.errors
    for connection in file.connections.values():
        connection.settings(registry.load(connection.crm).Settings, problems)
    assert problems.found == []


def the_rules(text: str, folder: Path, *, stages: str = STAGES) -> Pack:
    (folder / "rules").mkdir()
    (folder / "rules" / "example.yaml").write_text(text, encoding="utf-8")
    if stages:
        (folder / "rules" / "stages.yaml").write_text(stages, encoding="utf-8")
    problems = Problems()
    pack = load_pack(folder / "rules", "rules", problems)
    assert problems.found == []
    assert pack is not None
    return pack


def section(text: str, folder: Path) -> None:
    the_rules(f"pipelint: 1\n{text}", folder)


def rules_with_tests(text: str, folder: Path) -> None:
    """Rules with tests: they load, and the tests succeed."""
    (folder / "stages.yaml").write_text(STAGES, encoding="utf-8")
    (folder / "tests.yaml").write_text(f"pipelint: 1\n{text}", encoding="utf-8")
    problems = Problems()
    pack, cases = load_tests(folder, "rules", problems)
    assert problems.found == []
    assert pack is not None
    assert cases
    assert run_tests(pack, cases).failures == ()


def condition(text: str, folder: Path) -> None:
    rule = f"flag_when:\n{indent(text, '  ')}\nseverity: info\nmessage: an example\n"
    section(f"rules:\n  example:\n{indent(rule, '    ')}", folder)


def the_shipped(text: str, folder: Path) -> None:
    """A shipped rule by itself: the rules that it hides are put beside it."""
    hidden = [
        name.strip().partition("/")[0]
        for found in re.findall(r"hides: \[(.*?)\]", text)
        for name in found.split(",")
    ]
    known = {*re.findall(r"^  ([a-z0-9-]+):", text, re.MULTILINE), *BUILT_IN}
    stub = "    {title: beside it, flag_when: {amount: blank}, severity: info, message: beside it}\n"
    section(
        text + "".join(f"  {each}:\n{stub}" for each in dict.fromkeys(hidden) if each not in known), folder
    )


def texts(text: str, folder: Path) -> None:
    """Texts of a rule that pipelint makes itself: they stand so in its file."""
    problems = Problems()
    node = read_text(text, "example", problems)
    assert problems.found == []
    rules = node.get("rules") if isinstance(node, Map) else None
    assert isinstance(rules, Map)
    assert set(rules.names()) <= BUILT_IN


BUILT_IN = {rule.name for rule in shipped().pack.rules.values() if rule.origin == "builtin"}
WAYS: dict[str, Callable[[str, Path], object]] = {
    "project": the_project,
    "connections": lambda text, folder: the_project(connections(text), folder),
    "file": the_rules,
    "section": section,
    "stages": lambda text, folder: the_rules(f"pipelint: 1\n{text}", folder, stages=""),
    "condition": condition,
    "tested": rules_with_tests,
    "shipped": the_shipped,
    "texts": texts,
}
"""What a block of YAML is a part of, as its info string says, and how that is read."""


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if block.kind != "override"], ids=str)
def test_every_fragment_of_yaml_loads(block: Block, tmp_path: Path) -> None:
    assert block.kind in WAYS, "say after ```yaml what this is a part of"
    WAYS[block.kind](block.text, tmp_path)


def test_the_overrides_of_all_pages_of_rules_load(tmp_path: Path) -> None:
    """All in one file, since each of them would read the whole default pack."""
    written = [
        block.text.partition("overrides:\n")[2] for block in blocks("yaml") if block.kind == "override"
    ]
    assert len(written) == len(shipped().pack.rules)
    section(f"uses: [{', '.join(USED)}]\noverrides:\n{''.join(written)}", tmp_path)


def test_the_rule_of_the_readme_says_what_the_readme_says(tmp_path: Path) -> None:
    (rule,) = (block for block in blocks("yaml") if block.page.name == "README.md")
    (said,) = (block for block in blocks("text") if block.kind == "message")
    pack = the_rules(f"pipelint: 1\n{rule.text}", tmp_path)
    known = pack.known["opportunity"]
    row = {
        known["amount"].main.name: 64_000 * SCALE,
        known["stage"].main.name: [stage.name for stage in pack.stages].index("proposal") + 1,
        known["last_touch"].main.name: 1,
        known["last_touch"].column("day").name: day_number(date(2026, 11, 2)),
    }
    found = pack.rules["big-deal-gone-quiet"]
    message = Reader(row, known).fill(found.message.say("en"))
    assert said.text.strip() == f"{found.name}: {message}"


# JSON

FREE = {
    "by_rule",
    "categories",
    "connections",
    "streams",
}  # maps by names that differ from project to project
OPTIONAL = {"items", "notices", "waiver"}


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_documents_have_the_keys_that_the_manual_shows(
    block: Block, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "rules" / "score.yaml").write_text(SCORE, encoding="utf-8")
    words = shlex.split(block.kind)
    if words[0] not in {"pull", "run"}:
        assert run(["pull"]) == 0
        capsys.readouterr()
    run([*words, "--format", "json"])
    same_shape(json.loads(capsys.readouterr().out), json.loads(block.text), "")


def same_shape(real: object, shown: object, where: str) -> None:
    if isinstance(real, dict) and isinstance(shown, dict):
        if where.rpartition(".")[2] in FREE:
            real, shown = ({"*": next(iter(each.values()))} if each else {} for each in (real, shown))
        assert {*real} - OPTIONAL == {*shown} - OPTIONAL, where
        for key in real.keys() & shown.keys():
            same_shape(real[key], shown[key], f"{where}.{key}")
    elif isinstance(real, list) and isinstance(shown, list):
        for one, other in zip(real[:1], shown[:1], strict=False):
            same_shape(one, other, f"{where}[]")
    elif real is not None and shown is not None:
        numbers = {int, float}
        assert type(real) is type(shown) or {type(real), type(shown)} <= numbers, where


# Operators

CALENDAR = Calendar()
MOMENT = Moment(CALENDAR, CALENDAR.instant(datetime.fromisoformat(EXAMPLE_NOW)))
EXAMPLES = [
    pytest.param(each, example, holds, id=f"{each.name} {each.example_type.value} {holds}")
    for each in OPERATORS
    for example, holds in ((each.true, True), (each.false, False))
]


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """The functions that prepare values in the cache."""
    database = sqlite3.connect(":memory:")
    register(database, CALENDAR, ())
    yield database
    database.close()


def field_of(each: Operator, called: str) -> Field:
    values = EXAMPLE_ORDER if each.example_type is FieldType.ORDERED else ()
    return Field(called, each.example_type, "an example", values=values)


def read(each: Operator, example: Example) -> Condition:
    fields = {called: field_of(each, called) for called in ("value", "other")}
    problems = Problems()
    node = read_text(f"value: {{{each.name}: {example.operand}}}", "example", problems)
    assert node is not None
    found = read_condition(node, Scope("the example", fields, CALENDAR), problems)
    assert problems.found == []
    assert found is not None
    return found


def prepared(database: sqlite3.Connection, field: Field, value: str) -> dict[str, Any]:
    """The columns that the cache would hold of a value."""
    if field.type is FieldType.ORDERED:
        return {field.main.name: field.values.index(value) + 1 if value else None}
    stored: str | int | None = value or None
    aspects = [*ASPECTS[field.type]]
    if field.type in TEMPORAL:
        aspects += [f"{unit}{end}" for unit in PERIOD_UNITS for end in ("", "_end")]
        stored = microseconds(CALENDAR.instant(datetime.fromisoformat(value))) if value else None
    return {
        field.column(aspect).name: database.execute(
            f"SELECT {of_type(field, aspect, '?1')}", (stored,)
        ).fetchone()[0]
        for aspect in aspects
    }


def answer(database: sqlite3.Connection, each: Operator, example: Example, value: str) -> object:
    verdict = python.function(compile_condition(read(each, example), Inputs(), MOMENT))
    row = prepared(database, field_of(each, "value"), value)
    return verdict(row | prepared(database, field_of(each, "other"), example.other))


@pytest.mark.parametrize(("each", "example", "holds"), EXAMPLES)
def test_the_examples_of_every_operator(
    database: sqlite3.Connection, each: Operator, example: Example, holds: bool
) -> None:
    assert bool(answer(database, each, example, example.value)) is holds
    assert answer(database, each, example, example.value) is not None


@pytest.mark.parametrize("each", OPERATORS, ids=lambda each: f"{each.name} {each.example_type.value}")
def test_every_test_of_a_blank_has_no_answer(database: sqlite3.Connection, each: Operator) -> None:
    assert answer(database, each, each.true, "") is None
