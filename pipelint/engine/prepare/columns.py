"""SQL for the prepared columns of one record: each aspect of each field that the rules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelint.engine.prepare.evidence import filled_at_once
from pipelint.engine.prepare.money import NO_RATE, RATE_OF_RECORD
from pipelint.records import Stream
from pipelint.rules.calendar import PERIOD_UNITS
from pipelint.rules.catalogue import PRICE_MARKER, RECORD_STREAM, STAGE_MARKER, RecordKind
from pipelint.rules.emit.sqlite import expression
from pipelint.rules.fields import NUMERIC, TEMPORAL, TEXTUAL, Field, FieldType, Origin
from pipelint.rules.ir import Column
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, custom_source, derived_from
from pipelint.rules.thin_evidence import AT_ONCE, THIN

_STAGE_COLUMNS = {
    ("pipeline", ""): "m.pipeline",
    ("pipeline", "fold"): "pl_fold(m.pipeline)",
    ("stage", "place"): "m.number",
    ("stage_kind", ""): "m.kind",
    ("stage_kind", "fold"): "m.kind",
    ("stage_number", ""): "m.number * 10000",
    ("stage_group", "place"): "m.grp",
}
STAGE_MISSING = "CASE WHEN o.stage IS NOT NULL AND m.number IS NULL THEN 1 ELSE 0 END"


_MOVES = (
    "FROM stage_change s LEFT JOIN temp.stage_map t ON t.pipeline_id IS o.pipeline AND t.stage_id = s.to_stage"
    " WHERE s.connection = o.connection AND s.opportunity = o.id"
)
_DERIVED = {
    "stage_probability": (
        "(SELECT s.probability FROM stage s WHERE s.connection = o.connection AND s.id = o.stage"
        " AND s.pipeline IN ('', coalesce(o.pipeline, '')))"
    ),
    "stage_entered_at": f"(SELECT max(s.at) {_MOVES} AND s.to_stage = o.stage)",
    "closed_at": (
        f"CASE WHEN m.kind IN ('won', 'lost') THEN (SELECT max(s.at) {_MOVES} AND t.kind IN ('won', 'lost')) END"
    ),
}


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return expression(Column(name))


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """Where the values of a record's fields are found, for one kind and connection.

    The record's own row is `o`, its account `a`, its owner `w`, what its stage means `m`.
    """

    pack: Pack
    kind: RecordKind
    delivered: Delivered
    unsynced: frozenset[str]

    def column(self, field: Field, aspect: str) -> str:
        """One prepared column as SQL."""
        if field.name in self.unsynced:
            return "NULL"
        if field.origin is Origin.STAGE:
            return _STAGE_COLUMNS[field.name, aspect]
        raw = self.raw(field)
        if raw is None:
            return "NULL"
        words = self.words(field)
        if words and aspect != "missing":
            raw = f"{words}({raw})"
        return of_type(field, aspect, raw, RATE_OF_RECORD if field.marker == PRICE_MARKER else "")

    def words(self, field: Field) -> str:
        """The name of the SQL function that turns the CRM's words into ours, where there is a list of them."""
        if field.name == "forecast_category":
            return "pl_forecast"
        mapped = self.pack.fields.get(field.name)
        return word_function(field.name) if mapped and mapped.choices else ""

    def marker(self, name: str) -> str:
        """1 where the record holds a word that nobody mapped."""
        if name == STAGE_MARKER:
            return STAGE_MISSING
        if name == PRICE_MARKER:
            return NO_RATE
        if name.endswith(THIN):
            return self.thin(name)
        field = self.pack.known[self.kind][name.removesuffix("__missing")]
        raw = self.raw(field)
        words = self.words(field)
        if field.name in self.unsynced or raw is None or not words:
            return "0"
        held = "pl_set" if field.type is FieldType.CHOICES else "pl_clean"
        return f"CASE WHEN {held}({raw}) IS NOT NULL AND {words}({raw}) IS NULL THEN 1 ELSE 0 END"

    def thin(self, marker: str) -> str:
        """1 where a mandatory text says nothing, or all of them were filled in at once."""
        if marker != AT_ONCE:
            raw = self.supplied(marker.removesuffix(THIN))
            return "0" if raw is None else f"pl_thin({raw})"
        if not {Stream.FIELD_CHANGES, Stream.STAGE_CHANGES} <= self.delivered.fields.keys():
            return "0"
        values = [raw for name in self.pack.mandatory if (raw := self.supplied(name)) is not None]
        names = dict.fromkeys(self.pack.mandatory)
        names |= {custom_source(self.pack, name, self.delivered) or name: None for name in names}
        return filled_at_once(values, [literal(name) for name in names])

    def supplied(self, name: str) -> str | None:
        """The stored value of a field that the connection delivers."""
        return None if name in self.unsynced else self.raw(self.pack.known[self.kind][name])

    def raw(self, field: Field) -> str | None:
        """The stored value; None where the connection maps nothing and that counts as blank."""
        name = quoted(field.source)
        match field.origin:
            case Origin.RECORD:
                own, other = f"o.{name}", _DERIVED.get(field.source)
                if other is None or derived_from(field.source, self.delivered) is None:
                    return own
                delivered = field.source in self.delivered.fields.get(RECORD_STREAM[self.kind], frozenset())
                return f"coalesce({own}, {other})" if delivered else other
            case Origin.ACCOUNT:
                return "o.account" if field.source == "id" else f"a.{name}"
            case Origin.OWNER:
                return "o.owner" if field.source == "id" else f"w.{name}"
            case _:
                return self.custom(field)

    def custom(self, field: Field) -> str | None:
        source = custom_source(self.pack, field.name, self.delivered)
        of_account = field.name.startswith("account.")
        row, stream = ("a", Stream.ACCOUNTS) if of_account else ("o", RECORD_STREAM[self.kind])
        if source is None:
            name = field.name.removeprefix("account.")
            stored = self.delivered.fields.get(stream, frozenset())
            return f"{row}.{quoted(name)}" if name in stored else None
        if set(source) & {chr(34), "\\"}:  # a path cannot name it
            return f"(SELECT value FROM json_each({row}.custom) WHERE key = {literal(source)})"
        path = literal(f'$."{source}"')
        return f"json_extract({row}.custom, {path})"


