"""The daily commands: pull, check, explain, push, run."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from pipelint.cli.app import Context
from pipelint.cli.ending import ends_gently
from pipelint.cli.options import as_of_option, connections, formats
from pipelint.errors import ExitCode, PipelintError


@click.command()
@click.option("--full", is_flag=True, help="Everything, not only what changed.")
@connections
@formats("json")
@click.pass_obj
def pull(context: Context, full: bool, only: tuple[str, ...], form: str) -> int:
    """Bring what changed in the CRMs into the cache.

    \b
    Example:
        pipelint pull --connection acme-sales
    """
    from pipelint.engine.commands import pull_all
    from pipelint.engine.project import open_project
    from pipelint.render.progress import progress
    from pipelint.render.pulled import render

    with ends_gently() as stopping, progress(context.verbosity) as bar:
        project = open_project(context.project, stopping=stopping)
        results = pull_all(project, only, full=full, progress=bar)
    click.echo(render(results, form))
    return max((ExitCode.OK, *(result.error.exit_code for result in results if result.error)))


@click.command()
@as_of_option
@click.option("--new", is_flag=True, help="Only what was not there in the last recorded run.")
@click.option("--only", "only_rules", multiple=True, metavar="RULE", help="Only this rule; may be repeated.")
@click.option("--skip", multiple=True, metavar="RULE", help="All but this rule; may be repeated.")
@click.option("--owner", multiple=True, metavar="NAME", help="Only records of this owner; may be repeated.")
@click.option("--pipeline", multiple=True, metavar="NAME", help="Only this pipeline; may be repeated.")
@click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Only this record, by id or CRM address; may be repeated.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    help="Exit with 1 at findings of this severity or above.",
)
@connections
@formats("json", "csv")
@click.pass_obj
def check(
    context: Context, /, as_of: str | None, fail_on: str, form: str, new: bool, **filters: tuple[str, ...]
) -> int:
    """Evaluate the rules on the cache; records and writes nothing.

    \b
    Examples:
        pipelint check
        pipelint check --pipeline sales --only close-date-past
        pipelint check --format json | jq .summary
    """
    from pipelint.engine.check import CheckTotals, check_into
    from pipelint.engine.project import open_project
    from pipelint.engine.selection import Choice, Selection, moment_of, reaches
    from pipelint.render.check import TextPage
    from pipelint.render.check_documents import CsvDocument, JsonDocument
    from pipelint.render.progress import progress

    project = open_project(context.project)
    totals = CheckTotals(moment_of(project, as_of), project.pack.settings.name, project.pack.hash)
    only = filters.pop("only")
    made: TextPage | JsonDocument | CsvDocument = TextPage(color=context.color)
    if form != "text":
        made = JsonDocument() if form == "json" else CsvDocument()
    with closing(made):
        with project.cache() as cache:
            choice = Choice(Selection(project, new=new, **filters), cache)
            with progress(context.verbosity) as bar:
                check_into(
                    made,
                    totals,
                    cache,
                    project,
                    wants=choice.wants,
                    only=only,
                    ages=form == "text",
                    brief=form == "text",
                    rebuild=as_of is not None,
                    progress=bar,
                )
            choice.settle(totals)
        sys.stdout.writelines(made.pieces(totals))
        sys.stdout.flush()
    return ExitCode.FINDINGS if reaches(totals, fail_on) else ExitCode.OK


@click.command()
@click.argument("record", metavar="ID")
@click.argument("rule", required=False)
@as_of_option
@formats("json")
@click.pass_obj
def explain(context: Context, record: str, rule: str | None, as_of: str | None, form: str) -> int:
    """Show what decided about one record, and what clears each flag.

    ID is the CRM's own id, connection:kind/id, or the record's address in the CRM.

    \b
    Example:
        pipelint explain 006A000001LONG1AAA close-date-past
    """
    from pipelint.engine.explain import explain_record
    from pipelint.engine.project import open_project
    from pipelint.engine.selection import moment_of
    from pipelint.render.explain import render

    project = open_project(context.project)
    at = moment_of(project, as_of) if as_of else None
    with project.cache() as cache:
        explained = explain_record(cache, project, record, rule, at)
    click.echo(render(explained, form, color=context.color))
    return ExitCode.OK


@click.command()
@click.option("--dry-run", is_flag=True, help="Show the plan, old and new, field by field; write nothing.")
@click.option(
    "--save-plan",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --dry-run: keep the plan in this file.",
)
@click.option(
    "--plan",
    "saved",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write exactly this saved plan, or nothing if the CRM has moved since.",
)
@click.option("--resume", is_flag=True, help="Lift the hold that an undo leaves behind.")
@click.option("--retry-refused", is_flag=True, help="Send what the CRM refused before once more.")
@connections
@formats("json")
@click.pass_obj
def push(
    context: Context,
    dry_run: bool,
    save_plan: Path | None,
    saved: Path | None,
    resume: bool,
    retry_refused: bool,
    only: tuple[str, ...],
    form: str,
) -> int:
    """Write flags and scores into the CRMs, only where they differ.

    A plan over the limits of pipelint.yaml is refused whole, before the first write.

    \b
    Examples:
        pipelint push --dry-run
        pipelint push --dry-run --save-plan plan.json
        pipelint push --plan plan.json
    """
    from pipelint.engine.project import open_project
    from pipelint.engine.run import push as write
    from pipelint.engine.saved import save
    from pipelint.render.progress import progress
    from pipelint.render.run import render

    if save_plan is not None and not dry_run:
        raise click.UsageError("--save-plan goes with --dry-run")
    with ends_gently() as stopping, progress(context.verbosity) as bar:
        project = open_project(context.project, stopping=stopping)
        result = write(
            project,
            dry_run=dry_run,
            only=only,
            saved=saved,
            resume=resume,
            retry_refused=retry_refused,
            progress=bar,
        )
    if save_plan is not None:
        save((each.plan for each in result.connections.values() if each.plan), save_plan)
    click.echo(render(result, form, dry_run=dry_run))
    return result.exit_code


@click.command()
@click.option(
    "--every",
    is_flag=False,
    flag_value="schedule",
    metavar="[TIME]",
    help="Stay, and run again and again: every 15m, 6h or 1d; without a time, as `schedule` says.",
)
@click.option("--dry-run", is_flag=True, help="Pull and evaluate, show what would be written, write nothing.")
@click.option("--retry-refused", is_flag=True, help="Send what the CRM refused before once more.")
@connections
@formats("json")
@click.pass_obj
def run(
    context: Context, every: str | None, dry_run: bool, retry_refused: bool, only: tuple[str, ...], form: str
) -> int:
    """Pull, evaluate, record, and write where `mode: on` allows it.

    Findings are the normal result and no failure; see `pipelint check` for a command that fails on them.

    With --every it begins at once and stays until SIGTERM or Ctrl-C. A run that fails is told, and the next
    one comes at its time, as does one that finds another run under way. pipelint.yaml and the rules are read
    anew for each run.

    \b
    Examples:
        pipelint run
        pipelint run --every 15m
    """
    from pipelint.engine.project import Project, open_project
    from pipelint.engine.run import run as work
    from pipelint.engine.schedule import period_of, repeat
    from pipelint.render.progress import progress
    from pipelint.render.run import render

    def once(project: Project) -> ExitCode:
        with progress(context.verbosity) as bar:
            result = work(project, dry_run=dry_run, only=only, retry_refused=retry_refused, progress=bar)
        if every is not None and form == "text":
            click.echo(f"{result.started_at:%Y-%m-%d %H:%M:%S} UTC, run {result.run}")
        click.echo(render(result, form, dry_run=dry_run))
        return result.exit_code

    with ends_gently() as stopping:

        def again() -> None:
            try:
                once(open_project(context.project, stopping=stopping))
            except PipelintError as error:
                context.doorstep.tell(error)

        # A mistake in the files is told to the person who starts it; one that is made later waits for its cure.
        project = open_project(context.project, stopping=stopping)
        if every is None:
            return once(project)
        period = project.file.schedule if every == "schedule" else period_of(every)
        repeat(again, period, clock=project.clock, stopping=stopping)
    return ExitCode.OK
