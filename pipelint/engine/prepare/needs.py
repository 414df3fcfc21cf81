"""What must be prepared of a kind of record: what its rules, scores and waivers read, and what people are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from pipelint.engine.prepare.columns import RecordColumns, split
from pipelint.rules.calendar import PERIOD_UNITS
from pipelint.rules.compile import CompiledPack
from pipelint.rules.compile_condition import compile_condition
from pipelint.rules.compile_fact import fact_columns, fields_of
from pipelint.rules.conditions import Condition, fields_in
from pipelint.rules.facts import Fact, OverRows
from pipelint.rules.fields import ASPECTS, Field, Origin
from pipelint.rules.ir import columns_in
from pipelint.rules.pack import Pack
from pipelint.rules.thin_evidence import THIN

SHOWN = {
    "opportunity": ("name", "amount", "stage", "pipeline", "owner.name", "owner.id", "currency"),
    "lead": ("name", "owner.name", "owner.id"),
}
"""What findings tell about a record, whatever the rules read."""


class Needs:
    """Columns by name, each with its field and aspect, and the facts that they are worked out from."""

    def __init__(
        self,
        pack: Pack,
        compiled: CompiledPack,
        known: Mapping[str, Field],
        record: RecordColumns,
        read: Iterable[str],
    ) -> None:
        self.pack = pack
        self.compiled = compiled
        self.kind = compiled.kind
        self.known = known
        self.record = record
        self.inputs = compiled.inputs
        self.scored = frozenset(column for score in compiled.scores for column in score.columns)
        self.columns: dict[str, tuple[Field, str]] = {}
        """Plain columns."""
        self.planned: dict[str, None] = {}
        """Columns of the date of the next step, where the next planned activity has to stand for it."""
        self.markers: dict[str, None] = {}
        self.rows: dict[str, Fact] = {}
        """Facts over rows."""
        self.derived: dict[str, Fact] = {}
        """Facts out of other columns."""
        self.periods: dict[str, tuple[Field, str]] = {}
        """Periods of dates that are known late."""
        self._collect(read)

    def _collect(self, read: Iterable[str]) -> None:
        for check in self.compiled.checks:
            for expr in (check.verdict, check.unsynced, check.severity):
                for column in columns_in(expr):
                    self._want(column)
            for condition in (check.check.scope, *(branch.condition for branch in check.check.branches)):
                self._want_condition(condition)
        of_scores = (score.reads for score in self.compiled.scores)
        for column in chain(columns_in(self.compiled.segment), *of_scores, *self._waiver_columns()):
            self._want(column)
        for name in (*SHOWN[self.kind], *read):
            if name in self.known:
                self._want_field(self.known[name])

    def _waiver_columns(self) -> Iterator[frozenset[str]]:
        for waiver in self.pack.waivers:
            if (when := waiver.when.get(self.kind)) is not None:
                yield columns_in(compile_condition(when, self.inputs, self.compiled.moment))

    def _want_condition(self, condition: Condition | None) -> None:
        """Every tested field, so that `explain` can show it even where the rule was decided without it."""
        if condition is not None:
            for field in fields_in(condition):
                if field.name in self.known:
                    self._want_field(field)

    def _want_field(self, field: Field) -> None:
        for aspect in ASPECTS[field.type]:
            self._want(field.column(aspect).name)
        if field.counts_from:
            self._want_field(self.known[field.counts_from])

    def _want(self, column: str) -> None:
        done = column in self.columns or column in self.planned or column in self.scored
        if done or column.startswith("segment"):
            return
        if column.endswith(("__missing", THIN)):
            self.markers[column] = None
            return
        name, aspect = (column, "") if column in self.known else split(column)
        field = self.known[name]
        falls_back = self._falls_back(field)
        if (field.origin is Origin.FACT or falls_back) and aspect.removesuffix("_end") in PERIOD_UNITS:
            self._want(field.column("day").name)
            self.periods[column] = (field, aspect)
            return
        if field.origin is Origin.FACT and aspect != "partial":
            self._want_fact(name)
        elif falls_back:
            self._want_field(self.known["next_planned_at"])
            self.planned[column] = None
        elif aspect != "partial":
            self.columns[column] = (field, aspect)

    def _falls_back(self, field: Field) -> bool:
        """Without a date of its own the next step is due when the next activity is planned (rules.md §4.3a)."""
        planned = field.name == "next_step_date" and "next_planned_at" in self.known
        return planned and self.record.custom(field) is None

    def _want_fact(self, name: str) -> None:
        fact = self.pack.facts[self.kind][name]
        if isinstance(fact.form, OverRows):
            self.rows[name] = fact
            if fact.field.marker:
                self._want(fact.field.marker)
            if name in self.inputs.partial and "created_at" in self.known:
                self._want("created_at__at")
            others = fact.form.entity.name == "account_opportunities"
            if others:
                self._want("account.id")
            for column in fact_columns(fact, fact.form, self.compiled.moment, self.inputs.unsynced):
                agg = column.aggregate
                for read in (each for part in (agg.where, agg.value, agg.order) for each in columns_in(part)):
                    if others or read.startswith("record."):
                        self._want(read.removeprefix("record."))
        elif name not in self.derived:
            for field in fields_of(fact):
                self._want_field(field)
            self.derived[name] = fact
