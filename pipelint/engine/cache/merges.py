"""Records that the CRM merged: what pointed at the one that went points at the one that stayed.

CRMs move what hangs on a merged record without moving the stamps of it all, so no later pull would tell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pipelint.engine.cache import links
from pipelint.records import Stream

_POINTING: Mapping[Stream, tuple[tuple[Stream, str], ...]] = {
    Stream.ACCOUNTS: ((Stream.OPPORTUNITIES, "account"), (Stream.CONTACTS, "account")),
    Stream.CONTACTS: ((Stream.CONTACT_ROLES, "contact"), (Stream.LEADS, "contact")),
    Stream.OPPORTUNITIES: ((Stream.LINE_ITEMS, "opportunity"),),
}

# What the record is whose activities follow from the row, and the column that names it.
_REACHING = {
    Stream.OPPORTUNITIES: ("opportunity", "id"),
    Stream.CONTACT_ROLES: ("opportunity", "opportunity"),
    Stream.LEADS: ("lead", "id"),
}


def merge(
    db: sqlite3.Connection, connection: str, stream: Stream, merged: Mapping[str, str], pull: int
) -> None:
    """Point at the winners, before the losers are deleted; `links.derive` has to follow."""
    for loser, winner in merged.items():
        values = {"connection": connection, "loser": loser, "winner": winner, "kind": stream, "pull": pull}
        for pointing, column in _POINTING.get(stream, ()):
            where = f"WHERE connection = :connection AND {column} = :loser"
            if reaching := _REACHING.get(pointing):
                kind, record = reaching
                touched = f"SELECT {record} FROM {pointing} {where}"
                db.execute(f"INSERT OR IGNORE INTO temp.touched_{kind} {touched}", values)
            db.execute(f"UPDATE {pointing} SET {column} = :winner {where}", values)
        of_loser = "FROM activity_link WHERE connection = :connection AND kind = :kind AND record = :loser"
        activities = [activity for (activity,) in db.execute(f"SELECT activity {of_loser}", values)]
        links.touch_activities(db, connection, activities)
        db.execute(
            f"""
            INSERT OR IGNORE INTO activity_link (connection, kind, record, activity, via, pull)
            SELECT connection, kind, :winner, activity, via, :pull {of_loser}
            """,
            values,
        )
