"""The group of all commands, its global options, and the way errors leave."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from pipelint.errors import ExitCode
from pipelint.render.errors import Doorstep, handle

# Command → the module that declares it; a module is imported when one of its commands is used or listed.
COMMANDS = {
    "demo": "start",
    "init": "start",
    "doctor": "start",
    "stages": "start",
    "setup": "start",
    "pull": "work",
    "check": "work",
    "explain": "work",
    "push": "work",
    "run": "work",
    "runs": "journal",
    "undo": "journal",
    "rules": "rules",
    "sandbox": "sandbox",
}


@dataclass(slots=True)
class Context:
    """The global options."""

    project: Path
    verbosity: int
    color: bool
    doorstep: Doorstep
    exit_code: ExitCode = ExitCode.OK

    def reached(self, code: ExitCode) -> None:
        """The highest code reached wins."""
        self.exit_code = max(self.exit_code, code)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(f"pipelint.cli.{module}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "-C",
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="The project's folder.",
)
@click.option("-v", "--verbose", count=True, help="Say more; twice for everything.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("--no-color", is_flag=True, help="Plain text, also on a terminal.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="The form of log lines on stderr.",
)
@click.version_option(package_name="pipelint", prog_name="pipelint")
@click.pass_context
def pipelint(
    ctx: click.Context, project: Path, verbose: int, quiet: bool, no_color: bool, log_format: str
) -> None:
    """Pipelint is a linter for your sales pipeline.

    It pulls opportunities out of your CRM, checks them against rules that you edit, and writes flags and
    scores back, so that managers see them where they work.

    \b
    See it work, without a CRM account:
        pipelint demo
    Begin with your own:
        pipelint init --crm salesforce
    """
    doorstep: Doorstep = ctx.obj
    doorstep.project = project
    doorstep.color = doorstep.color and not no_color
    doorstep.logs = "json" if log_format == "json" else "text"
    from pipelint.render.logs import configure

    configure(-1 if quiet else verbose, doorstep.logs)
    ctx.obj = Context(project, -1 if quiet else verbose, doorstep.color, doorstep)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""

    def command(doorstep: Doorstep) -> int:
        try:
            answer: Any = pipelint.main(
                list(arguments), prog_name="pipelint", obj=doorstep, standalone_mode=False
            )
        except click.ClickException as error:
            error.show()
            return int(ExitCode.USER)
        except click.exceptions.Abort:
            raise KeyboardInterrupt from None
        return int(answer) if isinstance(answer, int) else int(ExitCode.OK)

    return handle(command)
