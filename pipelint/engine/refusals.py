"""What a CRM refused to take: kept per record, told as a finding, and tried again only when something changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.findings import Evidence, Finding
from pipelint.engine.values import Plain, to_json
from pipelint.rules.catalogue import RECORD_STREAM, RecordKind

RULE = "write-refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the CRM would not update, with the CRM's own code and words.

    `stamp` is when the record had last been modified, `wanted` what it should have held, as JSON.
    """

    kind: RecordKind
    id: str
    code: str
    message: str
    stamp: int
    wanted: str

    def still_holds(self, modified_at: int, wanted: Mapping[str, Plain]) -> bool:
        """Whether the same values on the same record would meet the same refusal."""
        return self.stamp == modified_at and self.wanted == to_json(wanted)


def standing(db: sqlite3.Connection, connection: str, kind: RecordKind) -> dict[str, Refusal]:
    """The refusals in force, by record."""
    query = "SELECT record, code, message, stamp, wanted FROM refusal WHERE connection = ? AND kind = ?"
    return {row[0]: Refusal(kind, *row) for row in db.execute(query, (connection, kind))}


def keep(db: sqlite3.Connection, connection: str, refusal: Refusal) -> None:
    """Remember a refusal."""
    row = (connection, refusal.kind, refusal.id, refusal.stamp, refusal.wanted, refusal.code, refusal.message)
    db.execute("INSERT OR REPLACE INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def lift(db: sqlite3.Connection, connection: str, kind: str, record: str) -> None:
    """The CRM has taken a value, or there is nothing to write any more."""
    statement = "DELETE FROM refusal WHERE connection = ? AND kind = ? AND record = ?"
    db.execute(statement, (connection, kind, record))


def refusal_findings(cache: Cache, connection: str, crm: str) -> Iterator[Finding]:
    """The standing refusals of a connection as findings of their own, which are never written."""
    for kind in ("opportunity", "lead"):
        for refusal in standing(cache.db, connection, kind).values():
            yield _finding(cache.db, connection, crm, refusal)


def _finding(db: sqlite3.Connection, connection: str, crm: str, refusal: Refusal) -> Finding:
    stream = RECORD_STREAM[refusal.kind].value
    row = db.execute(
        f"""
        SELECT o.name, o.url, w.name FROM {stream} o
        LEFT JOIN owner w ON w.connection = o.connection AND w.id = o.owner
        WHERE o.connection = ? AND o.id = ?
        """,
        (connection, refusal.id),
    ).fetchone()
    name, url, owner = row or (None, None, None)
    return Finding(
        connection=connection,
        crm=crm,
        kind=refusal.kind,
        id=refusal.id,
        name=name or "",
        url=url,
        owner=owner or "",
        pipeline="",
        stage="",
        rule=RULE,
        severity="warning",
        status="flagged",
        message=f"The CRM refused what pipelint wanted to write: {refusal.message or refusal.code}",
        fix="Correct the record, or let the integration user pass the rule that refuses it.",
        items=(),
        evidence=(Evidence("", refusal.code, "refused by the CRM"),),
        amount=None,
        written=False,
        keeps=False,
    )
