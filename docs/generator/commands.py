"""`commands.md`: every command, option and example, out of the command line itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from docs.generator.markdown import block, code, heading, page, sentence, table
from pipelint.cli.app import pipelint

INTRODUCTION = """
Results go to stdout, everything else to stderr, so `pipelint check --format json | jq` always works. Progress bars
and colours appear on a terminal only. `pipelint COMMAND --help` says what stands here.
"""

EXITS = {
    "demo": "0 at the end of the demonstration",
    "init": "0 when the files were written; 2 when one of them is there already",
    "doctor": "0 without a problem, 1 with one; warnings do not count",
    "stages import": "0 when the proposal was made",
    "setup": "0; 1 when a field of the same name but of another type is in the way",
    "pull": "0; 3 when a connection could not be reached or read",
    "check": "0; 1 when something is flagged at or above `--fail-on`",
    "explain": "0; 2 when there is no such record or rule",
    "push": "0; 2 in preview, unless `--dry-run` is given; 4 when a limit or the CRM refused something",
    "run": "0, with findings too; 3 when a CRM could not be reached; 4 when the write-back is incomplete",
    "rules validate": "0, with warnings too; 2 with errors",
    "rules fields": "0",
    "rules list": "0",
    "rules test": "0; 1 when a test fails",
    "rules new": "0; 2 when there is such a rule already",
    "rules show": "0; 2 when there is no such rule",
    "rules try": "0; 2 when there is no such rule",
    "rules schema": "0 when the file was written",
    "rules diff": "0; 1 when more flags change than `--max-flips` allows",
    "runs": "0",
    "runs show": "0; 2 when there is no such run",
    "undo": "0; 4 when the CRM refused something",
    "sandbox hubspot": "0 when it was stopped",
    "sandbox pipedrive": "0 when it was stopped",
    "sandbox salesforce": "0 when it was stopped",
}
"""What the exit codes of a command mean, beside those that all commands share."""

NOT_RUN = {
    "demo",
    "push",
    "rules diff",
    "run",
    "runs",
    "runs show",
    "sandbox hubspot",
    "sandbox pipedrive",
    "sandbox salesforce",
    "undo",
}
"""Examples of these are not executed by the tests: they need a CRM or a history, or take their time."""


def leaves(
    command: click.Command = pipelint, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name."""
    if not isinstance(command, click.Group) or (path and command.invoke_without_command):
        yield " ".join(path), command
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from leaves(inner, (*path, name))


def commands_page() -> str:
    """The page."""
    found = dict(leaves())
    overview = [
        (f"[`{name}`](#pipelint-{name.replace(' ', '-')})", sentence(_paragraphs(command)[0]))
        for name, command in found.items()
    ]
    parts = [
        INTRODUCTION,
        table(("command", "does"), overview),
        heading("Global options"),
        "They stand before the command: `pipelint -C acme check`.",
        _options(pipelint),
    ]
    for name, command in found.items():
        parts += _command(name, command)
    return page("Commands", *parts)


def _command(name: str, command: click.Command) -> Iterator[str]:
    yield heading(f"pipelint {name}")
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    yield block(f"pipelint {name} {usage}", "text")
    yield from (paragraph for paragraph in _paragraphs(command))
    yield _options(command)
    if examples := _examples(command):
        yield block("\n".join(examples), "sh shown" if name in NOT_RUN else "sh run")
    yield f"Exit codes: {EXITS.get(name, 0)}; and [those that all commands share](exit-codes-and-json.md)."


def _options(command: click.Command) -> str:
    rows = [_option(each) for each in command.params if isinstance(each, click.Option) and not each.hidden]
    return table(("option", "default", "meaning"), rows)


def _option(option: click.Option) -> tuple[str, str, str]:
    names = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    takes = option.type.choices if isinstance(option.type, click.Choice) else ()
    if takes:
        names += " " + code("|".join(str(word) for word in takes))
    elif not (option.is_flag or option.count):
        names += " " + code(option.metavar or option.type.name.upper())
    given = (
        option.default
        if isinstance(option.default, str | int) and not isinstance(option.default, bool)
        else ""
    )
    shown = "" if option.is_flag or option.count or given == "" else code(str(given))
    return names, shown, sentence(option.help or "")


def _text(command: click.Command) -> str:
    text = inspect.cleandoc((command.callback.__doc__ if command.callback else command.help) or "")
    return text.replace("\\b\n", "\b\n")


def _paragraphs(command: click.Command) -> list[str]:
    """The words of a docstring, without its examples."""
    parts = re.split(r"\n\s*\n", _text(command))
    return [" ".join(part.split()) for part in parts if not part.startswith("\b")]


def _examples(command: click.Command) -> list[str]:
    parts = re.split(r"\n\s*\n", _text(command))
    blocks = [part.removeprefix("\b\n") for part in parts if part.startswith("\b")]
    return [line.strip() for part in blocks for line in part.splitlines() if line.startswith(" ")]
