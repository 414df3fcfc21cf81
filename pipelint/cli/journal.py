"""What runs did, and taking it back: `pipelint runs` and `pipelint undo`."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

import click

from pipelint.cli.app import Context
from pipelint.cli.ending import ends_gently
from pipelint.cli.options import formats
from pipelint.errors import ExitCode


@click.group(invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many runs to list.")
@formats("json")
@click.pass_context
def runs(ctx: click.Context, limit: int, form: str) -> int:
    """List what the latest runs did, newest first.

    \b
    Examples:
        pipelint runs
        pipelint runs show 20261120-090000
    """
    if ctx.invoked_subcommand is not None:
        return ExitCode.OK
    from pipelint.engine.project import open_project
    from pipelint.engine.runs import runs as latest
    from pipelint.render.runs import render_runs

    context: Context = ctx.obj
    with open_project(context.project).cache() as cache:
        found = latest(cache, limit)
    click.echo(render_runs(found, form, color=context.color))
    return ExitCode.OK


@runs.command()
@click.argument("run", metavar="RUN", required=False)
@formats("json")
@click.pass_obj
def show(context: Context, run: str | None, form: str) -> int:
    """Show one run, or else the last one, with every value it wrote.

    \b
    Example:
        pipelint runs show 20261120-090000
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.runs import find_run, last_run, written_by
    from pipelint.render.runs import render_run

    with open_project(context.project).cache() as cache:
        row = find_run(cache, run) if run else last_run(cache)
        written = written_by(cache, row.id)
    click.echo(render_run(row, written, form))
    return ExitCode.OK


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do it; without it the plan is shown.")
@formats("json")
@click.pass_obj
def undo(context: Context, run: str, yes: bool, form: str) -> int:
    """Restore what a run wrote, wherever the value is still ours.

    Afterwards the connection is held: nothing is written there before `pipelint push --resume`.

    \b
    Example:
        pipelint undo 20261120-090000 --yes
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.undo import undo as take_back
    from pipelint.render.runs import render_undo

    with ends_gently() as stopping:
        project = open_project(context.project, stopping=stopping)
        result = take_back(project, run, dry_run=not yes)
    click.echo(render_undo(result, form, planned=not yes))
    if not yes and any(done.plan.records for done in result.connections.values()):
        click.echo(f"Nothing was changed. To do it: pipelint undo {run} --yes", err=True)
    return result.exit_code
