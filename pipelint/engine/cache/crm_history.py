"""What the CRM's own history says about a past moment: it knows when exactly, where we saw two pulls only.

Laid over the rebuilt rows. The value at a moment is what the first change after it replaced; where there is
none, what the last change before it brought, if that is the value that is there today.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.tables import ColumnType, Table, table
from pipelint.records import Stream

_KINDS = (Stream.OPPORTUNITIES, Stream.ACCOUNTS, Stream.CONTACTS, Stream.LEADS)


def apply_crm_history(db: sqlite3.Connection, connection: str, at: int) -> None:
    """Correct the rebuilt rows of a connection, which are in the temporary tables."""
    values = {"connection": connection, "at": at}
    _stages(db, values)
    for stream in _KINDS:
        _fields(db, table(stream), {**values, "kind": stream.value})


# What else moves with the stage, at the same moment: whether it is open or won as the stage says.
_MOVED = """
    UPDATE temp.opportunity SET
      stage = :stage,
      stage_entered_at = :entered,
      is_open = coalesce(s.is_open, opportunity.is_open),
      is_won = coalesce(s.is_won, opportunity.is_won),
      closed_at = CASE WHEN coalesce(s.is_open, opportunity.is_open) = 0 THEN :entered END
    FROM (SELECT 1) LEFT JOIN temp.stage s
      ON s.connection = :connection AND s.id = :stage
      AND s.pipeline IN ('', (SELECT pipeline FROM temp.opportunity WHERE connection = :connection AND id = :id))
    WHERE opportunity.connection = :connection AND opportunity.id = :id
"""
_LAST = """
    (SELECT max(at) FROM main.stage_change b
     WHERE b.connection = c.connection AND b.opportunity = c.id AND b.at <= :at)
"""
_STAGES = f"""
    SELECT c.id, h.from_stage, {_LAST} FROM temp.opportunity c
    CROSS JOIN (
      SELECT opportunity, from_stage, row_number() OVER (PARTITION BY opportunity ORDER BY at, id) AS place
      FROM main.stage_change WHERE connection = :connection AND at > :at
    ) h ON h.opportunity = c.id AND h.place = 1
    WHERE c.connection = :connection AND h.from_stage IS NOT NULL AND h.from_stage IS NOT c.stage
    UNION ALL
    SELECT c.id, o.stage, {_LAST} FROM temp.opportunity c
    JOIN main.opportunity o ON o.connection = c.connection AND o.id = c.id
    WHERE c.connection = :connection AND c.stage IS NOT o.stage AND o.stage = (
      SELECT b.to_stage FROM main.stage_change b
      WHERE b.connection = c.connection AND b.opportunity = c.id ORDER BY b.at DESC, b.id DESC LIMIT 1
    ) AND NOT EXISTS (
      SELECT 1 FROM main.stage_change b
      WHERE b.connection = c.connection AND b.opportunity = c.id AND b.at > :at
    )
"""


def _stages(db: sqlite3.Connection, values: Mapping[str, object]) -> None:
    for record, stage, entered in db.execute(_STAGES, values).fetchall():
        db.execute(_MOVED, {**values, "id": record, "stage": stage, "entered": entered})


_OWN = "FROM main.field_change WHERE connection = :connection AND kind = :kind AND origin = 'crm'"
_LATER = f"""
    SELECT record, field, old FROM (
      SELECT *, row_number() OVER (PARTITION BY record, field ORDER BY at, id) AS place {_OWN} AND at > :at
    ) WHERE place = 1
"""
_EARLIER = f"""
    SELECT record, field, new FROM (
      SELECT *, row_number() OVER (PARTITION BY record, field ORDER BY at DESC, id DESC) AS place {_OWN}
    ) c WHERE place = 1 AND at <= :at AND EXISTS (
      SELECT 1 FROM main.undo_log u
      WHERE u.connection = :connection AND u.stream = :kind AND u.at > :at AND u.since < c.at
        AND u.key = json_array(c.record)
    )
"""


def _fields(db: sqlite3.Connection, spec: Table, values: Mapping[str, object]) -> None:
    for record, field, text in db.execute(_LATER, values).fetchall():
        _Value(db, spec, values["connection"], record, field).set(text)
    for record, field, text in db.execute(_EARLIER, values).fetchall():
        value = _Value(db, spec, values["connection"], record, field)
        if value.today() == text:
            value.set(text)


class _Value:
    """One field of one record; histories tell values as text, as the tables' own texts would be."""

    def __init__(
        self, db: sqlite3.Connection, spec: Table, connection: object, record: str, field: str
    ) -> None:
        self.db = db
        self.table = spec.name
        self.key = (connection, record)
        self.own = field.removeprefix("custom.") if field.startswith("custom.") else None
        self.column = "custom" if self.own is not None else field
        self.known = self.column in spec.fields and self.column not in spec.key
        self.type = spec.fields.get(self.column)

    def column_of(self, where: str) -> object:
        query = f'SELECT "{self.column}" FROM {where}.{self.table} WHERE connection = ? AND id = ?'
        row = self.db.execute(query, self.key).fetchone() if self.known else None
        return row and row[0]

    def own_of(self, where: str) -> dict[str, object]:
        return dict(msgspec.json.decode(str(self.column_of(where) or "{}")))

    def today(self) -> str | None:
        value = self.column_of("main") if self.own is None else self.own_of("main").get(self.own)
        return None if value is None else _text(value)

    def set(self, text: str | None) -> None:
        value: object = text
        if self.own is not None:
            others = {name: each for name, each in self.own_of("temp").items() if name != self.own}
            told = {} if text is None else {self.own: self.like_today(text)}
            value = msgspec.json.encode(others | told, order="deterministic").decode()
        elif self.type is ColumnType.INSTANT and text is not None and "-" in text[1:]:
            value = microseconds(datetime.fromisoformat(text))
        if self.known:
            statement = f'UPDATE temp.{self.table} SET "{self.column}" = ? WHERE connection = ? AND id = ?'
            self.db.execute(statement, (value, *self.key))

    def like_today(self, text: str) -> object:
        """The text as a value of the type that the field has otherwise."""
        for where in ("temp", "main"):
            match self.own_of(where).get(self.own or ""):
                case bool():
                    return text in {"1", "true"}
                case int() | list():
                    return msgspec.json.decode(text)
                case str():
                    return text
        return text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
