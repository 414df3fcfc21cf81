"""Differences between two pulls, kept as field changes: our history outlives the CRM's own.

Compared are fields that both the previous and this pull deliver, on records that we had already: a field
that is new to us did not change, and neither did a record.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import msgspec

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.tables import table
from pipelint.records import FieldChange, Stream

OBSERVED = frozenset(
    {Stream.OPPORTUNITIES, Stream.ACCOUNTS, Stream.CONTACTS, Stream.CONTACT_ROLES, Stream.LEADS}
)

# They move with everything else, or are counts of what we hold anyway.
_BOOKKEEPING = frozenset({"modified_at", "url", "last_activity_at", "next_activity_at", "custom"})

# A CRM may stamp a record and the history of its change one after the other.
_SLACK = 60_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """What is compared: the fields both pulls deliver, and the time between the pulls."""

    fields: frozenset[str]
    custom: frozenset[str]
    since: datetime
    now: datetime
    fresh: frozenset[str] = frozenset()
    """Fields that only this pull delivers, the pack's own ones as `custom.` and their name."""
    stamps: frozenset[str] = frozenset()
    """Of `custom`, those that any writing moves, ours too, so that it tells nothing."""


def observe(db: sqlite3.Connection, connection: str, stream: Stream, interval: Interval, pull: int) -> None:
    """Compare the staged rows with those they are about to replace."""
    compared = interval.fields.intersection(table(stream).fields) - _BOOKKEEPING - set(table(stream).key)
    custom = interval.custom - interval.stamps if table(stream).has_custom else frozenset()
    if not compared and not custom:
        return
    db.execute(
        _statement(stream, tuple(sorted(compared)), bool(custom)),
        {
            "connection": connection,
            "kind": stream.value,
            "since": microseconds(interval.since),
            "now": microseconds(interval.now),
            "custom": msgspec.json.encode(sorted(custom)).decode(),
            "slack": _SLACK,
            "pull": pull,
        },
    )


def prefer_crm(db: sqlite3.Connection, connection: str, told: list[FieldChange]) -> None:
    """Drop observations that the CRM's own history tells better: it knows when and by whom.

    It is the same change when the record, the field and the new value are, and the CRM's lies between the
    pulls that saw the difference.
    """
    db.executemany(
        """
        DELETE FROM field_change
        WHERE connection = ? AND kind = ? AND record = ? AND field = ? AND origin = 'observed'
          AND new IS ? AND since < ? AND at >= ?
        """,
        (
            (connection, c.kind, c.record, c.field, c.new, microseconds(c.at), microseconds(c.at) - _SLACK)
            for c in told
            if c.origin == "crm"
        ),
    )


@cache
def _statement(stream: Stream, compared: tuple[str, ...], custom: bool) -> str:
    spec = table(stream)
    paired = (*compared, "custom") if custom else compared
    same = " AND ".join(f"o.{name} = s.{name}" for name in spec.key)
    changes = [
        f"""
        SELECT record, modified_at, '{name}', CAST("old {name}" AS TEXT), CAST("new {name}" AS TEXT)
        FROM pair WHERE "old {name}" IS NOT "new {name}"
        """
        for name in compared
    ]
    if custom:
        changes.append(_CUSTOM)
    return f"""
    WITH pair AS (
      SELECT s.id AS record, s.modified_at,
        {", ".join(f'o."{name}" AS "old {name}", s."{name}" AS "new {name}"' for name in paired)}
      FROM temp.staged_{spec.name} s CROSS JOIN {spec.name} o ON {same}
      WHERE {" OR ".join(f'o."{name}" IS NOT s."{name}"' for name in paired)}
    ), change (record, modified_at, field, old, new) AS ({" UNION ALL ".join(changes)}),
    dated AS (
      SELECT *, CASE WHEN modified_at > :since AND modified_at <= :now THEN modified_at ELSE :now END AS at
      FROM change
    )
    INSERT INTO field_change (connection, id, kind, record, field, old, new, at, origin, since, pull)
    SELECT :connection, 'observed:' || :kind || ':' || record || ':' || field || ':' || at,
      :kind, record, field, old, new, at, 'observed', :since, :pull
    FROM dated d
    WHERE NOT EXISTS (
      SELECT 1 FROM field_change c
      WHERE c.connection = :connection AND c.kind = :kind AND c.record = d.record AND c.field = d.field
        AND c.origin = 'crm' AND c.new IS d.new AND c.at > :since AND c.at <= d.at + :slack
    )
    ON CONFLICT DO UPDATE SET new = excluded.new
    """


# Compared as text: JSON's true and 1 are stored alike.
_CUSTOM = """
SELECT record, modified_at, 'custom.' || key, old, new FROM (
  SELECT p.record, p.modified_at, n.key, CAST(n.value AS TEXT) AS new,
    (SELECT CAST(o.value AS TEXT) FROM json_each(p."old custom") o WHERE o.key = n.key) AS old
  FROM pair p, json_each(p."new custom") n
  WHERE p."old custom" IS NOT p."new custom"
  UNION ALL
  SELECT p.record, p.modified_at, o.key, NULL, CAST(o.value AS TEXT)
  FROM pair p, json_each(p."old custom") o
  WHERE p."old custom" IS NOT p."new custom"
    AND NOT EXISTS (SELECT 1 FROM json_each(p."new custom") n WHERE n.key = o.key)
)
WHERE old IS NOT new AND key IN (SELECT value FROM json_each(:custom))
"""
