"""Which activities count for an opportunity: its own, its contacts', its account's; for a lead, its contact's too.

Connectors deliver direct links. The rows derived from them are kept beside them, so that a rule reads all
activities of a record from one place in the table. What a page touches is noted while it is stored,
and only that is derived again, in the same transaction; the links as they were before are kept aside until
then, so that records whose activities are still the same are not judged again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from pipelint.engine.cache.touched import resolve_activities

_TOUCHED = (
    "CREATE TEMP TABLE IF NOT EXISTS touched_opportunity (id TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS touched_lead (id TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS touched_activity (id TEXT PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TEMP TABLE IF NOT EXISTS link_before (
      kind TEXT, record TEXT, activity TEXT, via TEXT, PRIMARY KEY (kind, record, activity)
    ) WITHOUT ROWID
    """,
    "DELETE FROM temp.touched_opportunity",
    "DELETE FROM temp.touched_lead",
    "DELETE FROM temp.touched_activity",
    "DELETE FROM temp.link_before",
)

# CROSS JOIN fixes the order and INDEXED BY the way in: SQLite knows nothing about the size of these tables and
# may start from the wrong end, or read all links for each activity. A link that is there already wins, and
# contact comes before account.
_OF_ACTIVITIES = (
    """
    DELETE FROM activity_link INDEXED BY activity_link_by_activity
    WHERE connection = :connection AND activity IN (SELECT id FROM temp.touched_activity) AND via <> 'direct'
    """,
    """
    INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
    SELECT l.connection, 'opportunity', r.opportunity, l.activity, 'contact', :pull
    FROM temp.touched_activity t
    CROSS JOIN activity_link l ON l.connection = :connection AND l.activity = t.id AND l.kind = 'contact'
    CROSS JOIN contact_role r ON r.connection = l.connection AND r.contact = l.record
    """,
    """
    INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
    SELECT l.connection, 'opportunity', o.id, l.activity, 'account', :pull
    FROM temp.touched_activity t
    CROSS JOIN activity_link l ON l.connection = :connection AND l.activity = t.id AND l.kind = 'account'
    CROSS JOIN opportunity o ON o.connection = l.connection AND o.account = l.record
    """,
    """
    INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
    SELECT l.connection, 'lead', d.id, l.activity, 'contact', :pull
    FROM temp.touched_activity t
    CROSS JOIN activity_link l ON l.connection = :connection AND l.activity = t.id AND l.kind = 'contact'
    CROSS JOIN lead d ON d.connection = l.connection AND d.contact = l.record
    """,
)
_OF_OPPORTUNITIES = (
    """
    DELETE FROM activity_link
    WHERE connection = :connection AND kind = 'opportunity'
      AND record IN (SELECT id FROM temp.touched_opportunity) AND via <> 'direct'
    """,
    """
    INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
    SELECT l.connection, 'opportunity', r.opportunity, l.activity, 'contact', :pull
    FROM temp.touched_opportunity t
    CROSS JOIN contact_role r ON r.connection = :connection AND r.opportunity = t.id
    CROSS JOIN activity_link l ON l.connection = r.connection AND l.kind = 'contact' AND l.record = r.contact
    """,
    """
    INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
    SELECT l.connection, 'opportunity', o.id, l.activity, 'account', :pull
    FROM temp.touched_opportunity t
    CROSS JOIN opportunity o ON o.connection = :connection AND o.id = t.id
    CROSS JOIN activity_link l ON l.connection = o.connection AND l.kind = 'account' AND l.record = o.account
    """,
)
_OF_LEADS = (
    """
    DELETE FROM activity_link
    WHERE connection = :connection AND kind = 'lead'
      AND record IN (SELECT id FROM temp.touched_lead) AND via <> 'direct'
    """,
    """
    INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
    SELECT l.connection, 'lead', d.id, l.activity, 'contact', :pull
    FROM temp.touched_lead t
    CROSS JOIN lead d ON d.connection = :connection AND d.id = t.id
    CROSS JOIN activity_link l ON l.connection = d.connection AND l.kind = 'contact' AND l.record = d.contact
    """,
)
_OF = {"activity": _OF_ACTIVITIES, "opportunity": _OF_OPPORTUNITIES, "lead": _OF_LEADS}


def watch(db: sqlite3.Connection) -> None:
    """Begin to note what is touched."""
    for statement in _TOUCHED:
        db.execute(statement)


def touch_activities(db: sqlite3.Connection, connection: str, ids: Iterable[str]) -> None:
    """Note activities whose links are about to change."""
    touched = [(activity,) for activity in ids]
    db.executemany(
        """
        INSERT OR IGNORE INTO temp.link_before SELECT l.kind, l.record, l.activity, l.via
        FROM activity_link l INDEXED BY activity_link_by_activity  -- SQLite would go through all of a connection
        WHERE l.connection = ? AND l.activity = ?
          AND NOT EXISTS (SELECT 1 FROM temp.touched_activity t WHERE t.id = l.activity)
        """,
        ((connection, *each) for each in touched),
    )
    db.executemany("INSERT OR IGNORE INTO temp.touched_activity VALUES (?)", touched)


def any_held(db: sqlite3.Connection, connection: str) -> bool:
    """Whether the connection has links at all; without, nothing can be derived."""
    query = "SELECT EXISTS (SELECT 1 FROM activity_link WHERE connection = ?)"
    return bool(db.execute(query, (connection,)).fetchone()[0])


def derive(db: sqlite3.Connection, connection: str, pull: int) -> None:
    """Derive again what was touched, and note the records whose activities are others now."""
    infer(db, connection, pull)
    resolve_activities(db, connection)


def infer(db: sqlite3.Connection, connection: str, pull: int) -> None:
    """Make the links that follow from others, of what was touched."""
    values = {"connection": connection, "pull": pull}
    for touched, statements in _OF.items():
        if db.execute(f"SELECT EXISTS (SELECT 1 FROM temp.touched_{touched})").fetchone()[0]:
            for statement in statements:
                db.execute(statement, values)
