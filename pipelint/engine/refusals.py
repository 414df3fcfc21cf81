"""What a CRM refused to take: kept per record, told as a finding, tried again after a change or when asked to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pipelint.engine.cache.encode import instant
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evidence import Evidence
from pipelint.engine.finding import Finding
from pipelint.engine.values import Plain, to_json
from pipelint.rules.catalogue import RECORD_STREAM, RecordKind

RULE = "write-refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the CRM would not update, with the CRM's own code and words.

    `stamp` is when the record had last been modified, `wanted` what it should have held, as JSON. `since` is
    when it was last sent and refused; None: in this run.
    """

    kind: RecordKind
    id: str
    code: str
    message: str
    stamp: int
    wanted: str
    name: str = ""
    url: str | None = None
    since: datetime | None = None

    def still_holds(self, modified_at: int, wanted: Mapping[str, Plain]) -> bool:
        """Whether the same values on the same record would meet the same refusal."""
        return self.stamp == modified_at and self.wanted == to_json(wanted)


def standing(db: sqlite3.Connection, connection: str, kind: RecordKind) -> dict[str, Refusal]:
    """The refusals in force, by record."""
    query = "SELECT record, code, message, stamp, wanted FROM refusal WHERE connection = ? AND kind = ?"
    found = [Refusal(kind, *row) for row in db.execute(query, (connection, kind))]
    if not found:
        return {}
    query = """
        SELECT record, max(confirmed_at) FROM journal
        WHERE connection = ? AND kind = ? AND status = 'refused' GROUP BY record
    """
    since = {record: instant(at) for record, at in db.execute(query, (connection, kind))}
    return {each.id: replace(named(db, connection, each), since=since.get(each.id)) for each in found}


def named(db: sqlite3.Connection, connection: str, refusal: Refusal) -> Refusal:
    """The same with what people call the record, and where they find it."""
    query = f"SELECT name, url FROM {RECORD_STREAM[refusal.kind].value} WHERE connection = ? AND id = ?"
    row = db.execute(query, (connection, refusal.id)).fetchone()
    return refusal if row is None else replace(refusal, name=row[0] or "", url=row[1])


def as_json(refused: Iterable[Refusal]) -> list[dict[str, str | None]]:
    """Refusals as documents hold them."""
    return [
        {
            "kind": each.kind,
            "id": each.id,
            "name": each.name,
            "url": each.url,
            "code": each.code,
            "message": each.message,
            "since": None if each.since is None else each.since.date().isoformat(),
        }
        for each in refused
    ]


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
