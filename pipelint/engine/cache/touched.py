"""Which records may be judged otherwise than before: noted by triggers, whoever writes the rows.

A verdict rests on a record's own row, its account and owner, what hangs on it, and the other opportunities of
its account. A row that is stored again as it was notes nothing; nor does a new modified stamp alone, which is
all that our own writing leaves behind. Links of activities are rebuilt by every page that holds the activity,
so `links` compares them itself. What stages and pipelines are called is part of a prepared table's fingerprint.

Nothing is noted before a prepared table exists: a first pull makes everything new anyway. The triggers are made
with the first of these tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from pipelint.engine.cache.tables import table
from pipelint.records import Record, Stream

TABLES = (
    """
    CREATE TABLE touched (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- prepared tables remember up to which one they are current
      connection TEXT NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL
    )
    """,
    # What every page looks for: without it, each reads all that was touched since records were last prepared.
    "CREATE INDEX touched_activity ON touched (connection, record) WHERE kind = 'activity'",
    """
    CREATE TABLE stage_seen (  -- every native stage and pipeline of an opportunity, now or in its history
      connection TEXT NOT NULL, what TEXT NOT NULL, id TEXT
    )
    """,
    "CREATE INDEX stage_seen_by_id ON stage_seen (connection, what, id)",
)

_IDLE = frozenset({"connection", "modified_at", "pull"})
_CHILDREN = (Stream.CONTACT_ROLES, Stream.LINE_ITEMS, Stream.STAGE_CHANGES)
_STAGES = {
    Stream.OPPORTUNITIES: (("stage", "stage"), ("pipeline", "pipeline")),
    Stream.STAGE_CHANGES: (("to_stage", "stage"), ("from_stage", "stage")),
}
_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def watch(db: sqlite3.Connection) -> None:
    """Note from here on what changes; a first pull need not pay for it."""
    for statement in _triggers():
        db.execute(statement)


def see_stages(db: sqlite3.Connection, connection: str, records: Mapping[Stream, Sequence[Record]]) -> None:
    """Remember the stages and pipelines of a page for good: to look for them in a million rows at each run is slow."""
    seen = {
        (what, getattr(record, column))
        for stream, columns in _STAGES.items()
        for record in records.get(stream, ())
        for column, what in columns
    }
    db.executemany(
        """
        INSERT INTO stage_seen SELECT :connection, :what, :id WHERE NOT EXISTS (
          SELECT 1 FROM stage_seen WHERE connection = :connection AND what = :what AND id IS :id)
        """,
        ({"connection": connection, "what": what, "id": id_} for what, id_ in seen),
    )


def _triggers() -> Iterator[str]:
    itself = "VALUES ({row}.connection, '{name}', {row}.id)"
    yield from _noting(Stream.OPPORTUNITIES, itself.replace("{name}", "opportunity"))
    yield from _noting(Stream.LEADS, itself.replace("{name}", "lead"))
    # An activity is resolved to the records that it is linked to once its links are stored.
    yield from _noting(Stream.ACTIVITIES, itself.replace("{name}", "activity"))
    yield from _noting(Stream.ACCOUNTS, _those("opportunity", "account"))
    yield from _noting(Stream.OWNERS, f"{_those('opportunity', 'owner')} UNION ALL {_those('lead', 'owner')}")
    for child in _CHILDREN:
        yield from _noting(child, "VALUES ({row}.connection, 'opportunity', {row}.opportunity)")
    judged = "{row}.kind IN ('opportunity', 'lead')"
    yield from _noting(Stream.FIELD_CHANGES, "VALUES ({row}.connection, {row}.kind, {row}.record)", judged)
    yield from _left_account()


def resolve_activities(db: sqlite3.Connection, connection: str) -> None:
    """Note the records of activities that changed, or whose links did; `temp.link_before` says what they were."""
    if not watched(db, connection):
        return
    values = {"connection": connection}
    db.execute(
        """
        INSERT INTO touched (connection, kind, record)
        WITH now AS (
          SELECT l.kind, l.record, l.activity, l.via FROM temp.touched_activity t
          CROSS JOIN activity_link l INDEXED BY activity_link_by_activity
            ON l.connection = :connection AND l.activity = t.id
        ), moved (activity) AS (
          SELECT activity FROM (SELECT * FROM now EXCEPT SELECT * FROM temp.link_before)
          UNION SELECT activity FROM (SELECT * FROM temp.link_before EXCEPT SELECT * FROM now)
          UNION SELECT record FROM touched WHERE connection = :connection AND kind = 'activity'
        )
        SELECT :connection, kind, record
        FROM (SELECT * FROM now UNION ALL SELECT * FROM temp.link_before)
        WHERE kind IN ('opportunity', 'lead') AND activity IN (SELECT activity FROM moved)
        """,
        values,
    )
    db.execute("DELETE FROM touched WHERE connection = :connection AND kind = 'activity'", values)


def watched(db: sqlite3.Connection, connection: str) -> bool:
    """Whether anything is prepared that could go out of date."""
    query = "SELECT EXISTS (SELECT 1 FROM prepared WHERE connection = ?)"
    return bool(db.execute(query, (connection,)).fetchone()[0])


def _noting(stream: Stream, records: str, when: str = "1") -> Iterator[str]:
    """Note `records` when a row appears, goes, or comes to hold something else."""
    for event, row in _EVENTS.items():
        conditions = ["EXISTS (SELECT 1 FROM prepared p WHERE p.connection = {row}.connection)", when]
        if event == "UPDATE":
            compared = [name for name in table(stream).columns if name not in _IDLE]
            differs = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in compared)
            conditions.append(f"({differs})")
        body = f"INSERT INTO touched (connection, kind, record) {records}"
        yield _trigger(f"note_{event}", event, stream, f"{' AND '.join(conditions)}", body).format(row=row)


def _those(name: str, column: str) -> str:
    """The records of a table that name the row at hand."""
    return (
        f"SELECT r.connection, '{name}', r.id FROM {name} r"
        f" WHERE r.connection = {{row}}.connection AND r.{column} = {{row}}.id"
    )


def _left_account() -> Iterator[str]:
    """Who leaves an account has been counted by its other opportunities."""
    siblings = f"INSERT INTO touched (connection, kind, record) {_those('opportunity', 'account')}"
    body = siblings.format(row="OLD").replace("= OLD.id", "= OLD.account")
    moved = "OLD.account IS NOT NULL AND OLD.account IS NOT NEW.account"
    yield _trigger("left", "UPDATE", Stream.OPPORTUNITIES, moved, body)
    yield _trigger("left", "DELETE", Stream.OPPORTUNITIES, "OLD.account IS NOT NULL", body)


def _trigger(name: str, event: str, stream: Stream, when: str, *statements: str) -> str:
    body = ";\n  ".join(statements)
    full = f"{stream.value}_{name}_{event}".lower()
    return f"CREATE TRIGGER IF NOT EXISTS {full} AFTER {event} ON {stream.value} WHEN {when} BEGIN\n  {body};\nEND"
