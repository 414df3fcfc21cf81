"""What changed in a record between two recorded runs, of all that a rule reads, as far as histories tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from pipelint.engine.cache.encode import instant
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.source import Source
from pipelint.records import Stream
from pipelint.rules.catalogue import RECORD_STREAM, Entity
from pipelint.rules.compile_fact import fields_of
from pipelint.rules.conditions import Condition, fields_in
from pipelint.rules.facts import OverRows
from pipelint.rules.fields import NUMERIC, TEMPORAL, Field, FieldType, Origin
from pipelint.rules.pack import native_names

_LONGEST = 60
_PERIOD = "> :pulled AND {time} <= :until"
_ROWS = {
    Stream.ACTIVITIES: (
        "activity_link l JOIN activity r ON r.connection = l.connection AND r.id = l.activity"
        " WHERE l.connection = :connection AND l.kind = :kind AND l.record = :record AND r.modified_at "
        + _PERIOD.format(time="r.modified_at")
    ),
    Stream.STAGE_CHANGES: (
        "stage_change WHERE connection = :connection AND opportunity = :record AND at "
        + _PERIOD.format(time="at")
    ),
    Stream.FIELD_CHANGES: (
        "field_change WHERE connection = :connection AND kind = :kind AND record = :record AND at "
        + _PERIOD.format(time="at")
    ),
    Stream.OPPORTUNITIES: (
        "opportunity r JOIN opportunity o ON o.connection = r.connection AND o.account = r.account"
        " WHERE o.connection = :connection AND o.id = :record AND r.id <> o.id AND r.modified_at "
        + _PERIOD.format(time="r.modified_at")
    ),
    **{
        stream: f"{stream.value} WHERE connection = :connection AND opportunity = :record AND modified_at "
        + _PERIOD.format(time="modified_at")
        for stream in (Stream.CONTACT_ROLES, Stream.LINE_ITEMS)
    },
}


@dataclass(frozen=True, slots=True)
class Period:
    """From what one recorded run knew to what the next one judged, in microseconds UTC."""

    pulled: int
    until: int


class RecordChanges:
    """The changes of one record."""

    def __init__(self, cache: Cache, source: Source, record: str) -> None:
        self.cache = cache
        self.source = source
        self.record = record
        self.kind = source.compiled.kind
        self.values: dict[str, object] = {
            "connection": source.connection,
            "kind": RECORD_STREAM[self.kind].value,
            "record": record,
        }

    def is_new(self, period: Period) -> bool:
        """Whether the record was created in that time."""
        query = (
            f"SELECT created_at FROM {self.values['kind']} WHERE connection = :connection AND id = :record"
        )
        row = self.cache.db.execute(query, self.values).fetchone()
        return bool(row and row[0] and period.pulled < row[0] <= period.until)

    def moved(self, conditions: Iterable[Condition], period: Period) -> list[str]:
        """Each field that they read and that is another one after, as `close_date 1 Dec 2026 → 31 Oct 2026`."""
        found: dict[tuple[str, str], tuple[Field, object, object]] = {}
        for field in dict.fromkeys(self._read(conditions)):
            for kind, record, native in self._places(field):
                for old, new in self._changes(kind, record, native, period):
                    first = found.get((kind, native), (field, old, new))[1]
                    found[kind, native] = (field, first, new)
        return [
            f"{_named(field)} {self._shown(field, old)} → {self._shown(field, new)}"
            for field, old, new in found.values()
            if old != new
        ]

    def related(self, conditions: Iterable[Condition], period: Period) -> list[str]:
        """The kinds of related rows of which some were made or changed, in words."""
        values = {**self.values, "pulled": period.pulled, "until": period.until}
        entities = {entity.name: entity for entity in self._entities(conditions)}
        return [
            name.replace("_", " ")
            for name, entity in entities.items()
            if self.cache.db.execute(
                f"SELECT EXISTS (SELECT 1 FROM {_ROWS[entity.stream]})", values
            ).fetchone()[0]
        ]

    def _read(self, conditions: Iterable[Condition]) -> Iterator[Field]:
        """The fields behind conditions, facts taken apart."""
        for field in self._facts(conditions):
            if field.origin is Origin.MARKER:
                field = self.source.pack.known[self.kind].get(field.source, field)
            if field.origin not in {Origin.FACT, Origin.ENTITY, Origin.SCORE, Origin.MARKER}:
                yield field

    def _entities(self, conditions: Iterable[Condition]) -> Iterator[Entity]:
        facts = self.source.pack.facts[self.kind]
        for field in self._facts(conditions):
            if field.origin is Origin.FACT and isinstance(form := facts[field.name].form, OverRows):
                yield form.entity

    def _facts(self, conditions: Iterable[Condition]) -> Iterator[Field]:
        """Every field that is read, those that a fact is based on after the fact."""
        facts = self.source.pack.facts[self.kind]
        waiting = [field for condition in conditions for field in fields_in(condition)]
        while waiting:
            field = waiting.pop(0)
            yield field
            if field.name in facts:
                waiting += fields_of(facts[field.name])

    def _places(self, field: Field) -> Iterator[tuple[str, str, str]]:
        """Where histories tell of a field: the kind and id of the record, and the field's name there."""
        mine = str(self.values["kind"]), self.record
        match field.origin:
            case Origin.STAGE:
                yield (*mine, "pipeline" if field.name == "pipeline" else "stage")
            case Origin.OWNER:
                yield (*mine, "owner")
            case Origin.ACCOUNT if field.source == "id":
                yield (*mine, "account")
            case Origin.ACCOUNT:
                if account := self._account():
                    yield "account", account, field.source
            case Origin.CUSTOM:
                native = self._native(field)
                if not field.name.startswith("account."):
                    yield (*mine, native)
                elif account := self._account():
                    yield "account", account, native
            case _:
                yield (*mine, field.source)

    def _native(self, field: Field) -> str:
        mapped = self.source.pack.fields.get(field.name)
        names = native_names(mapped.names, self.source.crm, self.source.connection) if mapped else ()
        return f"custom.{names[0]}" if names else field.name

    def _account(self) -> str | None:
        if self.kind != "opportunity":
            return None
        query = "SELECT account FROM opportunity WHERE connection = :connection AND id = :record"
        row = self.cache.db.execute(query, self.values).fetchone()
        return row[0] if row else None

    def _changes(
        self, kind: str, record: str, native: str, period: Period
    ) -> Sequence[tuple[str | None, str | None]]:
        """What a pull observed lies between it and the one before; what the CRM tells has its own time."""
        query = """
            SELECT old, new FROM field_change
            WHERE connection = ? AND kind = ? AND record = ? AND field = ? AND at <= ?
              AND CASE origin WHEN 'observed' THEN since >= ? ELSE at > ? END
            ORDER BY at
        """
        values = (self.source.connection, kind, record, native, period.until, period.pulled, period.pulled)
        return self.cache.db.execute(query, values).fetchall()

    def _shown(self, field: Field, raw: object) -> str:
        if raw is None or raw == "":
            return "(blank)"
        text = str(raw)
        if field.origin is Origin.OWNER or field.origin is Origin.STAGE:
            text = self._label(field, text)
        elif field.type in TEMPORAL:
            text = f"{self._day(text):%-d %b %Y}"
        elif field.type in NUMERIC:
            text = _number(text)
        elif field.type is FieldType.YES_NO:
            text = "yes" if text in {"1", "true"} else "no"
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

    def _label(self, field: Field, native: str) -> str:
        """The CRM's name of an owner, a stage or a pipeline."""
        table, column = "stage", "label"
        if field.origin is Origin.OWNER:
            table, column = "owner", "name"
        elif field.name == "pipeline":
            table = "pipeline"
        query = f"SELECT {column} FROM {table} WHERE connection = ? AND id = ?"
        row = self.cache.db.execute(query, (self.source.connection, native)).fetchone()
        return str(row[0]) if row and row[0] else native

    def _day(self, text: str) -> date:
        """Dates are kept as text, instants in microseconds."""
        if text.lstrip("-").isdigit():
            return self.source.pack.settings.calendar.local(instant(int(text))).date()
        return datetime.fromisoformat(text).date()


def _named(field: Field) -> str:
    """Several names stand for one field: the kind of a stage changes with the stage."""
    if field.origin is Origin.STAGE:
        return "pipeline" if field.name == "pipeline" else "stage"
    return "owner" if field.origin is Origin.OWNER else field.name


def _number(text: str) -> str:
    try:
        return f"{Decimal(text):,f}"
    except InvalidOperation:
        return text
