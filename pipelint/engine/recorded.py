"""What the last recorded run said of every rule on every record, to tell what is new since."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import CHECKS_PER_WORD, Outcome
from pipelint.engine.events import State, renamed
from pipelint.engine.finding import Finding
from pipelint.rules.pack import Pack

_STANDING = """
    SELECT f.connection, f.kind, f.record, f.rule, f.event FROM finding_event f
    WHERE f.event IN ('pending', 'flagged', 'waived', 'hidden') AND NOT EXISTS (
      SELECT 1 FROM finding_event l
      WHERE l.connection = f.connection AND l.kind = f.kind AND l.record = f.record AND l.rule = f.rule
        AND l.id > f.id AND l.event <> 'severity')
"""


class Recorded:
    """The findings of the last recorded run."""

    def __init__(self, cache: Cache, pack: Pack) -> None:
        now = renamed(pack.rules.values())
        self.standing: dict[tuple[str, str, str, str], State] = {
            (connection, kind, record, now.get(rule, rule)): state
            for connection, kind, record, rule, state in cache.db.execute(_STANDING)
        }
        self.unchecked = {
            (connection, kind, record, now.get(rule, rule))
            for connection, kind, record, rule in _unchecked(cache)
        }

    def has(self, finding: Finding) -> bool:
        """Whether it was found with the same status then; on trial or not is the same."""
        key = (finding.connection, finding.kind, finding.id, finding.rule)
        if finding.status == "could_not_check":
            return key in self.unchecked
        status = "flagged" if finding.status == "trial" else finding.status
        return self.standing.get(key) == status


def _unchecked(cache: Cache) -> Iterator[tuple[str, str, str, str]]:
    """Everything that could not be checked, from the bits that the run left."""
    bits = cache.db.execute(
        "SELECT connection, kind, bit, name FROM bit ORDER BY connection, kind"
    ).fetchall()
    for (connection, kind), rows in groupby(bits, lambda row: (row[0], row[1])):
        names = {bit: name for _, _, bit, name in rows}
        query = "SELECT record, word, outcomes FROM verdict WHERE connection = ? AND kind = ?"
        for record, word, outcomes in cache.db.execute(query, (connection, kind)):
            for place in range(CHECKS_PER_WORD):
                if outcomes >> 2 * place & 3 in {Outcome.BLANK, Outcome.UNSYNCED}:
                    yield connection, kind, record, names[word * CHECKS_PER_WORD + place]
