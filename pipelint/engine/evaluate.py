"""Evaluates a compiled pack inside the cache: one statement per 200 checks, four outcomes in two bits each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pipelint.engine.cache.sqlite import Cache
from pipelint.rules.compile import CompiledCheck, CompiledPack
from pipelint.rules.emit.sqlite import expression
from pipelint.rules.ir import UNKNOWN, Case, Literal_

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


def evaluate(cache: Cache, compiled: CompiledPack, table: str) -> Iterator[Verdict]:
    """The verdicts of all records of which at least one check is not clean, ordered by id."""
    statements = [
        cache.db.execute(statement(compiled.checks[start : start + step], start, table))
        for start in range(0, len(compiled.checks), step)
    ] if (step := CHECKS_PER_WORD * WORDS_PER_STATEMENT) else []
    for parts in zip(*statements, strict=True):
        outcomes: dict[int, Outcome] = {}
        severities: dict[int, int] = {}
        for part, start in zip(parts, range(0, len(compiled.checks), step), strict=True):
            _unpack(part, compiled.checks[start : start + step], start, outcomes, severities)
        if outcomes:
            yield Verdict(parts[0][0], outcomes, severities)


def statement(checks: Sequence[CompiledCheck], first: int, table: str) -> str:
    """`SELECT id, outcomes per word…, severities per word… FROM table`, every record in order of id."""
    words = [checks[n : n + CHECKS_PER_WORD] for n in range(0, len(checks), CHECKS_PER_WORD)]
    outcomes = [" | ".join(_outcome(check, n) for n, check in enumerate(word)) for word in words]
    severities = [_severities(word) for word in words]
    chosen = ", ".join(["id", *outcomes, *severities])
    return f'SELECT {chosen} FROM "{table}" ORDER BY id'


def _outcome(check: CompiledCheck, place: int) -> str:
    """Two bits: the verdict once, and only where it is unknown the reason."""
    reason = expression(Case(((check.unsynced, Literal_(3)),), Literal_(2)))
    return f"(coalesce({expression(check.verdict)}, {reason}) << {2 * place})"


def _severities(word: Sequence[CompiledCheck]) -> str:
    """Two bits for each check whose severity is not the same for every record."""
    parts = [
        f"(coalesce({expression(check.severity)}, 0) << {2 * place})"
        for place, check in enumerate(word)
        if not isinstance(check.severity, Literal_)
    ]
    return " | ".join(parts) or "0"


def _unpack(
    row: Sequence[object],
    checks: Sequence[CompiledCheck],
    first: int,
    outcomes: dict[int, Outcome],
    severities: dict[int, int],
) -> None:
    count = (len(checks) + CHECKS_PER_WORD - 1) // CHECKS_PER_WORD
    for word in range(count):
        bits, levels = row[1 + word], row[1 + count + word]
        if not bits or not isinstance(bits, int) or not isinstance(levels, int):
            continue
        for place, check in enumerate(checks[word * CHECKS_PER_WORD : (word + 1) * CHECKS_PER_WORD]):
            outcome = Outcome(bits >> (2 * place) & 3)
            if outcome is Outcome.CLEAN:
                continue
            number = first + word * CHECKS_PER_WORD + place
            outcomes[number] = outcome
            if outcome is Outcome.FLAGGED:
                fixed = check.severity
                level = fixed.value if isinstance(fixed, Literal_) else levels >> (2 * place) & 3
                severities[number] = int(level or 1)
