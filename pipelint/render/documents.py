"""JSON documents as programs read them: UTF-8, indented, in a stable order."""

from __future__ import annotations

import msgspec


def as_text(document: object) -> str:
    """A document of plain values, dataclasses or structs as JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
