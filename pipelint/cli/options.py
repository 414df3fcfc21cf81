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
