"""Recording: what was found is compared with the last record, and every transition becomes an event with its day.

Per record and rule the cache keeps two bits of outcome and two of severity, so that comparing a million records
is a matter of SQL. Everything with a date lives in `finding_event`: a rule is flagged *since* its last `flagged`
event that nothing has ended. Data that is not synced ends nothing; a blank field does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Literal, TypeAlias

import msgspec

from pipelint.engine.cache.encode import instant, microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import CHECKS_PER_WORD, Outcome
from pipelint.engine.findings import Finding, Source, day_text
from pipelint.records import Stream
from pipelint.rules.catalogue import RECORD_STREAM
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.compile_condition import Moment
from pipelint.rules.pack import Pack, Rule

Event: TypeAlias = Literal["pending", "flagged", "severity", "resolved", "gone", "renamed"]
_OPEN = frozenset({"flagged", "severity"})
_SINCE = """
    SELECT {columns} FROM finding_event f
    WHERE f.event = 'flagged' {where} AND NOT EXISTS (
      SELECT 1 FROM finding_event l
      WHERE l.connection = f.connection AND l.kind = f.kind AND l.record = f.record AND l.rule = f.rule
        AND l.id > f.id AND l.event IN ('flagged', 'resolved', 'gone', 'renamed'))
"""


def with_since(cache: Cache, found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings with the day since which each has been flagged, as far as runs have recorded it."""
    if not cache.db.execute("SELECT EXISTS (SELECT 1 FROM finding_event)").fetchone()[0]:
        yield from found
        return
    where = "AND f.connection = ? AND f.kind = ? AND f.record = ?"
    query = _SINCE.format(columns="f.rule, f.day", where=where)
    for record, group in groupby(found, lambda finding: (finding.connection, finding.kind, finding.id)):
        days: dict[str, str] = dict(cache.db.execute(query, record))
        for finding in group:
            day = days.get(finding.rule)
            yield replace(finding, since=date.fromisoformat(day)) if day else finding


def recorded_rules(cache: Cache) -> frozenset[tuple[str, str, str, str]]:
    """Connection, kind, record and rule of everything that was flagged in the last recorded run."""
    query = _SINCE.format(columns="f.connection, f.kind, f.record, f.rule", where="")
    return frozenset(cache.db.execute(query))


def without_pending(cache: Cache, found: Iterable[Finding], pack: Pack, moment: Moment) -> Iterator[Finding]:
    """The findings but those whose rule still grants time: pending until first seen + grace (rules.md §4.7)."""
    query = """
        SELECT event, at FROM finding_event WHERE connection = ? AND kind = ? AND record = ? AND rule = ?
        ORDER BY id DESC LIMIT 1
    """
    for finding in found:
        rule = pack.rules[finding.rule]
        if rule.grace is not None and finding.status != "could_not_check":
            key = (finding.connection, finding.kind, finding.id, finding.rule)
            last = cache.db.execute(query, key).fetchone()
            open_ = last is not None and last[0] in _OPEN
            first_seen = last[1] if last is not None and last[0] == "pending" else None
            if not open_ and not _due(rule, first_seen, moment):
                continue
        yield finding


def record(cache: Cache, source: Source, found: Sequence[Finding], run: str) -> None:
    """Store what was found of one kind of record on one connection, and the events that follow from it."""
    with cache.transaction() as db:
        _Recorder(db, source, run).record(found)


@dataclass(frozen=True, slots=True)
class _Last:
    """The last event of one rule on one record."""

    event: Event
    severity: str
    at: int


