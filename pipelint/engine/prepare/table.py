"""The statement that prepares a kind of record: fields, facts over rows, then what follows from both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from pipelint.engine.prepare.columns import STAGE_MISSING, RecordColumns, quoted, split
from pipelint.engine.prepare.entities import Rows
from pipelint.engine.prepare.money import RATE, RATE_OF_RECORD
from pipelint.engine.prepare.needs import Needs
from pipelint.engine.prepare.ticks import ticking_records, ticking_rows
from pipelint.rules.catalogue import RECORD_STREAM, STAGE_MARKER
from pipelint.rules.compile import CompiledPack
from pipelint.rules.compile_fact import fact_columns, fact_expression, fields_of, window_start
from pipelint.rules.conditions import fields_in
from pipelint.rules.emit.sqlite import aggregate, expression
from pipelint.rules.facts import Fact, OverRows
from pipelint.rules.fields import Field
from pipelint.rules.ir import columns_in
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered
from pipelint.rules.ticking import NEVER

TICKS = "row__ticks"
"""1 on a prepared row that the clock alone may change before the day ends."""
_ROWS_TICK = "row__rows_tick"
CLOCK = frozenset({TICKS, _ROWS_TICK})
"""The columns that tell about the clock, not about the record."""
DIRTY = "IN (SELECT record FROM temp.dirty)"


def _levels(columns: Sequence[str]) -> list[list[str]]:
    """The columns, in their order, in as few steps as let each one read those that it is made of.

    Steps stand side by side, not inside one another: SQLite's parser gives up some thirty levels down.
    """
    levels: list[list[str]] = []
    names: set[str] = set()
    for column in columns:
        sql, _, name = column.rpartition(" AS ")
        if not levels or any(made in sql for made in names):
            levels.append([])
            names = set()
        levels[-1].append(column)
        names.add(name)
    return levels


class Statement:
    """The SELECT that makes the prepared table of one kind on one connection.

    `later` is the pack compiled for the end of the local day. `read` are fields beyond those of the rules, such
    as those that messages show. The parameter `:connection` must be given, and `register_all` have been called.
    With `dirty` it makes only the rows of the records in `temp.dirty`; where it compares siblings, all
    opportunities of an account must be in there together.
    """

    def __init__(
        self,
        pack: Pack,
        compiled: CompiledPack,
        later: CompiledPack,
        delivered: Delivered,
        read: Iterable[str],
        *,
        dirty: bool = False,
    ) -> None:
        self.pack = pack
        self.compiled = compiled
        self.later = later
        self.dirty = dirty
        self.delivered = delivered
        self.kind = compiled.kind
        facts = {name: fact.field for name, fact in pack.facts[self.kind].items()}
        self.known = {**pack.known[self.kind], **facts}
        self.inputs = compiled.inputs
        self.unsynced = compiled.inputs.unsynced
        self.record = RecordColumns(pack, self.kind, delivered, self.unsynced)
        self.need = Needs(pack, compiled, self.known, self.record, read)

    @property
    def compares_siblings(self) -> bool:
        """Whether facts look at the other opportunities of the account."""
        return "account_opportunities" in self.by_entity()

    def sql(self) -> str:
        base = ", ".join(["o.id AS id", "o.url AS url", *self.base_columns()])
        text = f"WITH base AS (SELECT {base} FROM {self.source()})"
        text += "".join(f", {name} AS ({sql})" for name, sql in self.aggregations())
        joined = "".join(f" LEFT JOIN {name} ON {name}.record = base.id" for name, _ in self.aggregations())
        chosen = ", ".join(["base.*", *self.fact_columns(), f"{self.rows_tick()} AS {_ROWS_TICK}"])
        text += f", level0 AS (SELECT {chosen} FROM base{joined})"
        levels = _levels([*self.derived_columns(), *self.score_columns()])
        for number, columns in enumerate(levels, 1):
            text += f", level{number} AS (SELECT *, {', '.join(columns)} FROM level{number - 1})"
        return f"{text} SELECT *, {self.ticks()} AS {TICKS} FROM level{len(levels)}"

    def source(self) -> str:
        sql = f"{RECORD_STREAM[self.kind].value} o"
        sql += " LEFT JOIN owner w ON w.connection = o.connection AND w.id = o.owner"
        where = " WHERE o.connection = :connection"
        if self.dirty:
            where += f" AND o.id {DIRTY}"
        if self.kind == "opportunity":
            sql += " LEFT JOIN account a ON a.connection = o.connection AND a.id = o.account"
            sql += " LEFT JOIN temp.stage_map m ON m.pipeline_id IS o.pipeline AND m.stage_id = o.stage"
            where += " AND coalesce(m.ignored, 0) = 0"
        return sql + where

    def base_columns(self) -> list[str]:
        columns = [
            f"{self.record.column(field, aspect)} AS {quoted(name)}"
            for name, (field, aspect) in self.need.columns.items()
        ]
        markers = {**self.need.markers} | ({STAGE_MARKER: None} if self.kind == "opportunity" else {})
        for marker in markers:
            sql = STAGE_MISSING if marker == STAGE_MARKER else self.record.marker(marker)
            columns.append(f"{sql} AS {quoted(marker)}")
        if self.pack.currency is not None and self.kind == "opportunity":
            columns.append(f"{RATE_OF_RECORD} AS {quoted(RATE)}")
        return columns

    def by_entity(self) -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        for fact in self.need.rows.values():
            if fact.name not in self.unsynced and isinstance(fact.form, OverRows):
                found.setdefault(fact.form.entity.name, []).append(fact)
        return found

    def aggregations(self) -> list[tuple[str, str]]:
        """One SELECT with GROUP BY per entity."""
        return [(f"of_{name}", self.aggregation(name, facts)) for name, facts in self.by_entity().items()]

    def aggregation(self, name: str, facts: list[Fact]) -> str:
        rows = Rows(name, self.kind, self.pack, DIRTY if self.dirty else "")
        chosen = []
        if (ticks := ticking_rows(facts, self.compiled, self.later)) != NEVER:
            chosen.append(f"max({expression(ticks)}) AS {TICKS}")
        for fact in facts:
            form = fact.form
            if not isinstance(form, OverRows):
                continue
            changed = self.changed_fields(form)
            for column in fact_columns(fact, form, self.compiled.moment, self.unsynced):
                agg = column.aggregate
                for part in (agg.where, agg.value, agg.order):
                    for read in columns_in(part):
                        rows.need(read, changed.get(split(read)[0]) or changed.get(read))
                chosen.append(f"{aggregate(agg)} AS {quoted(column.name)}")
        return f"SELECT record, {', '.join(chosen)} FROM ({rows.sql()}) GROUP BY record"

    def changed_fields(self, form: OverRows) -> dict[str, Field]:
        """`old` and `new` by their column names, typed as the field whose changes they are."""
        fields = [each for each in (form.value, form.start, form.end) if each is not None]
        fields += list(fields_in(form.where)) if form.where else []
        return {field.prefix: field for field in fields if field.prefix}

    def fact_columns(self) -> list[str]:
        columns = []
        for fact in self.need.rows.values():
            form = fact.form
            if not isinstance(form, OverRows):
                continue
            source = f"of_{form.entity.name}"
            for column in fact_columns(fact, form, self.compiled.moment, self.unsynced):
                name = quoted(column.name)
                sql = "NULL" if fact.name in self.unsynced else f"{source}.{name}"
                if column.empty is not None and sql != "NULL":
                    sql = f"coalesce({sql}, {column.empty})"
                if fact.field.marker:
                    sql = f"CASE WHEN base.{quoted(fact.field.marker)} = 0 THEN {sql} END"
                columns.append(
                    f"{sql} * {column.times} AS {name}" if column.times != 1 else f"{sql} AS {name}"
                )
            if fact.name in self.inputs.partial:
                columns.append(f"{self.partial(form)} AS {quoted(fact.field.column('partial').name)}")
        return columns

    def rows_tick(self) -> str:
        ticking = (
            f"coalesce(of_{name}.{TICKS}, 0)"
            for name, facts in self.by_entity().items()
            if ticking_rows(facts, self.compiled, self.later) != NEVER
        )
        return " OR ".join(ticking) or "0"

    def ticks(self) -> str:
        rows, derived = self.need.rows.values(), self.need.derived.values()
        ticks = ticking_records(self.pack, self.compiled, self.later, self.delivered, rows, derived)
        return f"CASE WHEN {_ROWS_TICK} OR {expression(ticks)} THEN 1 ELSE 0 END"

    def partial(self, form: OverRows) -> str:
        """1 where the window of a fact begins before its history does, or its earlier rows are not told."""
        since = self.delivered.complete_since.get(form.entity.stream)
        if since is None:
            return "1"
        start = window_start(form, self.compiled.moment)
        if start is not None:
            return str(int(start < since))
        created = quoted(self.known["created_at"].column("at").name)
        return f"CASE WHEN base.{created} >= {since} THEN 0 ELSE 1 END"

    def based_on_partial(self, fact: Fact) -> str:
        """1 where something that the fact is worked out from is not known for lack of history."""
        lacking = []
        for each in fields_of(fact):
            if (seen := self.inputs.partial.get(each.name)) is not None:
                late = f"{quoted(each.column('partial').name)} = 1"
                unseen = f" AND {quoted(each.main.name)} IS NULL" if seen == "stands" else ""
                lacking.append(f"({late}{unseen})")
        return f"CASE WHEN {' OR '.join(lacking)} THEN 1 ELSE 0 END"

    def derived_columns(self) -> list[str]:
        columns = []
        if self.need.planned:
            due = quoted(self.known["next_planned_at"].column("day").name)
            columns += [f"{due} AS {quoted(name)}" for name in self.need.planned]
        for fact in self.need.derived.values():
            sql = "NULL"
            if fact.name not in self.unsynced:
                sql = expression(fact_expression(fact, self.inputs, self.compiled.moment))
            columns.append(f"{sql} AS {quoted(fact.field.main.name)}")
            if fact.name in self.inputs.partial:
                columns.append(
                    f"{self.based_on_partial(fact)} AS {quoted(fact.field.column('partial').name)}"
                )
        for name, (field, aspect) in self.need.periods.items():
            columns.append(f"pl_{aspect}({quoted(field.column('day').name)}) AS {quoted(name)}")
        columns.append(f"{expression(self.compiled.segment)} AS {quoted('segment__place')}")
        return columns

    def score_columns(self) -> list[str]:
        """Layer by layer, each over the one before."""
        layers = zip_longest(*(score.layers for score in self.compiled.scores), fillvalue={})
        return [
            ", ".join(
                f"{expression(expr)} AS {quoted(name)}" for part in layer for name, expr in part.items()
            )
            for layer in layers
        ]
