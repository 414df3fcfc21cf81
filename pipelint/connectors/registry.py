"""Which CRMs there are, and the package that knows each: a literal table, and entry points for others."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from pipelint.connectors.base import ConnectContext, Connector
from pipelint.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

BUILT_IN: Mapping[str, str] = {
    "salesforce": "pipelint.connectors.salesforce",
    "hubspot": "pipelint.connectors.hubspot",
    "pipedrive": "pipelint.connectors.pipedrive",
    "files": "pipelint.connectors.files",
}
"""The value of `crm:` in pipelint.yaml → the package, which is imported when it is first used."""

GROUP = "pipelint.connectors"
"""Other distributions offer connectors as entry points of this group, named like the CRM."""


class ConnectorPackage(Protocol):
    """What a connector's package offers."""

    Settings: type[BaseModel]
    """Its part of pipelint.yaml: `extra="forbid"`, `crm` a Literal of its name, secrets as references."""

    def connect(
        self,
        name: str,
        settings: Any,  # noqa: ANN401 - each package takes its own Settings
        context: ConnectContext,
    ) -> Connector:
        """A connector for the connection `name`; nothing is sent before it is asked something."""


def known() -> tuple[str, ...]:
    """The names that `crm:` may have here."""
    return tuple(sorted({*BUILT_IN, *_offered()}))


def load(crm: str) -> ConnectorPackage:
    """The package for a CRM; a built-in name cannot be taken over by another distribution."""
    if crm in BUILT_IN:
        return cast("ConnectorPackage", import_module(BUILT_IN[crm]))
    offered = _offered()
    if crm in offered:
        return cast("ConnectorPackage", offered[crm].load())
    near = difflib.get_close_matches(crm.casefold(), known(), n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else f"write one of: {', '.join(known())}"
    raise UsageError(f"pipelint has no connector for '{crm}'", hint=hint)


def _offered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
