"""Evaluates a compiled pack inside the cache: one statement per 186 checks, two bits for each outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter

from pipelint.engine.cache.sqlite import Cache
from pipelint.rules.compile import CompiledCheck, CompiledPack
from pipelint.rules.emit.sqlite import expression
from pipelint.rules.ir import Case, Constant

CHECKS_PER_WORD = 31  # two bits each, in a signed 64-bit word
WORDS_PER_STATEMENT = 6


class Outcome(IntEnum):
    """What became of one check on one record."""

    CLEAN = 0
    FLAGGED = 1
    BLANK = 2  # could not be checked: a field is blank
    UNSYNCED = 3  # could not be checked: data was not supplied; what was written before stays


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that is not clean about one record: check number → outcome, and severity where flagged."""

    id: str
    outcomes: dict[int, Outcome]
    severities: dict[int, int]


CHOSEN = "id IN (SELECT record FROM temp.chosen)"


def evaluate(
    cache: Cache, compiled: CompiledPack, table: str, record: str | None = None, *, chosen: bool = False
) -> Iterator[Verdict]:
    """The verdicts of all records, of one, or of those in `temp.chosen`, ordered by id.

    Records on which every check is clean are left out.
    """
    one = record is not None
    where = "id = ?" if one else CHOSEN if chosen else "1"
    step = CHECKS_PER_WORD * WORDS_PER_STATEMENT
    parts = [
        _part(cache, compiled.checks[first : first + step], first, table, where, (record,) if one else ())
        for first in range(0, len(compiled.checks), step)
    ]
    for record, rows in groupby(merge(*parts, key=itemgetter(0)), key=itemgetter(0)):
        verdict = Verdict(record, {}, {})
        for _, first, row in rows:
            _unpack(row, compiled.checks[first : first + step], first, verdict)
        yield verdict


def _part(
    cache: Cache,
    checks: Sequence[CompiledCheck],
    first: int,
    table: str,
    where: str,
    values: tuple[str | None, ...],
) -> Iterator[tuple[str, int, Sequence[int]]]:
    for row in cache.db.execute(statement(checks, table, where), values):
        yield row[0], first, row[1:]


def statement(checks: Sequence[CompiledCheck], table: str, where: str) -> str:
    """`SELECT id, outcomes per word…, severities per word…` of the records that are not clean, by id."""
    words = [checks[n : n + CHECKS_PER_WORD] for n in range(0, len(checks), CHECKS_PER_WORD)]
    outcomes = [" | ".join(_outcome(check, n) for n, check in enumerate(word)) for word in words]
    severities = [_severities(word) for word in words]
    count = len(words)
    inner = ", ".join(
        [
            "id",
            *(f"{sql} AS o{n}" for n, sql in enumerate(outcomes)),
            *(f"{sql} AS s{n}" for n, sql in enumerate(severities)),
        ]
    )
    chosen = ", ".join(["id", *(f"o{n}" for n in range(count)), *(f"s{n}" for n in range(count))])
    found = " OR ".join(f"o{n} <> 0" for n in range(count))
    # MATERIALIZED: otherwise SQLite works every check out twice, for the result and for the filter.
    rows = f'SELECT {inner} FROM "{table}" WHERE {where}'
    return f"WITH v AS MATERIALIZED ({rows}) SELECT {chosen} FROM v WHERE {found} ORDER BY id"


def _outcome(check: CompiledCheck, place: int) -> str:
    """Two bits: the verdict once, and only where it is unknown the reason."""
    reason = expression(Case(((check.unsynced, Constant(3)),), Constant(2)))
    return f"(coalesce({expression(check.verdict)}, {reason}) << {2 * place})"


def _severities(word: Sequence[CompiledCheck]) -> str:
    """Two bits for each check whose severity is not the same for every record."""
    parts = [
        f"(coalesce({expression(check.severity)}, 0) << {2 * place})"
        for place, check in enumerate(word)
        if not isinstance(check.severity, Constant)
    ]
    return " | ".join(parts) or "0"


def _unpack(row: Sequence[int], checks: Sequence[CompiledCheck], first: int, verdict: Verdict) -> None:
    count = len(row) // 2
    for number, check in enumerate(checks):
        word, place = divmod(number, CHECKS_PER_WORD)
        outcome = Outcome(row[word] >> (2 * place) & 3)
        if outcome is Outcome.CLEAN:
            continue
        verdict.outcomes[first + number] = outcome
        if outcome is Outcome.FLAGGED:
            fixed = check.severity
            level = fixed.value if isinstance(fixed, Constant) else row[count + word] >> (2 * place) & 3
            verdict.severities[first + number] = int(level or 1)
