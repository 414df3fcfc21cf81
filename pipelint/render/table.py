"""Tables for people, drawn by rich and as wide as the terminal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from io import StringIO

_FEW = 4
STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan", "could not check": "dim"}


def width() -> int:
    """Columns of the terminal; enough for a log where there is none."""
    return shutil.get_terminal_size((120, 40)).columns


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    color: bool,
    right: Sequence[int] = (),
    style: int = -1,
) -> str:
    """A table as text; numbers in `right` columns, each row in the style of its word in column `style`."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, header in enumerate(headers):
        last = number == len(headers) - 1
        drawn.add_column(
            header, justify="right" if number in right else "left", overflow="fold", ratio=1 if last else None
        )
    for row in rows:
        cells = [Text(cell) for cell in row]
        if style >= 0:
            cells[style].stylize(STYLES.get(row[style], ""))
        drawn.add_row(*cells)
    out = StringIO()
    no_color = "NO_COLOR" in os.environ or not color
    console = Console(
        file=out, width=width(), force_terminal=not no_color, no_color=no_color, highlight=False
    )
    console.print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def amount(scaled: int | None) -> str:
    """A prepared amount as people read it, without cents."""
    return "" if scaled is None else f"{(scaled + 5_000) // 10_000:,}"


def plural(count: int, word: str, many: str = "") -> str:
    """`1 finding`, `2 findings`, `1 opportunity`, `2 opportunities`."""
    if not many:
        many = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count:,} {word if count == 1 else many}"


def some(names: Sequence[str]) -> str:
    """The first few names; a long list hides what matters."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
