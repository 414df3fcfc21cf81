"""Which records a run looks at: all on the first run of a local day, then those that something may have moved.

A record is looked at when it has been prepared again (`prepare`), and when its write was refused or is still owed
and can be made up for. Whatever else an answer rests on - the day, the pack, what the connection delivers, whom a
waiver names, what may be written - is one digest: when it moves, everything is looked at.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from dataclasses import dataclass

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import CHECKS_PER_WORD
from pipelint.engine.source import Source
from pipelint.engine.waivers import InForce
from pipelint.rules.compile import SEVERITY_NAME
from pipelint.rules.pack import Severity

_RECORDED = """
    SELECT record FROM verdict WHERE connection = :connection AND kind = :kind
    UNION SELECT record FROM shown WHERE connection = :connection AND kind = :kind
"""
_MOVED = """
    SELECT record FROM refreshed WHERE name = :name AND version > :since
    UNION SELECT record FROM owed WHERE connection = :connection AND kind = :kind AND why IN ('lack', 'look', :owed)
    UNION SELECT record FROM refusal WHERE connection = :connection AND kind = :kind
"""
_FLAGGED = """
    SELECT worst, count(*) FROM (
      SELECT max(CASE WHEN f & s & (s >> 1) THEN 3 WHEN f & (s >> 1) THEN 2 WHEN f THEN 1 END) AS worst
      FROM (
        SELECT record, severities AS s,
          outcomes & ~(outcomes >> 1) & ~aside & ~(aside >> 1) & CASE word {masks} ELSE 0 END AS f
        FROM verdict
        WHERE connection = :connection AND kind = :kind AND record NOT IN (SELECT record FROM temp.chosen)
      ) GROUP BY record
    ) WHERE worst IS NOT NULL GROUP BY worst
"""


@dataclass(frozen=True, slots=True)
class Judging:
    """What is looked at is in `temp.chosen`; `basis` and `version` say what the answers rest on."""

    connection: str
    kind: str
    basis: str
    version: int

    def remember(self, db: sqlite3.Connection) -> None:
        """Everything that was chosen has been recorded and planned."""
        row = (self.connection, self.kind, self.basis, self.version)
        db.execute("INSERT OR REPLACE INTO judged VALUES (?, ?, ?, ?)", row)


def choose(cache: Cache, source: Source, plan_basis: str, *, owed: bool) -> Judging:
    """Choose the records of a source that are looked at now; `plan_basis` is what a plan rests on beside them.

    `owed` says that the plan is to be written, or shown: what was left unwritten is planned again.
    """
    db = cache.db
    connection, kind = source.connection, source.compiled.kind
    query = "SELECT version, built FROM prepared WHERE name = ?"
    version, built = db.execute(query, (source.table,)).fetchone()
    judging = Judging(connection, kind, _basis(cache, source, plan_basis), version)
    row = db.execute(
        "SELECT basis, version FROM judged WHERE connection = ? AND kind = ?", (connection, kind)
    ).fetchone()
    before, since = row or ("", 0)
    chosen = _MOVED
    if before != judging.basis or since < built:
        chosen = f'SELECT id FROM "{source.table}" UNION {_RECORDED}'
    db.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (record TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("DELETE FROM temp.chosen")
    values = {"connection": connection, "kind": kind, "name": source.table, "since": since}
    values["owed"] = "write" if owed else "lack"
    db.execute(f"INSERT INTO temp.chosen {chosen}", values)
    return judging


def flagged_elsewhere(db: sqlite3.Connection, source: Source) -> Counter[Severity]:
    """How many records that are not looked at now are flagged, by the worst of their flags."""
    kind = source.compiled.kind
    values = {"connection": source.connection, "kind": kind}
    told = {rule.name for rule in source.pack.live_rules(kind) if rule.status != "trial"}
    bits = db.execute("SELECT name, bit FROM bit WHERE connection = :connection AND kind = :kind", values)
    masks: dict[int, int] = {}
    for name, bit in bits:
        if name in told:
            word, place = divmod(bit, CHECKS_PER_WORD)
            masks[word] = masks.get(word, 0) | 1 << 2 * place
    if not masks:
        return Counter()
    chosen = " ".join(f"WHEN {word} THEN {mask}" for word, mask in masks.items())
    rows = db.execute(_FLAGGED.format(masks=chosen), values)
    return Counter({SEVERITY_NAME[worst]: count for worst, count in rows})


def _basis(cache: Cache, source: Source, plan_basis: str) -> str:
    inputs = source.compiled.inputs
    waivers = InForce(cache, source.pack, source.compiled, source.connection)
    told = (
        source.table,
        source.compiled.moment.today,
        source.pack.hash,
        sorted(inputs.unsynced),
        sorted(inputs.partial.items()),
        [sorted(records) for records in waivers.records],
        plan_basis,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
