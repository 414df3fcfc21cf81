"""SQL for `thin-evidence`: texts that say nothing, and fields that were all filled in at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from pipelint.rules.thin_evidence import is_thin

_MINUTE = 60_000_000  # microseconds


def register_placeholders(db: sqlite3.Connection, words: Collection[str]) -> None:
    """Make the function known to this connection."""

    def thin(value: str | int | float | None) -> int:
        return int(value is not None and is_thin(str(value), words))

    db.create_function("pl_thin", 1, thin, deterministic=True)


def filled_at_once(values: Sequence[str], names: Sequence[str]) -> str:
    """1 where two or more of the values are there, each filled in within a minute of a stage change.

    `values` are SQL, `names` SQL texts by which the CRM's history may call them. What pipelint saw itself does
    not count: it knows the time of the pull, not of the change.
    """
    filled = " + ".join(f"(pl_clean({value}) IS NOT NULL)" for value in values) or "0"
    moved = (
        "EXISTS (SELECT 1 FROM stage_change s WHERE s.connection = c.connection AND s.opportunity = c.record"
        f" AND s.from_stage IS NOT NULL AND abs(s.at - c.at) <= {_MINUTE})"
    )
    changes = (
        "SELECT count(DISTINCT c.field) FROM field_change c WHERE c.connection = o.connection AND c.record = o.id"
        " AND c.kind = 'opportunity' AND c.origin = 'crm' AND c.old IS NULL AND c.new IS NOT NULL"
        f" AND c.field IN ({', '.join(names)}) AND {moved}"
    )
    return f"CASE WHEN {filled} >= 2 AND ({changes}) >= {filled} THEN 1 ELSE 0 END"
