"""The journal: every write is in it, on the disk, before it is sent, and its outcome after.

What is still marked as sent when a run begins was cut off between the two; only the CRM can say how it went.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby

from pipelint.connectors.base import Connector, Outcome
from pipelint.engine import refusals, shown
from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.own_fields import as_named
from pipelint.engine.plan import PlannedRecord
from pipelint.engine.refusals import Refusal
from pipelint.engine.values import one_from_json, one_to_json, plain, to_json
from pipelint.rules.catalogue import RecordKind

_READ = 2000


def intend(cache: Cache, connection: str, run: str, records: Sequence[PlannedRecord], at: datetime) -> None:
    """Write down what is about to be sent; from here on only the CRM knows what it shows."""
    rows = [
        (
            run,
            connection,
            record.kind,
            record.id,
            change.field,
            one_to_json(plain(change.old)),
            one_to_json(plain(change.new)),
            microseconds(at),
        )
        for record in records
        for change in record.changes
    ]
    with _on_disk(cache), cache.transaction() as db:
        db.executemany(
            "INSERT INTO journal (run, connection, kind, record, field, old, new, status, sent_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'sent', ?)",
            rows,
        )
        for kind, same in groupby(records, lambda record: record.kind):
            shown.doubt(db, connection, kind, [record.id for record in same])


def confirm(
    cache: Cache,
    connection: str,
    run: str,
    outcomes: Sequence[tuple[PlannedRecord, Outcome]],
    at: datetime,
) -> None:
    """Write down what became of them."""
    with _on_disk(cache), cache.transaction() as db:
        for record, outcome in outcomes:
            db.execute(
                "UPDATE journal SET status = ?, code = ?, message = ?, confirmed_at = ?"
                " WHERE run = ? AND connection = ? AND kind = ? AND record = ?",
                (
                    outcome.status,
                    outcome.code or None,
                    outcome.message or None,
                    microseconds(at),
                    run,
                    connection,
                    record.kind,
                    record.id,
                ),
            )
            _remember(db, connection, record, outcome)


def settle(cache: Cache, connector: Connector, at: datetime) -> None:
    """Ask the CRM what became of writes that an earlier run sent and did not see confirmed."""
    rows = cache.db.execute(
        "SELECT id, kind, record, field, new FROM journal WHERE connection = ? AND status IN ('sent', 'unknown')"
        " ORDER BY kind, record",
        (connector.name,),
    ).fetchall()
    for kind, of_kind in groupby(rows, lambda row: row[1]):
        _settle_kind(cache, connector, kind, list(of_kind), at)


def _settle_kind(
    cache: Cache,
    connector: Connector,
    kind: RecordKind,
    rows: list[tuple[int, RecordKind, str, str, str]],
    at: datetime,
) -> None:
    visible = as_named(connector.fields(kind)).keys()
    names = sorted({field for _, _, _, field, _ in rows} & visible)
    ids = list(dict.fromkeys(record for _, _, record, _, _ in rows))
    current = {
        record: values
        for first in range(0, len(ids), _READ)
        for record, values in (connector.read(kind, ids[first : first + _READ], names) if names else ())
    }
    settled = []
    for number, _, record, field, new in rows:
        if record not in current:
            status = "gone" if names else "lost"
        else:
            same = field in current[record] and plain(current[record][field]) == one_from_json(new)
            status = "written" if same else "lost"
        settled.append((status, microseconds(at), number))
    with cache.transaction() as db:
        db.executemany("UPDATE journal SET status = ?, confirmed_at = ? WHERE id = ?", settled)


def _remember(db: sqlite3.Connection, connection: str, record: PlannedRecord, outcome: Outcome) -> None:
    if outcome.status in {"unknown", "locked"}:
        return
    refusals.lift(db, connection, record.kind, record.id)
    if outcome.status == "written":
        shown.save(db, connection, record.kind, [(record.id, record.shows)])
    elif outcome.status == "refused":
        shown.save(db, connection, record.kind, [(record.id, record.holds)])
        wanted = to_json(record.wanted)
        refused = Refusal(record.kind, record.id, outcome.code, outcome.message, record.modified_at, wanted)
        refusals.keep(db, connection, refused)


@contextmanager
def _on_disk(cache: Cache) -> Iterator[None]:
    """Commits inside the block reach the disk before they return; a pull may be repeated, a write may not."""
    cache.db.execute("PRAGMA synchronous = FULL")
    try:
        yield
    finally:
        cache.db.execute("PRAGMA synchronous = NORMAL")
