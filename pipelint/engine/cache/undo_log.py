"""What every row held before it changed, so that any day since the first pull can be rebuilt by undoing.

SQLite itself notes it, by triggers on every table whose rows may change: no way into the tables can forget
to. A change is noted as the values that it replaced, a new row as one that was not there, a deleted row as
a whole. Nothing is noted before a first pull was complete, nor of a field that comes for the first time.
Past changes that the CRM tells, and the links that follow from others, need no notes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache

import msgspec

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.observe import Interval
from pipelint.engine.cache.tables import Table, table
from pipelint.records import Stream

LOGGED = tuple(stream for stream in Stream if stream not in {Stream.STAGE_CHANGES, Stream.FIELD_CHANGES})
"""The streams whose rows may change; the others only grow, and their rows say when."""

UNLOGGED = frozenset({"modified_at", "pull"})
"""Columns that say when a row was touched, which no rule reads."""


def watch(db: sqlite3.Connection, interval: Interval | None) -> None:
    """Note from here on what changes between two pulls; without an interval nothing."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS watched (since INTEGER, now INTEGER, fresh TEXT)")
    db.execute("DELETE FROM temp.watched")
    if interval is None:
        return
    for stream in LOGGED:
        for statement in _triggers(stream):
            db.execute(statement)
    fresh = msgspec.json.encode(sorted(interval.fresh)).decode()
    values = (microseconds(interval.since), microseconds(interval.now), fresh)
    db.execute("INSERT INTO temp.watched VALUES (?, ?, ?)", values)


def logged_columns(spec: Table) -> tuple[str, ...]:
    """The columns whose former values are kept."""
    return tuple(name for name in (*spec.fields, *spec.added) if name not in UNLOGGED)


@cache
def _triggers(stream: Stream) -> tuple[str, ...]:
    return tuple(_statements(table(stream)))


def _statements(spec: Table) -> Iterator[str]:
    names = [name for name in logged_columns(spec) if name not in spec.key]
    changed = " OR ".join(f'old."{name}" IS NOT new."{name}"' for name in names)
    whole = ", ".join(f"""'{name}', old."{name}\"""" for name in logged_columns(spec))
    came, went = "true", "true"
    if spec.stream is Stream.ACTIVITY_LINKS:
        # Links that follow from others come and go with these, and may become direct ones.
        came, went = "new.via = 'direct'", "old.via = 'direct'"
        yield _trigger(spec, "came again", "UPDATE", f"NOT {went} AND {came}", "'came', NULL FROM watched")
    else:
        differing = " UNION ALL ".join(_differing(name) for name in names)
        yield _trigger(
            spec,
            "changed",
            "UPDATE",
            changed,
            f"""
            'changed', json_group_object(name, was) FROM watched, ({differing})
            WHERE name NOT IN (SELECT value FROM json_each((SELECT fresh FROM watched))) GROUP BY since
            """,
        )
    yield _trigger(spec, "came", "INSERT", came, "'came', NULL FROM watched")
    yield _trigger(spec, "went", "DELETE", went, f"'went', json_object({whole}) FROM watched")


def _trigger(spec: Table, name: str, operation: str, when: str, noted: str) -> str:
    row = "old" if operation == "DELETE" else "new"
    key = ", ".join(f'{row}."{column}"' for column in spec.key[1:])
    return f"""
    CREATE TEMP TRIGGER IF NOT EXISTS "{spec.name} {name}" AFTER {operation} ON main.{spec.name} WHEN {when}
    BEGIN
      INSERT INTO undo_log (connection, stream, key, at, since, event, was)
      SELECT {row}.connection, '{spec.name}', json_array({key}), {_moment(spec, operation)}, since, {noted};
    END
    """


def _differing(name: str) -> str:
    """The former value where it is not the new one; of the pack's own fields, those that came before."""
    where = f'old."{name}" IS NOT new."{name}"'
    if name == "custom":
        old, new = (
            f"SELECT key, type, value FROM json_each({row}.custom) WHERE 'custom.' || key NOT IN"
            " (SELECT value FROM json_each((SELECT fresh FROM watched)))"
            for row in ("old", "new")
        )
        where += f" AND (EXISTS ({old} EXCEPT {new}) OR EXISTS ({new} EXCEPT {old}))"
    return f"""SELECT '{name}' AS name, old."{name}" AS was WHERE {where}"""


def _moment(spec: Table, operation: str) -> str:
    """The CRM's own stamp where it lies between the pulls, else the moment at which we saw it."""
    stamps: list[str] = []
    if operation != "DELETE" and "modified_at" in spec.fields:
        stamps = ["new.modified_at"]
        if operation == "INSERT" and "created_at" in spec.fields:
            stamps = ["new.created_at", "new.modified_at"]
    elif spec.stream is Stream.ACTIVITY_LINKS:
        row = "old" if operation == "DELETE" else "new"
        of_activity = f"connection = {row}.connection AND id = {row}.activity"
        stamps = [f"(SELECT modified_at FROM activity WHERE {of_activity})"]
    cases = "".join(f" WHEN {stamp} > since AND {stamp} <= now THEN {stamp}" for stamp in stamps)
    return f"CASE{cases} ELSE now END" if cases else "now"
