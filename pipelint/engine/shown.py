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

    @property
    def ours(self) -> bool:
        """Whether a record shows, or showed before its values came into doubt, something that we wrote."""
        return bool(self.parts) or any(self.fields.values())


def load(db: sqlite3.Connection, connection: str, kind: str, record: str) -> Shown | None:
    """What is known of one record."""
    query = "SELECT fields, parts, basis FROM shown WHERE connection = ? AND kind = ? AND record = ?"
    row = db.execute(query, (connection, kind, record)).fetchone()
    return None if row is None else decoded(*row)


def decoded(fields: str, parts: str, basis: str) -> Shown:
    """What is known of one record, from its columns."""
    return Shown(from_json(fields), _parts.decode(parts), basis)


def save(db: sqlite3.Connection, connection: str, kind: str, records: Iterable[tuple[str, Shown]]) -> None:
    """Remember what was read or confirmed."""
    db.executemany(
        "INSERT OR REPLACE INTO shown VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                connection,
                kind,
                record,
                to_json(shown.fields),
                msgspec.json.encode(shown.parts).decode(),
                shown.basis,
                int(shown.ours),
            )
            for record, shown in records
        ),
    )


def doubt(db: sqlite3.Connection, connection: str, kind: str, records: Iterable[str]) -> None:
    """Forget the values, but not the flags: they are about to change, and only the CRM can say how it went."""
    keys = [(connection, kind, record) for record in records]
    db.executemany("UPDATE shown SET fields = '{}' WHERE connection = ? AND kind = ? AND record = ?", keys)
    db.executemany("INSERT OR REPLACE INTO owed VALUES (?, ?, ?, 'write')", keys)


def doubt_all(db: sqlite3.Connection, connection: str) -> None:
    """Forget the values of all records, but not the flags: a field that is made anew holds nothing."""
    db.execute(
        "INSERT OR REPLACE INTO owed SELECT connection, kind, record, 'write' FROM shown WHERE connection = ?",
        [connection],
    )
    db.execute("UPDATE shown SET fields = '{}' WHERE connection = ?", [connection])


def forget_fields(db: sqlite3.Connection, connection: str, kind: str, names: Iterable[str]) -> None:
    """Forget the values of fields that the CRM lacks: made anew, by whomever, they hold nothing."""
    query = """
        UPDATE shown SET fields = json_remove(fields, :path)
        WHERE connection = :connection AND kind = :kind AND json_type(fields, :path) IS NOT NULL
    """
    for name in names:
        path = f"$.{msgspec.json.encode(name).decode()}"
        db.execute(query, {"connection": connection, "kind": kind, "path": path})


def forget_deleted(db: sqlite3.Connection, connection: str, kind: str) -> None:
    """Drop what is known of those of `temp.chosen` that are not in the CRM any more."""
    for table in ("shown", "refusal", "owed"):
        db.execute(
            f"""
            DELETE FROM {table} WHERE connection = :connection AND kind = :kind
              AND record IN (SELECT record FROM temp.chosen)
              AND NOT EXISTS (SELECT 1 FROM {kind} o WHERE o.connection = :connection AND o.id = {table}.record)
            """,
            {"connection": connection, "kind": kind},
        )
