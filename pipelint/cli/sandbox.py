"""`pipelint sandbox …`: a CRM to try things on, on this machine."""

# ruff: noqa: D301 - \b tells click to leave the lines of a paragraph as they are

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from pipelint.cli.options import F
from pipelint.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pipelint.sandbox.server import Sandbox


@click.group()
def sandbox() -> None:
    """Serve a stand-in CRM on this machine.

    While it serves, /_sandbox makes it fail, moves its clock and shows its requests: see docs/sandbox.md.
    """


_PORT = click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one."
)
_SIZE = click.option(
    "--size",
    type=click.IntRange(0, 200_000),
    default=120,
    show_default=True,
    help="Opportunities to make up.",
)
_SEED = click.option(
    "--seed", type=int, default=7, show_default=True, help="The same seed makes the same organisation."
)


def _data(help: str) -> Callable[[F], F]:  # noqa: A002 - click's word
    kind = click.Path(path_type=Path, exists=True, file_okay=False)
    return click.option("--data", type=kind, help=help)


def _state(what: str) -> Callable[[F], F]:
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option("--state", type=kind, help=f"Keep the {what} in this file between starts.")


@sandbox.command()
@_PORT
@_SIZE
@_SEED
@_data("Serve this folder of sObject tree files instead.")
@_state("organisation")
@click.option("--multi-currency", is_flag=True, help="Make up an organisation with several currencies.")
@click.option(
    "--certificate",
    type=click.File(encoding="utf-8"),
    help="Let integration@sandbox.example in by its private key (JWT bearer flow): PEM, certificate or public key.",
)
def salesforce(
    port: int,
    size: int,
    seed: int,
    data: Path | None,
    state: Path | None,
    multi_currency: bool,
    certificate: TextIO | None,
) -> int:
    """Serve a stand-in for Salesforce until Ctrl-C.

    \b
    Example:
        pipelint sandbox salesforce --data exports/
    """
    with needed_extra():
        from pipelint.sandbox.salesforce import SalesforceSandbox
    try:
        server = SalesforceSandbox(
            port=port,
            size=size,
            seed=seed,
            data=data,
            state=_kept(state),
            multi_currency=multi_currency,
            certificate=certificate.read() if certificate else "",
        )
    except ValueError as error:
        if certificate is None:
            raise
        hint = "give the PEM text of an RSA certificate or public key"
        raise UsageError(f"the certificate cannot be used: {error}", hint=hint) from None
    return _serve(server, state)


@sandbox.command()
@_PORT
@_SIZE
@_SEED
@_data("Serve this folder instead: deals.json, contacts.json, … as HubSpot's lists answer.")
@_state("account")
@click.option(
    "--index-lag",
    type=click.FloatRange(0),
    default=5,
    show_default=True,
    help="Seconds until search finds a change.",
)
def hubspot(port: int, size: int, seed: int, data: Path | None, state: Path | None, index_lag: float) -> int:
    """Serve a stand-in for HubSpot until Ctrl-C.

    \b
    Example:
        pipelint sandbox hubspot --size 5000
    """
    with needed_extra():
        from pipelint.sandbox.hubspot import HubSpotSandbox
    server = HubSpotSandbox(
        port=port, size=size, seed=seed, data=data, state=_kept(state), index_lag=index_lag
    )
    return _serve(server, state)


@sandbox.command()
@_PORT
@_SIZE
@_SEED
@_state("company")
@click.option(
    "--plan",
    type=click.Choice(("lite", "growth", "premium", "ultimate")),
    default="lite",
    show_default=True,
    help="Decides on the tokens a day, and the requests in two seconds.",
)
@click.option(
    "--seats", type=click.IntRange(1), default=1, show_default=True, help="The tokens are for each seat."
)
def pipedrive(port: int, size: int, seed: int, state: Path | None, plan: str, seats: int) -> int:
    """Serve a stand-in for Pipedrive until Ctrl-C.

    \b
    Example:
        pipelint sandbox pipedrive --size 5000
    """
    with needed_extra():
        from pipelint.sandbox.pipedrive import PipedriveSandbox
    server = PipedriveSandbox(port=port, size=size, seed=seed, state=_kept(state), plan=plan, seats=seats)
    return _serve(server, state)


@contextmanager
def needed_extra() -> Iterator[None]:
    """Say which extra to install when a sandbox cannot be imported for want of it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(f"the sandbox needs {error.name}", hint="pip install 'pipelint[sandbox]'") from None


def _kept(state: Path | None) -> Path | None:
    """The state of an earlier start, if there was one."""
    return state if state is not None and state.exists() else None


def _serve(server: Sandbox, state: Path | None) -> int:
    """Say what runs, wait for Ctrl-C, and keep the state where that was asked for."""
    from threading import Event

    try:
        server.start()
    except OSError as error:
        hint = "stop what uses it, or pass --port 0 for a free one"
        raise UsageError(f"port {server.port} cannot be used: {error.strerror}", hint=hint) from None
    click.echo(server.banner())
    try:
        Event().wait()
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    finally:
        server.stop()
        if state is not None:
            server.save(state)
    return ExitCode.OK
