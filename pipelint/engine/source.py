"""Where findings, scores and samples come from: the prepared rows of one kind of record on one connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelint.engine.cache.sqlite import Cache
from pipelint.rules.compile import CompiledPack
from pipelint.rules.explain import Row
from pipelint.rules.messages import Reader
from pipelint.rules.pack import Pack


@dataclass(frozen=True, slots=True)
class Source:
    """Where findings come from: one kind of record on one connection."""

    connection: str
    crm: str
    pack: Pack
    compiled: CompiledPack
    table: str

    def reader(self, row: Row, language: str, today: int | None) -> Reader:
        """Shows the values of one record; money with the currency that it is counted in."""
        own = self.pack.currency
        currency = own.to if own else str(row.get("currency") or "")
        return Reader(row, self.pack.known[self.compiled.kind], language, today, currency)


def rows_of(cache: Cache, table: str, ids: Sequence[str]) -> dict[str, Row]:
    """The prepared rows of some records, by id."""
    marks = ", ".join("?" * len(ids))
    cursor = cache.db.execute(f'SELECT * FROM "{table}" WHERE id IN ({marks})', tuple(ids))
    names = [column[0] for column in cursor.description]
    return {str(row[names.index("id")]): dict(zip(names, row, strict=True)) for row in cursor}
