"""SQL for related rows: one row source per entity, with the columns that facts read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelint.engine.prepare.columns import literal, of_type, quoted, split
from pipelint.engine.prepare.money import RATE
from pipelint.rules.catalogue import ENTITIES, RECORD_STREAM, RecordKind
from pipelint.rules.emit import ROW_ID
from pipelint.rules.fields import TEMPORAL, Field, FieldType
from pipelint.rules.pack import Pack

_VIA = {"direct": ("direct",), "contacts": ("direct", "contact"), "account": ("direct", "contact", "account")}


@dataclass(slots=True)
class Rows:
    """The related rows of one entity: `SELECT record, id, columns…`; `record.x` comes from the base rows `b`.

    `among`, such as `IN (…)`, chooses the records.
    """

    name: str
    kind: RecordKind
    pack: Pack
    among: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def rate(self) -> str:
        """The record's rate, where money is converted."""
        return f"b.{quoted(RATE)}" if self.pack.currency and self.kind == "opportunity" else ""

    def need(self, column: str, changed: Field | None = None) -> None:
        """Make a column available; `changed` is the record's field whose old and new values are meant."""
        if column not in self.columns:
            self.columns[column] = self._source(column, changed)

    def sql(self) -> str:
        """The whole row source."""
        record, source = self._tables()
        chosen = [f"{record} AS record", f"{self._id()} AS {quoted(ROW_ID)}"]
        chosen += [f"{sql} AS {quoted(column)}" for column, sql in self.columns.items() if column != ROW_ID]
        join = f" JOIN base b ON b.id = {record}" if self._reads_base() else ""
        chosen_records = [f"{record} {self.among}"] if self.among else []
        where = " AND ".join([*self._conditions(), *chosen_records]) or "1"
        return f"SELECT {', '.join(chosen)} FROM {source}{join} WHERE {where}"

    def _reads_base(self) -> bool:
        """Whether the rows need the record's own prepared values, or its rate, beside them."""
        if self.name == "account_opportunities":  # made of base rows
            return False
        return any(sql.startswith("b.") or (self.rate and self.rate in sql) for sql in self.columns.values())

    def _tables(self) -> tuple[str, str]:
        match self.name:
            case "activities":
                return "l.record", (
                    "activity_link l JOIN activity r ON r.connection = l.connection AND r.id = l.activity"
                )
            case "stage_changes":
                return "r.opportunity", (
                    "stage_change r JOIN opportunity o ON o.connection = r.connection AND o.id = r.opportunity"
                    " LEFT JOIN temp.stage_map f ON f.pipeline_id IS o.pipeline AND f.stage_id = r.from_stage"
                    " LEFT JOIN temp.stage_map t ON t.pipeline_id IS o.pipeline AND t.stage_id = r.to_stage"
                )
            case "field_changes":
                return "r.record", "field_change r"
            case "account_opportunities":
                same = 'r."account.id" = b."account.id" AND r.id <> b.id'
                return "b.id", f"base b JOIN base r ON {same}"
            case _:
                return "r.opportunity", f"{ENTITIES[self.name].stream.value} r"

    def _conditions(self) -> Iterable[str]:
        if self.name == "activities":
            # A lead is hardly more than its contact: what concerned him always counts.
            counted = "contacts" if self.kind == "lead" else self.pack.settings.activities_count
            via = ", ".join(literal(word) for word in _VIA[counted])
            yield f"l.connection = :connection AND l.kind = {literal(self.kind)} AND l.via IN ({via})"
        elif self.name == "field_changes":
            yield f"r.connection = :connection AND r.kind = {literal(RECORD_STREAM[self.kind].value)}"
        elif self.name != "account_opportunities":
            yield "r.connection = :connection"

    def _id(self) -> str:
        return "l.activity" if self.name == "activities" else "r.id"

    def _source(self, column: str, changed: Field | None) -> str:
        if column.startswith("record."):
            return f"b.{quoted(column.removeprefix('record.'))}"
        if self.name == "account_opportunities":
            return f"r.{quoted(column)}"
        name, aspect = split(column)
        if self.name == "stage_changes" and (stage := _STAGE_COLUMNS.get(name)):
            return stage
        if self.name == "activities" and name in {"type", "role"}:
            raw = "pl_activity_type(r.type)" if name == "type" else _ROLE_OF_ACTIVITY
            return of_type(_text(name), aspect, raw)
        if self.name == "contact_roles" and name == "role":
            return of_type(_text(name), aspect, "pl_role(r.role)")
        if self.name == "field_changes" and name == "field":
            return of_type(_text("subject"), aspect, "coalesce(pl_changed_field(r.field), r.field)")
        if self.name == "field_changes" and name == "moved":
            return self._moved()
        if self.name == "field_changes" and changed is not None:
            return of_type(changed, aspect, self._typed(changed, name.partition(":")[0]), self.rate)
        related = ENTITIES[self.name].field(name)
        if related is None:
            raise KeyError(column)
        return of_type(related, aspect, f"r.{quoted(related.source)}", self.rate)

    def _moved(self) -> str:
        plain = "pl_scaled(r.new) - pl_scaled(r.old)"
        if not self.rate:
            return plain
        known = self.pack.known[self.kind].values()
        money = ", ".join(literal(each.name) for each in known if each.type is FieldType.MONEY)
        priced = f"pl_money(r.new, {self.rate}) - pl_money(r.old, {self.rate})"
        return f"CASE WHEN r.field IN ({money}) THEN {priced} ELSE {plain} END"

    def _typed(self, changed: Field, side: str) -> str:
        """History is stored as text; of a date with time that is the number of microseconds."""
        raw = f"r.{quoted(side)}"
        if changed.type not in TEMPORAL:
            return raw
        return f"CASE WHEN {raw} LIKE '____-__-__%' THEN {raw} ELSE CAST({raw} AS INTEGER) END"


def _text(name: str) -> Field:
    found = ENTITIES["activities"].field(name)
    if found is None:
        raise KeyError(name)
    return found


_STAGE_COLUMNS = {
    "from_stage": "f.number",
    "to_stage": "t.number",
    "from_kind": "f.kind",
    "to_kind": "t.kind",
    "to_number": "t.number * 10000",
    "skipped": (
        "CASE WHEN f.kind = 'open' AND t.kind = 'open' AND t.number > f.number"
        " THEN (t.number - f.number - 1) * 10000 END"
    ),
}
_ROLE_OF_ACTIVITY = (
    "(SELECT min(pl_role(cr.role)) FROM activity_link al JOIN contact_role cr ON cr.connection = al.connection"
    " AND cr.opportunity = l.record AND cr.contact = al.record"
    " WHERE al.connection = l.connection AND al.activity = l.activity AND al.kind = 'contact')"
)
