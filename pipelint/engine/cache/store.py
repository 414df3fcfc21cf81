"""How a page of records gets into the tables, and how records leave them.

Runs inside the caller's transaction. Records that may have changed are staged in a temporary table first,
so that the comparison with what they replace happens in SQL and not row by row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from pipelint.connectors.base import Page
from pipelint.engine.cache import echo, links, touched, undo_log
from pipelint.engine.cache.encode import rows
from pipelint.engine.cache.merges import merge
from pipelint.engine.cache.observe import OBSERVED, Interval, observe, prefer_crm
from pipelint.engine.cache.tables import CHILDREN, Table, table
from pipelint.records import RECORD_TYPES, ActivityLink, FieldChange, Record, Stream

_STREAMS: Mapping[type[Record], Stream] = {record: stream for stream, record in RECORD_TYPES.items()}

# A record that a full pull does not deliver any more is gone; a past change is not: CRMs forget history.
# Links come and go with their activities.
_KEPT = frozenset({Stream.STAGE_CHANGES, Stream.FIELD_CHANGES, Stream.ACTIVITY_LINKS})

_LINKED = (Stream.OPPORTUNITIES, Stream.ACCOUNTS, Stream.CONTACTS, Stream.LEADS)

# Children that may move to another parent, and would otherwise be counted on both.
_MOVABLE = frozenset({Stream.CONTACT_ROLES, Stream.LINE_ITEMS})

# The column through which a record brings activities to an opportunity or a lead, which, and what that is.
_BRIDGES: Mapping[Stream, tuple[str, str, str]] = {
    Stream.OPPORTUNITIES: ("account", "id", "opportunity"),
    Stream.CONTACT_ROLES: ("contact", "opportunity", "opportunity"),
    Stream.LEADS: ("contact", "id", "lead"),
}


class Stored(NamedTuple):
    """What a page came to: records of its own stream, and records that went."""

    records: int
    deleted: int


def store_page(
    db: sqlite3.Connection, connection: str, page: Page, interval: Interval | None, pull: int
) -> Stored:
    """Store the records, observe what changed if there is an interval to compare over, drop what is gone."""
    links.watch(db)
    undo_log.watch(db, interval)
    groups = _by_stream(page.records)
    touched.see_stages(db, connection, groups)
    links.touch_activities(db, connection, _activities(groups))
    for stream in sorted(groups, key=list(Stream).index):
        _put(db, connection, stream, groups[stream], interval, pull)
    if Stream.ACTIVITIES in groups:
        _drop_other_links(db, connection, groups)
    merge(db, connection, page.stream, page.merged, pull)
    others = _drop_other_children(db, connection, page) if page.parents else 0
    deleted = delete(db, connection, page.stream, page.deleted) if page.deleted else 0
    links.derive(db, connection, pull)
    return Stored(len(groups.get(page.stream, ())), deleted + others)


def delete(db: sqlite3.Connection, connection: str, stream: Stream, ids: Iterable[str]) -> int:
    """Remove records by id with all that hangs on them; the number that were there."""
    _fill_gone(db)
    db.executemany("INSERT OR IGNORE INTO temp.gone VALUES (?)", ((id_,) for id_ in ids))
    return _drop(db, connection, stream)


def delete_unseen(db: sqlite3.Connection, connection: str, stream: Stream, since: int, pull: int) -> int:
    """Remove what no pull since the given one has seen; for the end of a full pull."""
    if stream in _KEPT:
        return 0
    links.watch(db)
    if table(stream).retires:
        return _retire(db, connection, stream, "pull < :since", {"since": since})
    _fill_gone(db)
    db.execute(
        f"INSERT INTO temp.gone SELECT DISTINCT id FROM {stream.value} WHERE connection = ? AND pull < ?",
        (connection, since),
    )
    deleted = _drop(db, connection, stream)
    links.derive(db, connection, pull)
    return deleted


def _by_stream(records: Sequence[Record]) -> dict[Stream, list[Record]]:
    groups: dict[type[Record], list[Record]] = {}
    for record in records:
        groups.setdefault(type(record), []).append(record)
    return {_STREAMS[kind]: group for kind, group in groups.items()}


def _put(
    db: sqlite3.Connection,
    connection: str,
    stream: Stream,
    records: list[Record],
    interval: Interval | None,
    pull: int,
) -> None:
    spec = table(stream)
    if stream in _MOVABLE or (interval and stream in OBSERVED):
        latest = list(dict(zip(_ids(records), records, strict=True)).values())
        _stage(db, spec, rows(spec, connection, latest, {}, pull))
        _touch_staged(db, connection, spec)
        if stream in _MOVABLE:
            _drop_moved(db, connection, spec)
        if interval and stream in echo.WRITTEN:
            echo.recognise(db, connection, stream, interval.stamps)
        if interval and stream in OBSERVED:
            observe(db, connection, stream, interval, pull)
        db.execute(_upsert(stream, f"SELECT * FROM temp.staged_{spec.name} WHERE true"))
        return
    if stream in {Stream.OPPORTUNITIES, Stream.LEADS} and links.any_held(db, connection):
        db.executemany(
            f"INSERT OR IGNORE INTO temp.touched_{stream.value} VALUES (?)", ((id_,) for id_ in _ids(records))
        )
    added = {"via": "direct"} if stream is Stream.ACTIVITY_LINKS else {}
    values = f"VALUES ({', '.join('?' * len(spec.columns))})"
    db.executemany(_upsert(stream, values), rows(spec, connection, records, added, pull))
    if stream is Stream.FIELD_CHANGES:
        prefer_crm(db, connection, [record for record in records if isinstance(record, FieldChange)])


def _activities(groups: Mapping[Stream, list[Record]]) -> Iterable[str]:
    """The activities whose links a page may change, each once."""
    streams = (Stream.ACTIVITIES, Stream.ACTIVITY_LINKS)
    return dict.fromkeys(id_ for stream in streams for id_ in _ids(groups.get(stream, ())))


def _ids(records: Iterable[Record]) -> list[str]:
    return [record.activity if isinstance(record, ActivityLink) else record.id for record in records]


@cache
def _upsert(stream: Stream, source: str) -> str:
    spec = table(stream)
    columns = ", ".join(f'"{name}"' for name in spec.columns)
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in spec.columns if name not in spec.key)
    return (
        f"INSERT INTO {spec.name} ({columns}) {source} "
        f"ON CONFLICT ({', '.join(spec.key)}) DO UPDATE SET {changed}"
    )


def _stage(db: sqlite3.Connection, spec: Table, encoded: Iterable[tuple[object, ...]]) -> None:
    columns = ", ".join(
        f'"{name}"' for name in spec.columns
    )  # in a file of an older version they stand otherwise
    db.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS staged_{spec.name} AS SELECT {columns} FROM {spec.name} WHERE false"
    )
    db.execute(f"DELETE FROM temp.staged_{spec.name}")
    db.executemany(
        f"INSERT INTO temp.staged_{spec.name} VALUES ({', '.join('?' * len(spec.columns))})", encoded
    )


def _touch_staged(db: sqlite3.Connection, connection: str, spec: Table) -> None:
    """Note the opportunities and leads that are new or reach other activities than before."""
    if spec.stream not in _BRIDGES or not links.any_held(db, connection):
        return
    bridge, record, kind = _BRIDGES[spec.stream]
    same = " AND ".join(f"o.{name} = s.{name}" for name in spec.key)
    db.execute(
        f"""
        INSERT OR IGNORE INTO temp.touched_{kind}
        SELECT s.{record} FROM temp.staged_{spec.name} s LEFT JOIN {spec.name} o ON {same}
        WHERE o.id IS NULL OR o.{bridge} IS NOT s.{bridge}
        """
    )


def _drop_moved(db: sqlite3.Connection, connection: str, spec: Table) -> None:
    moved = f"""
        FROM temp.staged_{spec.name} s CROSS JOIN {spec.name} o
          ON o.connection = s.connection AND o.id = s.id AND o.opportunity <> s.opportunity
    """
    db.execute(f"INSERT OR IGNORE INTO temp.touched_opportunity SELECT o.opportunity {moved}")
    db.execute(
        f"""
        DELETE FROM {spec.name}
        WHERE connection = ? AND (opportunity, id) IN (SELECT o.opportunity, o.id {moved})
        """,
        (connection,),
    )


def _drop_other_links(db: sqlite3.Connection, connection: str, groups: Mapping[Stream, list[Record]]) -> None:
    """Remove the links of a page's activities that are not on it: the page holds all of them."""
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS delivered"
        " (activity TEXT, kind TEXT, record TEXT, PRIMARY KEY (activity, kind, record)) WITHOUT ROWID"
    )
    db.execute("DELETE FROM temp.delivered")
    db.executemany(
        "INSERT OR IGNORE INTO temp.delivered (kind, record, activity) VALUES (?, ?, ?)",
        groups.get(Stream.ACTIVITY_LINKS, ()),
    )
    db.execute(
        """
        DELETE FROM activity_link INDEXED BY activity_link_by_activity
        WHERE connection = ? AND activity IN (SELECT id FROM temp.touched_activity)
          AND NOT EXISTS (
            SELECT 1 FROM temp.delivered d
            WHERE d.activity = activity_link.activity AND d.kind = activity_link.kind
              AND d.record = activity_link.record
          )
        """,
        (connection,),
    )


