"""Progress on a terminal; silence everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipelint.engine.pull import Progress, silent
from pipelint.records import Stream


@contextmanager
def progress(verbosity: int) -> Iterator[Progress]:
    """A line per connection and stream that counts what was stored."""
    if verbosity < 0 or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    bars = Bars(
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    tasks: dict[tuple[str, Stream], TaskID] = {}

    def show(connection: str, stream: Stream, records: int) -> None:
        if (connection, stream) not in tasks:
            name = f"{connection}: {stream.replace('_', ' ')}"
            tasks[connection, stream] = bars.add_task(name, total=None)
        bars.update(tasks[connection, stream], completed=records)

    with bars:
        yield show
