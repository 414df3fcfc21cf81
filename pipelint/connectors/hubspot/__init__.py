"""The HubSpot connector (hubspot-api-client for the wire, our own paths, so that versions can change)."""

from __future__ import annotations

from pipelint.connectors.base import ConnectContext, Connector
from pipelint.connectors.hubspot.settings import Settings

__all__ = ["Settings", "connect"]


def connect(name: str, settings: Settings, context: ConnectContext) -> Connector:
    """A connector for one portal; the SDK is imported here, on first use."""
    from pipelint.connectors.hubspot.connector import HubSpotConnector

    return HubSpotConnector(name, settings, context)