def _drop_other_children(db: sqlite3.Connection, connection: str, page: Page) -> int:
    """Remove the children of a page's parents that are not on it: the page holds all of them."""
    _fill_gone(db)
    db.executemany(
        f"INSERT OR IGNORE INTO temp.gone SELECT id FROM {page.stream.value}"
        " WHERE connection = ? AND opportunity = ?",
        ((connection, parent) for parent in page.parents),
    )
    delivered = ((id_,) for id_ in _ids(page.records))
    db.executemany("DELETE FROM temp.gone WHERE id = ?", delivered)
    return _drop(db, connection, page.stream)


def _fill_gone(db: sqlite3.Connection) -> None:
    db.execute("CREATE TEMP TABLE IF NOT EXISTS gone (id TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("DELETE FROM temp.gone")


_GONE = "(SELECT id FROM temp.gone)"


def _drop(db: sqlite3.Connection, connection: str, stream: Stream) -> int:
    spec = table(stream)
    if spec.retires:
        return _retire(db, connection, stream, f"id IN {_GONE}", {})
    for child, column in CHILDREN.get(stream, {}).items():
        _drop_where(db, connection, child, f"{column} IN {_GONE}")
    if stream in _LINKED:
        _drop_links(db, connection, stream)
    if stream is Stream.ACTIVITIES:
        links.touch_activities(db, connection, _column(db, "SELECT id FROM temp.gone"))
        db.execute(f"DELETE FROM activity_link WHERE connection = ? AND activity IN {_GONE}", (connection,))
    return _drop_where(db, connection, stream, f"{spec.id} IN {_GONE}")


def _drop_where(db: sqlite3.Connection, connection: str, stream: Stream, where: str) -> int:
    if stream is Stream.CONTACT_ROLES:
        db.execute(
            f"""
            INSERT OR IGNORE INTO temp.touched_opportunity
            SELECT opportunity FROM contact_role WHERE connection = ? AND {where}
            """,
            (connection,),
        )
    return db.execute(f"DELETE FROM {stream.value} WHERE connection = ? AND {where}", (connection,)).rowcount


def _drop_links(db: sqlite3.Connection, connection: str, stream: Stream) -> None:
    of_gone = f"FROM activity_link WHERE connection = ? AND kind = ? AND record IN {_GONE}"
    values = (connection, stream.value)
    if stream in (Stream.ACCOUNTS, Stream.CONTACTS):
        links.touch_activities(db, connection, _column(db, f"SELECT activity {of_gone}", values))
    db.execute(f"DELETE {of_gone}", values)


def _column(db: sqlite3.Connection, query: str, values: Sequence[object] = ()) -> list[str]:
    return [value for (value,) in db.execute(query, tuple(values))]


def _retire(
    db: sqlite3.Connection, connection: str, stream: Stream, where: str, values: Mapping[str, object]
) -> int:
    statement = (
        f"UPDATE {stream.value} SET active = 0 WHERE connection = :connection AND active IS NOT 0 AND {where}"
    )
    return db.execute(statement, {"connection": connection, **values}).rowcount
