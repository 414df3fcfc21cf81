"""pipelint checks a sales pipeline against rules and writes the findings back into the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelint.api import Finding, PipelintError, Plan, Project, RunResult, open_project

__all__ = ["Finding", "PipelintError", "Plan", "Project", "RunResult", "open_project"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what it is depends on the name
    """Import the API when it is first used: the command line must not wait for it."""
    if name in __all__:
        from pipelint import api

        return getattr(api, name)
    raise AttributeError(f"module 'pipelint' has no attribute '{name}'")
