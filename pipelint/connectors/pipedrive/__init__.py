"""The Pipedrive connector (a client of our own over requests: API v2, and v1 where v2 has nothing)."""

from __future__ import annotations

from pipelint.connectors.base import ConnectContext, Connector
from pipelint.connectors.pipedrive.settings import Settings

__all__ = ["Settings", "connect"]


def connect(name: str, settings: Settings, context: ConnectContext) -> Connector:
    """A connector for one company; its modules are imported here, on first use."""
    from pipelint.connectors.pipedrive.connector import PipedriveConnector

    return PipedriveConnector(name, settings, context)
