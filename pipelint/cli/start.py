"""The commands of the first day: demo, init, doctor, stages, setup."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

from pathlib import Path

import click

from pipelint.cli.app import Context
from pipelint.cli.options import connections, formats
from pipelint.errors import ExitCode, UsageError


@click.command()
@click.option(
    "--crm",
    type=click.Choice(["salesforce", "hubspot", "pipedrive", "files"]),
    default="salesforce",
    help="Where your opportunities are.",
)
@click.option(
    "--pack",
    type=click.Choice(["default", "six", "bant", "meddpicc", "spiced"]),
    default="default",
    help="The shipped rules to begin with: default alone, or with a qualification framework.",
)
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", help="Of the messages.")
@click.pass_obj
def init(context: Context, crm: str, pack: str, language: str) -> int:
    """Write a new project into the folder, set to preview.

    It holds pipelint.yaml, a first pack of rules, and the stages of a pipeline to make your own.

    \b
    Example:
        pipelint -C acme init --crm salesforce --language fr
    """
    from typing import cast

    from pipelint.engine.init import Crm, Language, PackName
    from pipelint.engine.init import init as make

    written = make(context.project, cast("Crm", crm), cast("PackName", pack), cast("Language", language))
    for path in written:
        click.echo(f"wrote {path}")
    here = "" if context.project == Path() else f" -C {context.project}"
    files = crm == "files"
    where = "your files, and their columns" if files else "the address of your CRM, and where its secrets are"
    closing = "" if files else "\nNothing is written into the CRM before you set 'mode: on'."
    click.echo(
        f"""
Next:
  1. edit {written[0]}: {where}
  2. pipelint{here} doctor                 is everything in reach?
  3. pipelint{here} stages import sales    your own stages, for review
  4. pipelint{here} pull{"" if files else "                   read rights are enough"}
  5. pipelint{here} check                  what would be flagged{closing}"""
    )
    return ExitCode.OK


@click.command()
@connections
@formats("json")
@click.pass_obj
def doctor(context: Context, only: tuple[str, ...], form: str) -> int:
    """Look for what keeps pipelint from working, each with its cure.

    Exits with 1 when there is a problem.
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.provision import diagnose
    from pipelint.render.setup import render_doctor

    found = list(diagnose(open_project(context.project), only))
    click.echo(render_doctor(found, form, color=context.color))
    return ExitCode.FINDINGS if any(each.level == "problem" for _, each in found) else ExitCode.OK


@click.command()
@click.option("--apply", is_flag=True, help="Create what is missing; without it the plan is shown.")
@click.option(
    "--package",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the fields as files for an administrator to deploy, where the CRM takes such (Salesforce).",
)
@connections
@formats("json")
@click.pass_obj
def setup(context: Context, apply: bool, folder: Path | None, only: tuple[str, ...], form: str) -> int:
    """Plan and create our fields in the CRMs, with their permissions.

    Doing it twice does no harm: what is there already is left as it is.

    \b
    Example:
        pipelint setup --apply
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.provision import package
    from pipelint.engine.provision import setup as provide
    from pipelint.render.setup import render_package, render_setup

    if folder is not None:
        if apply:
            raise UsageError("--apply and --package exclude each other", hint="choose one of them")
        click.echo(render_package(list(package(open_project(context.project), folder, only)), form))
        return ExitCode.OK
    results = list(provide(open_project(context.project), only, apply=apply))
    click.echo(render_setup(results, form))
    return (
        ExitCode.FINDINGS
        if any(s.action == "conflict" for each in results for s in each.steps)
        else ExitCode.OK
    )


@click.group()
def stages() -> None:
    """The CRM's pipelines and stages, and where they stand in the pack."""


@stages.command(name="import")
@click.argument("connection")
@click.option("--show", is_flag=True, help="Print the proposal instead of writing it into the rules folder.")
@click.pass_obj
def import_(context: Context, connection: str, show: bool) -> int:
    """Propose pipelines, stages and field mappings from the CRM.

    The proposal becomes a rule file of its own, for you to review; no file of yours is changed.

    \b
    Example:
        pipelint stages import acme-sales
    """
    from pipelint.engine.import_stages import propose, write
    from pipelint.engine.project import open_project

    project = open_project(context.project)
    proposal = propose(project, connection)
    click.echo(proposal.text if show else write(project, proposal), nl=not show)
    return ExitCode.OK


@click.command()
@click.option(
    "--crm",
    type=click.Choice(["salesforce"]),
    default="salesforce",
    expose_value=False,
    help="The CRM to show.",
)
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def demo(context: Context, folder: Path | None) -> int:
    """Show the whole job on a sandbox CRM; no account needed.

    The sandbox holds a realistic organisation. The project is left in FOLDER (a new temporary one if none is
    given) together with the sandbox, to be started again.
    """
    from pipelint.cli.demo import show

    return show(context, folder)
