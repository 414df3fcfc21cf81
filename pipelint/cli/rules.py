"""The admin's bench: `pipelint rules …`."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

from typing import Literal

import click

from pipelint.cli.app import Context
from pipelint.cli.options import formats
from pipelint.errors import ExitCode


@click.group()
def rules() -> None:
    """Look at, check and try the rules of this project."""


@rules.command()
@click.option(
    "--with-cache", is_flag=True, help="Warn too about rules that the data makes look odd, after a pull."
)
@formats("json", "github")
@click.pass_obj
def validate(context: Context, with_cache: bool, form: str) -> int:
    """Check every rule file and say all that is wrong at once.

    No data is needed. Exits with 2 for errors, 0 where there are only warnings.
    """
    from pipelint.engine.bench import validate as check
    from pipelint.render.rules import render_problems

    pack, problems = check(context.project)
    if with_cache and pack is not None:
        from pipelint.engine.project import open_project
        from pipelint.engine.smells import smells

        project = open_project(context.project)
        with project.cache() as cache:
            problems = [*problems, *smells(cache, project)]
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


@rules.command()
@click.argument("name")
@click.option(
    "--for",
    "kind",
    type=click.Choice(["opportunity", "lead"]),
    default="opportunity",
    help="What the rule is about.",
)
@click.pass_obj
def new(context: Context, name: str, kind: Literal["opportunity", "lead"]) -> int:
    """Write a new rule with two tests, to be changed.

    \b
    Example:
        pipelint rules new no-competitor
    """
    from pipelint.config.paths import shown
    from pipelint.engine.new_rule import new_rule
    from pipelint.engine.project import open_project

    path = new_rule(open_project(context.project), name, kind)
    click.echo(f"{shown(path, context.project)} is written. Change it, then run: pipelint rules test")
    return ExitCode.OK


@rules.command()
@click.argument("name")
@formats("json")
@click.pass_obj
def show(context: Context, name: str, form: str) -> int:
    """Show one rule: texts, settings, tests, how often it fires.

    Settings are shown with everything that changes them, and where that is written.
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.rule_page import rule_page
    from pipelint.render.rule_bench import render_page

    project = open_project(context.project)
    language = project.pack.settings.languages[0]
    click.echo(render_page(rule_page(project, name), language, form, color=context.color))
    return ExitCode.OK


@rules.command(name="try")
@click.argument("name")
@formats("json")
@click.pass_obj
def try_(context: Context, name: str, form: str) -> int:
    """Try one rule on the cache, whatever its status.

    Shows how many records it flags, which, and what could not be checked. Grace and rules that hide this one
    are left aside.
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.try_rule import try_rule
    from pipelint.render.rule_bench import render_tried

    project = open_project(context.project)
    with project.cache() as cache:
        tried = try_rule(cache, project, name, project.clock())
    click.echo(render_tried(tried, form, color=context.color))
    return ExitCode.OK


@rules.command()
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--max-flips", type=click.IntRange(min=0), metavar="N", help="Exit with 1 where more than this changes."
)
@formats("json")
@click.pass_obj
def diff(context: Context, old: str, new: str | None, max_flips: int | None, form: str) -> int:
    """Compare two versions of the rules on the same cache.

    OLD and NEW are folders or git revisions of the rules folder; without NEW it is the project's own. Shows
    which records gain or lose flags, or change in severity or score, by rule, owner, stage and amount.

    \b
    Examples:
        pipelint rules diff HEAD
        pipelint rules diff main feature --max-flips 50
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.rules_diff import diff as compare
    from pipelint.render.rule_bench import render_diff

    project = open_project(context.project)
    with project.cache() as cache:
        found = compare(cache, project, old, new or str(project.file.rules), project.clock())
    click.echo(render_diff(found, form, color=context.color))
    too_many = max_flips is not None and len(found.flips) > max_flips
    return ExitCode.FINDINGS if too_many else ExitCode.OK


@rules.command()
@click.pass_obj
def schema(context: Context) -> int:
    """Write the JSON Schema of this project, for editors.

    It holds the project's own fields, stages and words, so an editor completes and checks rule files as they
    are typed. It is written beside the rules folder; write it anew when fields or stages change.
    """
    from pipelint.config.paths import shown
    from pipelint.engine.project import open_project
    from pipelint.engine.schema_file import write_schema

    path = write_schema(open_project(context.project))
    click.echo(f"{shown(path, context.project)} is written. Begin each rule file with this line:")
    click.echo(f"# yaml-language-server: $schema=../{path.name}")
    return ExitCode.OK
