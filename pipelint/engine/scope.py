"""Which records a plan concerns: those that rules look at, and those that still show values of ours."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipelint.engine.findings import Source
from pipelint.rules.catalogue import RECORD_STREAM


@dataclass(frozen=True, slots=True)
class Scope:
    """A pilot: pipelines of the pack and email addresses of owners; empty means all."""

    pipelines: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A record in scope, as far as a plan needs it; `group` is its account, `modified_at` in microseconds."""

    id: str
    name: str
    group: str
    modified_at: int


def in_scope(db: sqlite3.Connection, source: Source, scope: Scope) -> list[Member]:
    """The records of a source in scope, ordered by id.

    A record that has moved into an ignored pipeline is in scope while it shows values of ours: they must go.
    """
    kind = source.compiled.kind
    account = "o.account" if kind == "opportunity" else "NULL"
    pipeline = "p.pipeline" if kind == "opportunity" else "NULL"
    conditions = ""
    values: list[str] = [kind, source.connection]
    if scope.pipelines:
        conditions += f" AND {pipeline} IN ({', '.join('?' * len(scope.pipelines))})"
        values += scope.pipelines
    if scope.owners:
        conditions += f" AND lower(w.email) IN ({', '.join('?' * len(scope.owners))})"
        values += (owner.lower() for owner in scope.owners)
    rows = db.execute(
        f"""
        SELECT o.id, coalesce(o.name, ''), coalesce({account}, ''), o.modified_at
        FROM {RECORD_STREAM[kind].value} o
        LEFT JOIN "{source.table}" p ON p.id = o.id
        LEFT JOIN shown s ON s.connection = o.connection AND s.kind = ? AND s.record = o.id
        LEFT JOIN owner w ON w.connection = o.connection AND w.id = o.owner
        WHERE o.connection = ? AND (p.id IS NOT NULL OR s.record IS NOT NULL){conditions}
        ORDER BY o.id
        """,
        values,
    )
    return [Member(*row) for row in rows]
