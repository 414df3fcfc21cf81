"""The admin's bench: `pipelint rules …`."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

import click

from pipelint.cli.app import Context
from pipelint.cli.options import formats
from pipelint.errors import ExitCode


@click.group()
def rules() -> None:
    """Look at, check and try the rules of this project."""


@rules.command()
@formats("json", "github")
@click.pass_obj
def validate(context: Context, form: str) -> int:
    """Check every rule file and say all that is wrong at once.

    No data is needed. Exits with 2 for errors, 0 where there are only warnings.
    """
    from pipelint.engine.bench import validate as check
    from pipelint.render.rules import render_problems

    pack, problems = check(context.project)
    click.echo(render_problems(problems, pack, form, color=context.color))
    return ExitCode.USER if any(problem.level == "error" for problem in problems) else ExitCode.OK


@rules.command()
@click.option("--search", default="", metavar="WORD", help="Only names and descriptions that contain this.")
@formats("json")
@click.pass_obj
def fields(context: Context, search: str, form: str) -> int:
    """List what a rule may use: name, type, source, how often filled.

    \b
    Example:
        pipelint rules fields --search "next step"
    """
    from pipelint.engine.bench import usable
    from pipelint.engine.project import open_project
    from pipelint.render.rules import render_fields

    found = list(usable(open_project(context.project), search))
    click.echo(render_fields(found, form, color=context.color))
    return ExitCode.OK


@rules.command(name="list")
@formats("json")
@click.pass_obj
def list_(context: Context, form: str) -> int:
    """List every rule with its severity, status and origin."""
    from pipelint.engine.project import open_project
    from pipelint.render.rules import render_list

    pack = open_project(context.project).pack
    found = sorted(pack.rules.values(), key=lambda rule: (rule.origin != "", rule.name))
    click.echo(render_list(found, pack.settings.languages[0], form, color=context.color))
    return ExitCode.OK


@rules.command()
@click.option("--pack", metavar="NAME", help="A shipped pack's own tests, in each of its languages.")
@formats("json", "github")
@click.pass_obj
def test(context: Context, pack: str | None, form: str) -> int:
    """Run the tests of the rule files; exits with 1 where one fails.

    Says what was expected and which values decided, and lists the rules that no test flags or leaves clean.

    \b
    Examples:
        pipelint rules test
        pipelint rules test --pack default
    """
    from pipelint.engine.tested import run_project_tests, run_shipped_tests
    from pipelint.render.rule_tests import render

    found = [run_project_tests(context.project)] if pack is None else list(run_shipped_tests(pack))
    click.echo(render(found, form, color=context.color))
    failed = any(each.report.failures for each in found)
    return ExitCode.FINDINGS if failed else ExitCode.OK
