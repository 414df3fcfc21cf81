"""CSV and JSON exports of a CRM, read with a column mapping."""

from __future__ import annotations

from pipelint.connectors.base import ConnectContext
from pipelint.connectors.files.connector import FilesConnector
from pipelint.connectors.files.settings import Settings

__all__ = ["FilesConnector", "Settings", "connect"]


def connect(name: str, settings: Settings, context: ConnectContext) -> FilesConnector:
    """A connector over the folder that `path` names, relative to the project."""
    folder = context.folder / settings.path
    return FilesConnector(name, settings, folder, context.folder, context.zone)
