"""The generated sales organisation."""

from __future__ import annotations

from pipelint.sandbox.salesforce.setup import Setup


def generate(setup: Setup, size: int, seed: int) -> dict[str, list[str]]:
    """Fill the organisation."""
    return {}
