"""What we know our fields to show in a CRM, record by record: last read there, or written and confirmed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from pipelint.engine.values import Plain, from_json, to_json
from pipelint.engine.written import Part

_parts = msgspec.json.Decoder(tuple[Part, ...])


@dataclass(frozen=True, slots=True)
class Shown:
    """The values of our fields by the CRM's names, the flags that they tell, and what these were made from."""

    fields: Mapping[str, Plain]
    parts: tuple[Part, ...] = ()
    basis: str = ""


def load(db: sqlite3.Connection, connection: str, kind: str) -> dict[str, Shown]:
    """What is known, by record."""
    query = "SELECT record, fields, parts, basis FROM shown WHERE connection = ? AND kind = ?"
    return {
        record: Shown(from_json(fields), _parts.decode(parts), basis)
        for record, fields, parts, basis in db.execute(query, (connection, kind))
    }


def save(db: sqlite3.Connection, connection: str, kind: str, records: Iterable[tuple[str, Shown]]) -> None:
    """Remember what was read or confirmed."""
    db.executemany(
        "INSERT OR REPLACE INTO shown VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                connection,
                kind,
                record,
                to_json(shown.fields),
                msgspec.json.encode(shown.parts).decode(),
                shown.basis,
            )
            for record, shown in records
        ),
    )


def doubt(db: sqlite3.Connection, connection: str, kind: str, records: Iterable[str]) -> None:
    """Forget the values, but not the flags: they are about to change, and only the CRM can say how it went."""
    statement = "UPDATE shown SET fields = '{}' WHERE connection = ? AND kind = ? AND record = ?"
    db.executemany(statement, ((connection, kind, record) for record in records))


def forget_deleted(db: sqlite3.Connection, connection: str, kind: str) -> None:
    """Drop what is known of records that are not in the CRM any more."""
    for table in ("shown", "refusal"):
        db.execute(
            f"DELETE FROM {table} WHERE connection = ? AND kind = ? AND record NOT IN"
            f" (SELECT id FROM {kind} WHERE connection = ?)",
            (connection, kind, connection),
        )
