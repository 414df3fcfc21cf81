"""The Salesforce connector (simple-salesforce, REST)."""

from __future__ import annotations

from pipelint.connectors.base import ConnectContext, Connector
from pipelint.connectors.salesforce.settings import Settings

__all__ = ["Settings", "connect"]


def connect(name: str, settings: Settings, context: ConnectContext) -> Connector:
    """A connector for one org; the SDK is imported here, on first use."""
    from pipelint.connectors.salesforce.connector import SalesforceConnector

    return SalesforceConnector(name, settings, context)
