"""The records that a fact about the account's other opportunities counted: the items of a finding."""

from __future__ import annotations

from collections.abc import Mapping

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.columns import quoted
from pipelint.engine.prepare.entities import Rows
from pipelint.engine.source import Source
from pipelint.rules.compile_fact import fact_columns
from pipelint.rules.emit import ROW_ID
from pipelint.rules.emit.sqlite import expression
from pipelint.rules.facts import OverRows
from pipelint.rules.ir import columns_in

COUNTED = {"duplicate-open-opportunities": "similar_open_opportunities"}
"""The built-in rules whose items are records, and the facts that count them."""


def counted(cache: Cache, source: Source, fact_name: str, among: str) -> Mapping[str, tuple[str, ...]]:
    """The ids of the others, by record, for all records of a prepared table for which there are any.

    `among` chooses the records; those of an account must be chosen together.
    """
    fact = source.pack.facts[source.compiled.kind][fact_name]
    if not isinstance(fact.form, OverRows):
        raise TypeError(fact_name)
    unsynced = source.compiled.inputs.unsynced
    (column,) = fact_columns(fact, fact.form, source.compiled.moment, unsynced)
    where = column.aggregate.where
    rows = Rows(fact.form.entity.name, source.compiled.kind, source.pack)
    for read in columns_in(where):
        rows.need(read)
    base = f'SELECT * FROM "{source.table}" WHERE {among}'
    some = f'SELECT id FROM "{source.table}" WHERE {quoted(column.name)} > 0'
    sql = (
        f"WITH base AS ({base}) SELECT record, {quoted(ROW_ID)} FROM ({rows.sql()})"
        f" WHERE record IN ({some}) AND {expression(where)} ORDER BY 1, 2"
    )
    found: dict[str, list[str]] = {}
    for record, other in cache.db.execute(sql):
        found.setdefault(record, []).append(other)
    return {record: tuple(others) for record, others in found.items()}
