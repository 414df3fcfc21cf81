"""`pipelint demo`: the whole job on a sandbox CRM, told step by step."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelint.cli.app import Context
from pipelint.cli.sandbox import needed_extra
from pipelint.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pipelint.engine.finding import Finding
    from pipelint.engine.project import Project
    from pipelint.engine.run_result import RunResult
    from pipelint.sandbox.salesforce import SalesforceSandbox

_PORT = 8765
_SHOWN = 10
_FIELDS = """
fields:
  need: {from: {salesforce: Need__c}}
  decision_makers: {from: {salesforce: Decision_Makers__c}}
  budget: {from: {salesforce: Budget__c}}
  deadline: {from: {salesforce: Deadline__c}}
  risk: {from: {salesforce: Risk__c}}
  next_step_date: {from: {salesforce: Next_Step_Date__c}}
  lost_reason: {from: {salesforce: Loss_Reason__c}}
"""


def show(context: Context, folder: Path | None) -> int:
    """Run the demo and leave the project and the sandbox's state in the folder."""
    folder = _folder(folder)
    with _step(context, "Starting a Salesforce of your own, with 120 opportunities") as said:
        server = _start_salesforce()
        said(server.base_url)
    try:
        with _step(context, "Making a project") as said:
            project = _make_project(folder, server.base_url, server.client_id, server.client_secret)
            said(str(folder))
        with _step(context, "Creating our fields in the CRM, with their permissions") as said:
            from pipelint.engine.provision import setup

            steps = [step for result in setup(project, apply=True) for step in result.steps]
            said(f"{sum(step.action == 'create' for step in steps)} fields")
        code = _loop(context, project)
    finally:
        server.stop()
    server.save(folder / "sandbox.db")
    _next_steps(folder, server.base_url)
    return code


def _start_salesforce() -> SalesforceSandbox:
    with needed_extra():
        from pipelint.sandbox.salesforce import SalesforceSandbox
    server = SalesforceSandbox(port=_PORT)
    try:
        server.start()
    except OSError:  # in use; any other will do
        server.port = 0
        server.start()
    return server


def _folder(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="pipelint-demo-"))
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty", hint="name a new folder, or leave it out for a temporary one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _make_project(folder: Path, base_url: str, client_id: str, client_secret: str) -> Project:
    """The project that `init` makes, pointed at the sandbox and allowed to write."""
    from pipelint.engine.init import init
    from pipelint.engine.project import open_project

    init(folder)
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    for name, value in (("client_id", client_id), ("client_secret", client_secret)):
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(f"{value}\n", encoding="utf-8")
    file = folder / "pipelint.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("https://acme.my.salesforce.com", base_url).replace("mode: preview", "mode: on     ")
    text = text.replace("${env:SF_CLIENT_ID}", "${file:secrets/client_id}")
    text = text.replace("${env:SF_CLIENT_SECRET}", "${file:secrets/client_secret}")
    file.write_text(text, encoding="utf-8")
    pack = folder / "rules" / "pack.yaml"
    pack.write_text(pack.read_text(encoding="utf-8") + _FIELDS, encoding="utf-8")
    return open_project(folder)


def _loop(context: Context, project: Project) -> int:
    from pipelint.engine.check import check
    from pipelint.engine.finding import worst_first
    from pipelint.engine.run import run
    from pipelint.render.progress import progress

    with (
        _step(context, "Pulling, checking, and writing flags back") as said,
        progress(context.verbosity) as bar,
    ):
        first = run(project, progress=bar)
        said(_told(first))
    with project.cache() as cache:
        flagged = [f for f in check(cache, project, project.clock()).findings if f.status == "flagged"]
    worst = worst_first(flagged)
    _table(worst, context.color)
    if worst:
        _one_opportunity(project, worst[0])
    with (
        _step(context, "\nThe same run again, nothing having changed") as said,
        progress(context.verbosity) as bar,
    ):
        second = run(project, progress=bar)
        said(_told(second))
    failed = [each.error for result in (first, second) for each in result.connections.values() if each.error]
    return max((error.exit_code for error in failed), default=ExitCode.OK)


def _told(result: RunResult) -> str:
    written = sum(each.push.written for each in result.connections.values() if each.push)
    calls = sum(each.api_calls for each in result.connections.values())
    refused = sum(each.push.newly_refused for each in result.connections.values() if each.push)
    told = f"{written:,} records written"
    if refused:
        told += f", {refused:,} refused by the organisation's own validation rules"
    return f"{told}, {calls:,} API calls"


def _table(worst: list[Finding], color: bool) -> None:
    """One line per opportunity: its worst finding, how many more, what is at stake."""
    from pipelint.render.table import amount, plural, table

    first: dict[str, Finding] = {}
    for finding in worst:
        first.setdefault(finding.id, finding)
    more = {record: sum(f.id == record for f in worst) - 1 for record in first}
    rows = [
        (
            f.severity,
            f.name,
            f.owner,
            f.stage,
            amount(f.amount),
            f.message + (f" (+{more[f.id]} more)" if more[f.id] else ""),
        )
        for f in list(first.values())[:_SHOWN]
    ]
    click.echo("\nWhat was found, worst first:\n")
    click.echo(
        table(
            ("", "opportunity", "owner", "stage", "amount", "finding"), rows, color=color, right=(4,), style=0
        )
    )
    at_stake = sum(finding.amount or 0 for finding in first.values())
    click.echo(f"\n{plural(len(first), 'opportunity')} flagged, {amount(at_stake)} at stake.")


def _one_opportunity(project: Project, finding: Finding) -> None:
    """Our fields on one record as the CRM itself now shows them; before the run they were empty."""
    from pipelint.engine.own_fields import own_fields
    from pipelint.render.table import table

    (connection,) = project.connections()
    fields = own_fields(project.pack, connection.name, connection.crm, "opportunity")
    with project.connect(connection) as connector:
        read = dict(connector.read("opportunity", [finding.id], [field.name for field in fields]))
    now: Mapping[str, object] = read.get(finding.id, {})
    rows = [(field.label, "", _shown(now.get(field.name))) for field in fields]
    click.echo(f"\n{finding.name} in Salesforce, as its owner now sees it (read back through the API):\n")
    click.echo(table(("field", "before", "after"), rows, color=False))


def _shown(value: object) -> str:
    if value is None:
        return ""
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _next_steps(folder: Path, base_url: str) -> None:
    command = "pipelint" if shutil.which("pipelint") else f"{sys.executable} -m pipelint"
    port = base_url.rpartition(":")[2]
    click.echo(
        f"""
The project stays in {folder}. Try next:
  {command} -C {folder} check --only close-date-past
  {command} -C {folder} rules list
  {command} sandbox salesforce --port {port} --state {folder / "sandbox.db"}
The last one starts this CRM again, in a terminal of its own; then 'run' and 'doctor' work too."""
    )


@contextmanager
def _step(context: Context, what: str) -> Iterator[_Said]:
    """A line that says what is being done, and at its end what came of it."""
    said = _Said()
    if context.verbosity >= 0:
        click.echo(f"{what} … ", nl=False)
    yield said
    if context.verbosity >= 0:
        click.echo(said.text)


class _Said:
    """What a step has to report."""

    text = "done"

    def __call__(self, text: str) -> None:
        self.text = text
