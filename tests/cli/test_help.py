"""Help is quick, complete, and fits the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from pipelint.cli.app import COMMANDS, pipelint
from tests.cli.conftest import Command

HEAVY = {
    "msgspec", "pydantic", "requests", "rich", "ruamel", "simple_salesforce", "sqlite3", "sqlite_utils", "tenacity",
    "werkzeug",
}  # fmt: skip


def _commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        assert each is not None
        yield (*path, name), each
        if isinstance(each, click.Group):
            yield from _commands(each, *path, name)


ALL = dict(_commands(pipelint))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"], ["rules", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import json, sys\n"
        "from pipelint.cli.app import run\n"
        f"code = run({arguments})\n"
        "print(json.dumps([code, sorted(sys.modules)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert not {name.partition(".")[0] for name in modules} & HEAVY


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelint", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: pipelint [OPTIONS] COMMAND [ARGS]...")


def test_without_a_command_there_is_help(command: Command) -> None:
    assert "Commands:\n" in "".join([command().out, command().err])


def test_every_declared_command_is_there() -> None:
    assert {path[0] for path in ALL} == set(COMMANDS)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...]) -> None:
    said = ALL[path].help or ""
    first = said.split("\n\n")[0].strip()
    assert first.endswith(".")
    assert "  " not in first


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("path", [(), ("rules",), ("stages",), ("sandbox",)], ids=" ".join)
def test_no_summary_is_cut(
    path: tuple[str, ...], columns: int, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = command(*path, "--help").out
    assert "..." not in out.partition("\nCommands:\n")[2]
    assert all(len(line) <= columns for line in out.splitlines())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_and_example_is_readable(path: tuple[str, ...], command: Command) -> None:
    """Options have a help text, and examples stand on lines of their own."""
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts} has no help"
    out = command(*path, "--help").out
    assert "\\b" not in out
    for line in (ALL[path].help or "").splitlines():
        if line.startswith("    pipelint "):
            assert f"\n  {line}\n" in out


def test_an_unknown_command_suggests_the_nearest(command: Command) -> None:
    answer = command("chek")
    assert answer.code == 2
    assert "No such command 'chek'. Did you mean 'check'?" in answer.err.replace("\n", " ")
    assert "Did you mean" not in command("zzz").err
