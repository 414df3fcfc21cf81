"""What each rule did on all records, as bits: one number per rule has a bit for every record of the rule's kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import Outcome, evaluate
from pipelint.engine.source import Source
from pipelint.rules.compile_condition import compile_condition
from pipelint.rules.emit.sqlite import expression
from pipelint.rules.pack import Rule


@dataclass(slots=True)
class Tally:
    """One rule: the records that it flags, and those that it could not check."""

    flagged: int = 0
    unchecked: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """The records of one source; the first of them has the bit `first`."""

    source: Source
    first: int
    numbers: Mapping[str, int]


@dataclass(slots=True)
class Tallies:
    """All rules on all records of one kind."""

    total: int = 0
    by_rule: dict[str, Tally] = field(default_factory=dict)
    _parts: list[_Part] = field(default_factory=list)

    def add(self, cache: Cache, source: Source) -> None:
        """Evaluate every check of one source."""
        ids = cache.db.execute(f'SELECT id FROM "{source.table}" ORDER BY id')
        part = _Part(source, self.total, {record: number for number, (record,) in enumerate(ids)})
        flagged: dict[str, set[int]] = {}
        unchecked: dict[str, set[int]] = {}
        checks = source.compiled.checks
        for verdict in evaluate(cache, source.compiled, source.table):
            for number, outcome in verdict.outcomes.items():
                chosen = flagged if outcome is Outcome.FLAGGED else unchecked
                chosen.setdefault(checks[number].rule.name, set()).add(part.numbers[verdict.id])
        for name in {check.rule.name for check in checks}:
            tally = self.by_rule.setdefault(name, Tally())
            found = flagged.get(name, set())
            tally.flagged |= _bits(found, part)
            tally.unchecked |= _bits(unchecked.get(name, set()) - found, part)
        self.total += len(part.numbers)
        self._parts.append(part)

    def in_scope(self, cache: Cache, rule: Rule) -> int:
        """The records that the rule asks about."""
        found = 0
        for part in self._parts:
            compiled = part.source.compiled
            for check in rule.checks:
                where = "1"
                if check.scope is not None:
                    where = expression(compile_condition(check.scope, compiled.inputs, compiled.moment))
                rows = cache.db.execute(f'SELECT id FROM "{part.source.table}" WHERE {where}')
                found |= _bits((part.numbers[record] for (record,) in rows), part)
        return found

    def sources(self) -> Iterator[Source]:
        for part in self._parts:
            yield part.source


def _bits(numbers: Iterable[int], part: _Part) -> int:
    raw = bytearray(len(part.numbers) // 8 + 1)
    for number in numbers:
        raw[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(raw, "little") << part.first