class _Recorder:
    def __init__(self, db: sqlite3.Connection, source: Source, run: str) -> None:
        self.db = db
        self.source = source
        self.run = run
        self.key = (source.connection, source.compiled.kind)
        self.moment = source.compiled.moment
        self.rules = {rule.name: rule for rule in source.pack.live_rules(source.compiled.kind)}

    def record(self, found: Sequence[Finding]) -> None:
        bits = self.bits()
        self.stage(found, bits)
        by_bit = {bit: name for name, bit in bits.items()}
        now = {(finding.id, finding.rule): finding for finding in found}
        touched = dict.fromkeys((record, by_bit[bit]) for record, bit in self.changed())
        # Time alone ends a time of grace: no bit moves then.
        touched |= dict.fromkeys(key for key in now if self.rules[key[1]].grace is not None)
        last = self.last({record for record, _ in touched})
        held = self.held()
        for key in touched:
            event = self.event(key, now.get(key), last.get(key))
            if event is not None:
                event = "gone" if event == "resolved" and key[0] not in held else event
                self.write(key, event, now.get(key))
        self.keep()

    def bits(self) -> dict[str, int]:
        """The bit of every rule that ever was: one that is gone keeps its own, so that no other gets it."""
        bits: dict[str, int] = dict(
            self.db.execute("SELECT name, bit FROM bit WHERE connection = ? AND kind = ?", self.key)
        )
        for name, rule in self.rules.items():
            if name in bits:
                continue
            bits[name] = len(bits)
            self.db.execute("INSERT INTO bit VALUES (?, ?, ?, ?)", (*self.key, name, bits[name]))
            for former in rule.formerly:
                if former in bits and former not in self.rules:
                    self.carry_over(former, name)
        return bits

    def carry_over(self, former: str, name: str) -> None:
        """A rule under a new name goes on where the old one was: same first day, nothing resolved."""
        where = "AND f.connection = ? AND f.kind = ? AND f.rule = ?"
        columns = "f.record, f.severity, f.day, f.evidence"
        rows = self.db.execute(_SINCE.format(columns=columns, where=where), (*self.key, former)).fetchall()
        stamps = (microseconds(self.moment.as_of), self.source.pack.hash)
        insert = """
            INSERT INTO finding_event
              (run, connection, kind, record, rule, event, severity, day, evidence, at, pack_hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
        for record, severity, day, evidence in rows:
            common = (severity, day, evidence, *stamps)
            self.db.execute(insert, (self.run, *self.key, record, former, "renamed", *common))
            self.db.execute(insert, (self.run, *self.key, record, name, "flagged", *common))

    def stage(self, found: Iterable[Finding], bits: Mapping[str, int]) -> None:
        words: dict[tuple[str, int], list[int]] = {}
        for finding in found:
            word, place = divmod(bits[finding.rule], CHECKS_PER_WORD)
            pair = words.setdefault((finding.id, word), [0, 0])
            outcome = _outcome(finding)
            pair[0] |= outcome << 2 * place
            pair[1] |= (SEVERITY_NUMBER[finding.severity] if outcome is Outcome.FLAGGED else 0) << 2 * place
        self.db.execute("DROP TABLE IF EXISTS temp.found")
        self.db.execute(
            "CREATE TEMP TABLE found (record TEXT, word INTEGER, outcomes INTEGER, severities INTEGER,"
            " PRIMARY KEY (record, word)) WITHOUT ROWID"
        )
        self.db.executemany(
            "INSERT INTO temp.found VALUES (?, ?, ?, ?)", ((*key, *pair) for key, pair in words.items())
        )

    def changed(self) -> Iterator[tuple[str, int]]:
        """Record and bit of every rule whose outcome or severity is not what was recorded last."""
        query = """
            SELECT f.record, f.word, f.outcomes, f.severities, coalesce(v.outcomes, 0), coalesce(v.severities, 0)
            FROM temp.found f LEFT JOIN verdict v
              ON v.connection = :connection AND v.kind = :kind AND v.record = f.record AND v.word = f.word
            WHERE f.outcomes IS NOT v.outcomes OR f.severities IS NOT v.severities
            UNION ALL
            SELECT v.record, v.word, 0, 0, v.outcomes, v.severities FROM verdict v
            WHERE v.connection = :connection AND v.kind = :kind
              AND NOT EXISTS (SELECT 1 FROM temp.found f WHERE f.record = v.record AND f.word = v.word)
        """
        values = {"connection": self.key[0], "kind": self.key[1]}
        for record, word, outcomes, severities, before, severities_before in self.db.execute(query, values):
            moved = (outcomes ^ before) | (severities ^ severities_before)
            for place in range(CHECKS_PER_WORD):
                if moved >> 2 * place & 3:
                    yield record, word * CHECKS_PER_WORD + place

    def keep(self) -> None:
        """Only what differs: a quiet run leaves the file alone."""
        values = {"connection": self.key[0], "kind": self.key[1]}
        for statement in (
            """
            DELETE FROM verdict WHERE connection = :connection AND kind = :kind
              AND NOT EXISTS (SELECT 1 FROM temp.found f WHERE f.record = verdict.record AND f.word = verdict.word)
            """,
            """
            INSERT OR REPLACE INTO verdict
            SELECT :connection, :kind, f.record, f.word, f.outcomes, f.severities
            FROM temp.found f LEFT JOIN verdict v
              ON v.connection = :connection AND v.kind = :kind AND v.record = f.record AND v.word = f.word
            WHERE f.outcomes IS NOT v.outcomes OR f.severities IS NOT v.severities
            """,
        ):
            self.db.execute(statement, values)

    def last(self, records: set[str]) -> dict[tuple[str, str], _Last]:
        query = """
            SELECT rule, event, severity, at FROM finding_event
            WHERE connection = ? AND kind = ? AND record = ? ORDER BY id
        """
        return {
            (record, rule): _Last(event, severity, at)
            for record in records
            for rule, event, severity, at in self.db.execute(query, (*self.key, record))
        }

    def held(self) -> frozenset[str]:
        """The records that are still in the CRM."""
        stream: Stream = RECORD_STREAM[self.source.compiled.kind]
        rows = self.db.execute(f"SELECT id FROM {stream.value} WHERE connection = ?", self.key[:1])
        return frozenset(record for (record,) in rows)

    def event(self, key: tuple[str, str], finding: Finding | None, last: _Last | None) -> Event | None:
        """What happened, if anything did."""
        outcome = Outcome.CLEAN if finding is None else _outcome(finding)
        before = last.event if last else None
        if finding is None or outcome is not Outcome.FLAGGED:
            ends = before in _OPEN or before == "pending"
            return "resolved" if ends and outcome is not Outcome.UNSYNCED else None
        if last is not None and before in _OPEN:
            return "severity" if last.severity != finding.severity else None
        first_seen = last.at if last is not None and before == "pending" else None
        if _due(self.rules[key[1]], first_seen, self.moment):
            return "flagged"
        return None if before == "pending" else "pending"

    def write(self, key: tuple[str, str], event: Event, finding: Finding | None) -> None:
        flagged = finding is not None and event in {"pending", "flagged", "severity"}
        self.db.execute(
            """
            INSERT INTO finding_event
              (run, connection, kind, record, rule, event, severity, day, at, pack_hash, evidence)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                self.run,
                *self.key,
                *key,
                event,
                finding.severity if finding and flagged else None,
                day_text(self.moment.today),
                microseconds(self.moment.as_of),
                self.source.pack.hash,
                _evidence(finding) if finding and flagged else None,
            ),
        )


def _outcome(finding: Finding) -> Outcome:
    if finding.status == "could_not_check":
        return Outcome.UNSYNCED if finding.keeps else Outcome.BLANK
    return Outcome.FLAGGED


def _due(rule: Rule, first_seen: int | None, moment: Moment) -> bool:
    """Whether a rule's time of grace is over, counted from when it was first seen."""
    if rule.grace is None:
        return True
    since = moment.as_of if first_seen is None else instant(first_seen)
    due = moment.calendar.shift(since, rule.grace, 1)
    return due <= (moment.now if rule.grace.is_clock else moment.today)


def _evidence(finding: Finding) -> str:
    told = [{"field": each.field, "value": each.value, "test": each.test} for each in finding.evidence]
    return msgspec.json.encode(told).decode()
