"""Which records a plan concerns: those that rules look at, and those that still show values of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipelint.engine.evaluate import CHOSEN
from pipelint.engine.prepare.columns import quoted
from pipelint.engine.scores import score_columns, written_scores
from pipelint.engine.shown import Shown, decoded
from pipelint.engine.source import Source
from pipelint.rules.catalogue import RECORD_STREAM


@dataclass(frozen=True, slots=True)
class Scope:
    """A pilot: pipelines of the pack and email addresses of owners; empty means all."""

    pipelines: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A record in scope, as far as a plan needs it; `group` is its account, `modified_at` in microseconds.

    `value` is its amount, as the CRM gives it.
    `before` is what it is known to show; `scored` are its scores by key, None where rules do not look at it.
    """

    id: str
    name: str
    group: str
    modified_at: int
    value: int
    before: Shown | None
    scored: Mapping[str, int | str | None] | None


def in_scope(db: sqlite3.Connection, source: Source, scope: Scope) -> Iterator[Member]:
    """Those of `temp.chosen` that are in scope, ordered by id.

    A record that has moved into an ignored pipeline is in scope while it shows values of ours: they must go.
    """
    deal = source.compiled.kind == "opportunity"
    account, value = ("o.account", "CAST(coalesce(o.amount, 0) AS INTEGER)") if deal else ("NULL", "0")
    columns = score_columns(source)
    chosen = [
        "o.id", "coalesce(o.name, '')", f"coalesce({account}, '')", "o.modified_at", value,
        "s.fields", "s.parts", "s.basis", "p.id", *(f"p.{quoted(name)}" for name in columns),
    ]  # fmt: skip
    tables, values = _scope(source, scope)
    query = f"SELECT {', '.join(chosen)} {tables} AND o.{CHOSEN} ORDER BY o.id"
    for id_, name, group, modified_at, worth, fields, parts, basis, prepared, *cells in db.execute(
        query, values
    ):
        before = None if fields is None else decoded(fields, parts, basis)
        scored = None if prepared is None else written_scores(source, cells)
        yield Member(id_, name, group, modified_at, worth, before, scored)


class Elsewhere(NamedTuple):
    """How many records in scope are not looked at; `ours` are those that we have written to."""

    all: int
    ours: int
    waiting: int
    owed: int
    owed_ours: int


def elsewhere(db: sqlite3.Connection, source: Source, scope: Scope) -> Elsewhere:
    """The records in scope that are not in `temp.chosen`."""
    tables, values = _scope(source, scope)
    query = f"""
        SELECT count(*), total(s.ours), total(d.why = 'wait'), total(d.why = 'write'),
          total(d.why = 'write' AND s.ours)
        {tables} AND NOT o.{CHOSEN}
    """
    return Elsewhere(*map(int, db.execute(query, values).fetchone()))


def _scope(source: Source, scope: Scope) -> tuple[str, list[str]]:
    """FROM and WHERE, and their parameters."""
    kind = source.compiled.kind
    pipeline = "p.pipeline" if kind == "opportunity" else "NULL"
    conditions = ""
    values: list[str] = [source.connection]
    if scope.pipelines:
        conditions += f" AND {pipeline} IN ({', '.join('?' * len(scope.pipelines))})"
        values += scope.pipelines
    if scope.owners:
        conditions += f" AND lower(w.email) IN ({', '.join('?' * len(scope.owners))})"
        values += (owner.lower() for owner in scope.owners)
    tables = f"""
        FROM {RECORD_STREAM[kind].value} o
        LEFT JOIN "{source.table}" p ON p.id = o.id
        LEFT JOIN shown s ON s.connection = o.connection AND s.kind = '{kind}' AND s.record = o.id
        LEFT JOIN owed d ON d.connection = o.connection AND d.kind = '{kind}' AND d.record = o.id
        LEFT JOIN owner w ON w.connection = o.connection AND w.id = o.owner
        WHERE o.connection = ? AND (p.id IS NOT NULL OR s.record IS NOT NULL){conditions}
    """
    return tables, values
