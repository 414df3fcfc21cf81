"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def formats(*names: str) -> Callable[[F], F]:
    """`--format`, text first."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", *names]),
        default="text",
        help="The form of the result.",
    )


def connections(command: F) -> F:
    """`--connection NAME`, as often as wanted."""
    option = click.option(
        "--connection", "only", multiple=True, metavar="NAME", help="Only this connection; may be repeated."
    )
    return option(command)


def as_of_option(command: F) -> F:
    """`--as-of WHEN`: a day or a time."""
    option = click.option(
        "--as-of",
        metavar="WHEN",
        help="Look at a day (its end) or a time, e.g. 2026-11-20 or '2026-11-20 10:00': a CRM's records as they were.",
    )
    return option(command)
