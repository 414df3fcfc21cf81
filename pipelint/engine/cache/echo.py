"""Who moved the stamp of a record that comes with a pull: our own writing, or somebody else.

What only our writing moved is no human activity, and no work: the pack's fields that hold such a stamp keep what
they held before. Whatever somebody else touched may hold other values in our fields, too, and is read again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from pipelint.engine.cache.tables import table
from pipelint.records import Stream

WRITTEN = frozenset({Stream.OPPORTUNITIES, Stream.LEADS})
"""Streams of which we write records."""

_IDLE = frozenset({"modified_at", "pull", "custom"})

# The clocks of the CRM and of this machine need not agree to the second.
_SLACK = 60_000_000

_OURS = f"""
  EXISTS (
    SELECT 1 FROM journal j
    WHERE j.connection = s.connection AND j.kind = :kind AND j.record = s.id AND j.status = 'written'
      AND j.sent_at <= s.modified_at + {_SLACK} AND j.confirmed_at >= s.modified_at - {_SLACK}
  )
"""


def recognise(db: sqlite3.Connection, connection: str, stream: Stream, stamps: Iterable[str]) -> None:
    """Compare the staged rows with those they are about to replace; `stamps` are custom fields that hold one."""
    spec = table(stream)
    values = {"connection": connection, "kind": stream.value}
    pairs = (
        f"temp.staged_{spec.name} s CROSS JOIN {spec.name} o ON o.connection = s.connection AND o.id = s.id"
    )
    touched = f"SELECT s.id FROM {pairs} WHERE s.modified_at IS NOT o.modified_at AND NOT {_OURS}"
    _doubt(db, touched, values)
    names = sorted(stamps)
    if not names:
        return
    paths = ", ".join(f":stamp{number}" for number in range(len(names)))
    values |= {f"stamp{number}": f'$."{name}"' for number, name in enumerate(names)}
    held = " AND ".join(f"json_type(o.custom, :stamp{number}) IS NOT NULL" for number in range(len(names)))
    same = " AND ".join(f's."{name}" IS o."{name}"' for name in spec.columns if name not in _IDLE)
    db.execute(
        f"""
        UPDATE temp.staged_{spec.name} AS s SET custom = o.custom FROM {spec.name} o
        WHERE o.connection = s.connection AND o.id = s.id AND {held} AND {same}
          AND json_remove(s.custom, {paths}) IS json_remove(o.custom, {paths})
          AND (s.modified_at IS o.modified_at OR {_OURS})
        """,
        values,
    )


def _doubt(db: sqlite3.Connection, touched: str, values: dict[str, str]) -> None:
    """Forget what our fields of some records hold, but not the flags that they told."""
    found = f"""
        SELECT record FROM shown
        WHERE connection = :connection AND kind = :kind AND fields <> '{{}}' AND record IN ({touched})
    """
    db.execute(
        f"""
        INSERT INTO owed SELECT :connection, :kind, record, 'look' FROM ({found}) WHERE true
        ON CONFLICT DO UPDATE SET why = 'look'
        """,
        values,
    )
    db.execute(
        f"""
        UPDATE shown SET fields = '{{}}'
        WHERE connection = :connection AND kind = :kind AND record IN ({touched})
        """,
        values,
    )
