"""Waivers in force: which of them concern a record, and what is wrong with one (rules.md §4.9)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.identity import candidates
from pipelint.engine.unused import PATIENCE, Unused
from pipelint.errors import Place, Problem
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile import CompiledPack
from pipelint.rules.compile_condition import compile_condition
from pipelint.rules.conditions import Condition
from pipelint.rules.emit.sqlite import expression
from pipelint.rules.explain import Explainer, Row
from pipelint.rules.pack import Pack
from pipelint.rules.read_waivers import ended
from pipelint.rules.waivers import Waiver


class InForce:
    """The waivers that concern one kind of record on one connection today."""

    def __init__(self, cache: Cache, pack: Pack, compiled: CompiledPack, connection: str) -> None:
        self.explainer = Explainer(compiled.inputs, compiled.moment)
        today = compiled.moment.local_date
        kind = compiled.kind
        self.waivers = [
            (waiver, _records(cache, waiver, connection), waiver.when.get(kind))
            for waiver in pack.waivers
            if kind in waiver.kinds and waiver.until >= today
        ]

    @property
    def records(self) -> list[Collection[str]]:
        """The records that each waiver names."""
        return [records for _, records, _ in self.waivers]

    def of(self, rule: str, check: str, record: str, row: Row) -> Waiver | None:
        """The waiver of a flagged check on a record: a condition must definitely hold."""
        for waiver, records, when in self.waivers:
            if waiver.covers(rule, check) and self._concerns(records, when, record, row):
                return waiver
        return None

    def _concerns(self, records: Collection[str], when: Condition | None, record: str, row: Row) -> bool:
        return record in records or (when is not None and self.explainer.answer(when, row) is True)


def _records(cache: Cache, waiver: Waiver, connection: str) -> frozenset[str]:
    """The records that a waiver names on one connection; what stands for several records stands for none."""
    named = [_of_kind(cache, waiver, written) for written, _ in waiver.records]
    return frozenset(found[0][2] for found in named if len(found) == 1 and found[0][0] == connection)


def _of_kind(cache: Cache, waiver: Waiver, written: str) -> list[tuple[str, RecordKind, str]]:
    return [found for found in candidates(cache, written) if found[1] in waiver.kinds]


def notices(
    cache: Cache, waivers: Sequence[Waiver], compiled: Mapping[str, CompiledPack], today: date
) -> Iterator[Problem]:
    """What is to be said about waivers; `compiled` are the packs of all kinds and connections, by prepared table."""
    unused = Unused(cache.db)
    for waiver in waivers:
        if waiver.until < today:
            yield _warning(waiver.place, ended(waiver.until))
            continue
        records = set()
        for written, place in waiver.records:
            found = _of_kind(cache, waiver, written)
            records |= {record for _, _, record in found}
            if not found:
                yield _warning(place, f"this waiver names '{written}', which is no record that was pulled")
            elif len(found) > 1:
                names = ", ".join(f"{name}:{kind}/{record}" for name, kind, record in found)
                yield _warning(place, f"'{written}' stands for several records", f"write one of: {names}")
        if waiver.when and not any(_fits_one(cache, waiver, table, each) for table, each in compiled.items()):
            yield _warning(waiver.place, "this waiver fits no record")
        elif unused.has(waiver, records):
            what = f"for {PATIENCE.days} days there was nothing that this waiver waived"
            yield _warning(waiver.place, what, "take it out, or correct what it names")


def _fits_one(cache: Cache, waiver: Waiver, table: str, compiled: CompiledPack) -> bool:
    when = waiver.when.get(compiled.kind)
    if when is None:
        return False
    sql = expression(compile_condition(when, compiled.inputs, compiled.moment))
    return cache.db.execute(f'SELECT 1 FROM "{table}" WHERE {sql} LIMIT 1').fetchone() is not None


def _warning(place: Place, what: str, hint: str = "") -> Problem:
    return Problem(place, what, hint, "", "warning")
