"""What the tests of all connectors share."""

from __future__ import annotations

import pytest


@pytest.fixture
def naps() -> list[float]:
    """The waits that were asked for, in seconds; nothing sleeps."""
    return []
