"""The result of `pull`."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

from pipelint.engine.pull import PullResult
from pipelint.engine.runs import error_json
from pipelint.render.documents import as_text
from pipelint.render.errors import render_error
from pipelint.render.table import plural


def render(results: Sequence[PullResult], form: str) -> str:
    """What each connection brought, as text or JSON."""
    if form == "json":
        connections = {each.connection: _document(each) for each in results}
        return as_text({"schema": "pipelint.pull/1", "connections": connections})
    return "\n".join(line for each in results for line in _lines(each))


def _document(result: PullResult) -> dict[str, object]:
    return {
        "streams": {
            str(each.stream): {"stored": each.stored, "deleted": each.deleted, "full": each.full}
            for each in result.streams
        },
        "pulled": result.stored,
        "deleted": result.deleted,
        "api_calls": result.api_calls,
        "seconds": round(result.seconds, 2),
        "error": error_json(result.error),
    }


def _lines(result: PullResult) -> list[str]:
    brought = [plural(each.stored, each.stream.replace("_", " ")) for each in result.streams if each.stored]
    deleted = f", {plural(result.deleted, 'record')} gone" if result.deleted else ""
    calls = f" in {plural(result.api_calls, 'API call')}" if result.api_calls else ""
    nothing = "nothing was pulled" if result.error else "nothing changed"
    told = f"{', '.join(brought) or nothing}{deleted}{calls}, {result.seconds:.1f} s"
    lines = [f"{result.connection}: {told}"]
    if result.error:
        lines.append(indent(f"stopped:\n{render_error(result.error, color=False)}", "  "))
    return lines