def word_function(name: str) -> str:
    """A SQL function's name for the words of one field."""
    return "pl_words_" + "".join(c if c.isalnum() else f"_{ord(c):x}_" for c in name)


def of_type(field: Field, aspect: str, raw: str, rate: str = "") -> str:
    """One aspect of a stored value, by the field's type; money times the rate, where there is one."""
    unit = aspect.removesuffix("_end")
    if unit in PERIOD_UNITS:
        return f"pl_{aspect}(pl_day({raw}))"
    if field.type in TEXTUAL:
        return f"pl_fold({raw})" if aspect == "fold" else f"pl_clean({raw})"
    if rate and field.type is FieldType.MONEY:
        return f"pl_money({raw}, {rate})"
    if field.type in NUMERIC:
        return f"pl_scaled({raw})"
    if field.type in TEMPORAL:
        return f"pl_at({raw})" if aspect == "at" else f"pl_day({raw})"
    if field.type is FieldType.YES_NO:
        return f"pl_truth({raw})"
    if field.type is FieldType.CHOICES:
        return f"pl_size({raw})" if aspect == "size" else f"pl_set({raw})"
    return raw


def split(column: str) -> tuple[str, str]:
    """A prepared column's field and aspect."""
    name, _, aspect = column.rpartition("__")
    return (name, aspect) if name else (column, "")


def wanted(columns: Iterator[str], known: Mapping[str, Field]) -> dict[str, tuple[Field, str]]:
    """The columns that belong to fields, with field and aspect."""
    found = {}
    for column in columns:
        name, aspect = split(column) if split(column)[0] in known else (column, "")
        if name in known:
            found[column] = (known[name], aspect)
    return found
