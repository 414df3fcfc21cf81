"""Which prepared rows, and verdicts on them, the clock alone may change before the local day ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pipelint.rules.compile import CompiledPack
from pipelint.rules.compile_condition import compile_condition
from pipelint.rules.compile_fact import fact_columns, fact_expression, window_start
from pipelint.rules.facts import Fact, OverRows
from pipelint.rules.ir import Expr
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered
from pipelint.rules.ticking import ALWAYS, ticking

Pairs = Iterator[tuple[Expr, Expr]]


def ticking_rows(facts: Iterable[Fact], now: CompiledPack, later: CompiledPack) -> Expr:
    """Where a related row may count otherwise: facts over rows of one entity."""
    return ticking(_of_rows(facts, now, later))


def _of_rows(facts: Iterable[Fact], now: CompiledPack, later: CompiledPack) -> Pairs:
    unsynced = now.inputs.unsynced
    for fact in facts:
        if not isinstance(fact.form, OverRows):
            continue
        columns = (fact_columns(fact, fact.form, each.moment, unsynced) for each in (now, later))
        for one, other in zip(*columns, strict=True):
            yield one.aggregate.where, other.aggregate.where
            yield one.aggregate.value, other.aggregate.value


def ticking_records(
    pack: Pack,
    now: CompiledPack,
    later: CompiledPack,
    delivered: Delivered,
    rows: Collection[Fact],
    derived: Collection[Fact],
) -> Expr:
    """Where a record may be judged otherwise: by its checks and waivers, by what follows from other columns."""
    if any(_begins_late(fact, now, delivered) != _begins_late(fact, later, delivered) for fact in rows):
        return ALWAYS
    return ticking(_of_record(pack, now, later, derived))


def _of_record(pack: Pack, now: CompiledPack, later: CompiledPack, derived: Iterable[Fact]) -> Pairs:
    for check, other in zip(now.checks, later.checks, strict=True):
        yield check.verdict, other.verdict
        yield check.unsynced, other.unsynced
        yield check.severity, other.severity
    yield now.segment, later.segment
    for score, other_score in zip(now.scores, later.scores, strict=True):
        for layer, other_layer in zip(score.layers, other_score.layers, strict=True):
            yield from ((expr, other_layer[name]) for name, expr in layer.items())
    for fact in derived:
        one, two = (fact_expression(fact, each.inputs, each.moment) for each in (now, later))
        yield one, two
    for waiver in pack.waivers:
        if (when := waiver.when.get(now.kind)) is not None:
            one, two = (compile_condition(when, each.inputs, each.moment) for each in (now, later))
            yield one, two


def _begins_late(fact: Fact, compiled: CompiledPack, delivered: Delivered) -> bool:
    """Whether the window of a fact begins before its history does."""
    if not isinstance(fact.form, OverRows) or fact.name not in compiled.inputs.partial:
        return False
    start = window_start(fact.form, compiled.moment)
    since = delivered.complete_since.get(fact.form.entity.stream)
    return start is not None and since is not None and start < since
