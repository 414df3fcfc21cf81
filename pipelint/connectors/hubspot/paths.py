"""Where things are, in the old family of paths (v3, and v4 for associations) and in the dated one.

v4 is unsupported from 30 March 2027, v1 to v3 from September 2027 (fact sheet §1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACCOUNT: Final = "/account-info/v3/details"
FLOWS: Final = "/automation/v4/flows"
"""Workflows; dated paths to them are betas still."""

TOKEN: Final = "/oauth/2026-03/token"  # noqa: S105 - an address
"""The one before it ends on 16 February 2027 (fact sheet §1)."""


def pipeline_rules(type_id: str, pipeline: str) -> str:
    """The rules of a pipeline, which no version before 2026-09 tells."""
    return f"/crm/pipelines-rules/2026-09/{type_id}/{pipeline}"


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one version."""

    version: str

    def objects(self, kind: str, *rest: str) -> str:
        """Records of a kind: `objects("deals", "batch", "read")`."""
        return self._of("objects", kind, *rest)

    def properties(self, kind: str, *rest: str) -> str:
        return self._of("properties", kind, *rest)

    def validations(self, kind: str) -> str:
        return self._of("property-validations", kind)

    def property_limits(self) -> str:
        return self._of("limits", "custom-properties")

    def pipelines(self, kind: str) -> str:
        return self._of("pipelines", kind)

    def owners(self) -> str:
        return self._of("owners")

    def associations(self, kind: str, to: str, *rest: str) -> str:
        return self._of("associations", kind, to, *rest, old="v4")

    def _of(self, area: str, *rest: str, old: str = "v3") -> str:
        head = ("crm", old, area) if self.version == "v3" else ("crm", area, self.version)
        return "/" + "/".join((*head, *rest))
