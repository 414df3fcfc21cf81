"""The design's example pack, without the parts that are not supported yet."""

from __future__ import annotations

import re
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "shared" / "design" / "example-pack"
_SECTIONS = ("baselines", "targets")
_ENTRIES = (
    "booked",
    "open_this_quarter",
    "quota",
    "to_go",
    "coverage",
    "slow-in-stage",
    "coverage-low",
    "snooze_until",
    "snooze_reason",
)
_TESTS = (
    "a good score explains itself",
    "unknown facts give no points and are named",
    "slower than what was won",
    "too few wins to know what is usual",
    "what is left of the quarter's target is not covered",
)


def adapted() -> dict[str, str]:
    """Each file's text by its name."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.glob("*.yaml"))}
    return {name: _without(text) for name, text in texts.items()}


def _without(text: str) -> str:
    for name in _SECTIONS:
        text = _cut(text, re.compile(rf"{name}:"), 0)
    for name in _ENTRIES:
        text = _cut(text, re.compile(rf"  {name}:"), 2)
    for name in _TESTS:
        text = _cut(text, re.compile(rf"  - name: {re.escape(name)}$"), 2)
    return text


def _cut(text: str, first: re.Pattern[str], depth: int) -> str:
    """The text without a line and what is indented below it."""
    kept, cutting = [], False
    for line in text.splitlines(keepends=True):
        indented = len(line) - len(line.lstrip()) > depth or not line.strip()
        cutting = bool(first.match(line)) or (cutting and indented)
        if not cutting:
            kept.append(line)
    return "".join(kept)
