"""Writes the generated pages of the manual: `make docs`, or `python -m docs.generate` in the repository."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from docs.generator.commands import commands_page
from docs.generator.language import language_page
from docs.generator.markdown import NOTE
from docs.generator.refusals import REFUSALS
from docs.generator.rules import rule_pages
from docs.generator.settings import settings_page

DOCS = Path(__file__).parent


def pages() -> Mapping[Path, str]:
    """Every generated page by its place under docs/."""
    found = {
        Path("commands.md"): commands_page(),
        Path("settings.md"): settings_page(),
        Path("rule-language.md"): language_page(),
    }
    found |= {Path(name): made() for name, made in REFUSALS.items()}
    return found | {Path("rules") / name: text for name, text in rule_pages()}


def stale(folder: Path = DOCS) -> list[Path]:
    """Generated pages in the folder that nothing generates any more."""
    made = (
        path.relative_to(folder)
        for path in folder.rglob("*.md")
        if path.read_text(encoding="utf-8").startswith(NOTE)
    )
    return sorted(set(made) - set(pages()))


def main() -> None:
    """Write what differs, and remove pages of what is no longer there."""
    for path, text in pages().items():
        file = DOCS / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            sys.stdout.write(f"wrote docs/{path}\n")
    for path in stale():
        (DOCS / path).unlink()
        sys.stdout.write(f"removed docs/{path}\n")


if __name__ == "__main__":
    main()
