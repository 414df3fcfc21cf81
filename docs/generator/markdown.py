"""The few forms of Markdown that the generated pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made by docs/generate.py; change what it is made of, then run: make docs -->"


def page(title: str, *parts: str) -> str:
    """A whole page, its parts set apart by empty lines."""
    return "\n\n".join([NOTE, f"# {title}", *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing where it has no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) if lines else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as code within a line; its own blanks at the ends stay visible."""
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def block(text: str, info: str) -> str:
    """Lines of code; `info` names the language and says how the tests treat it."""
    return f"```{info}\n{text.strip(chr(10))}\n```"


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"{'#' * level} {text}"


def sentence(text: str) -> str:
    """Text with a capital letter and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."
