"""A folder of exports, and a connection to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest

from pipelint.connectors.base import ConnectContext
from pipelint.connectors.files import FilesConnector, Settings, connect

Connect: TypeAlias = Callable[..., FilesConnector]


@pytest.fixture
def connection(tmp_path: Path) -> Connect:
    """`connection(opportunities={...})`: a connection over `exports/` with these streams."""
    (tmp_path / "exports").mkdir()

    def make(**streams: object) -> FilesConnector:
        settings = Settings.model_validate({"crm": "files", "path": "exports", "streams": streams})
        clock = datetime(2026, 11, 20, 10, tzinfo=UTC)
        return connect("history", settings, ConnectContext(lambda: clock, tmp_path, ZoneInfo("Europe/Paris")))

    return make


@pytest.fixture
def export(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """`export("deals.csv", text)`: write a file into the folder."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / "exports" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
