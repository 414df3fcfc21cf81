"""Whether a text moved because the CRM or the pack did, or by the passing of time alone.

Texts that move by time alone are not written (architecture §6): a message that counts the activities of the last
30 days would otherwise touch every record every night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.prepare.table import CLOCK
from pipelint.engine.source import Source, rows_of
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.compile_fact import fields_of
from pipelint.rules.conditions import Condition, Day, Period, Span, tests_in
from pipelint.rules.facts import Difference, Fact, OverRows
from pipelint.rules.pack import Pack
from pipelint.rules.scores import PREFIX

_BATCH = 400


def bases(cache: Cache, source: Source, records: Iterable[str]) -> dict[str, str]:
    """A digest for each record of everything its texts are made from but the time."""
    moving = moving_facts(source.pack, source.compiled.kind)
    ids = list(records)
    found: dict[str, str] = {}
    for first in range(0, len(ids), _BATCH):
        for record, row in rows_of(cache, source.table, ids[first : first + _BATCH]).items():
            steady = [value for column, value in row.items() if _steady(column, moving)]
            told = repr((source.pack.hash, steady))
            found[record] = hashlib.sha256(told.encode()).hexdigest()[:16]
    return found


def _steady(column: str, moving: frozenset[str]) -> bool:
    """Scores fade with time; their grades are looked at by the plan itself."""
    of_clock = column in CLOCK or column.partition("__")[0] in moving
    return not of_clock and not column.startswith(PREFIX)


def moving_facts(pack: Pack, kind: RecordKind) -> frozenset[str]:
    """The facts that are another number tomorrow on the same data, and whatever is worked out from them."""
    facts = pack.facts[kind]
    moving = {name for name, fact in facts.items() if _looks_at_today(fact)} | {"segment"}
    while True:
        reached = {
            name for name, fact in facts.items() if any(field.name in moving for field in fields_of(fact))
        }
        if reached <= moving:
            return frozenset(moving)
        moving |= reached


def _looks_at_today(fact: Fact) -> bool:
    match fact.form:
        case Difference(left, right):
            return left is None or right is None
        case OverRows():
            return fact.form.where is not None and is_relative(fact.form.where)
        case _:
            return False


def is_relative(condition: Condition) -> bool:
    """Whether it looks at today."""
    return any(
        isinstance(operand, Span | Period) or (isinstance(operand, Day) and operand.day is None)
        for test in tests_in(condition)
        for operand in test.operands
    )
