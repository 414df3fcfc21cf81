"""Recording: what was found is compared with the last record, and every transition becomes an event with its day.

Per record and rule the cache keeps two bits each of outcome, of what sets a flag aside, and of severity, so that
comparing them is cheap. What the events mean is said in `events`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from operator import or_
from typing import TypeAlias

import msgspec
from msgspec import structs

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.state import load
from pipelint.engine.evaluate import CHECKS_PER_WORD, Outcome
from pipelint.engine.events import (
    ENDS,
    Event,
    Standing,
    State,
    TestTold,
    Told,
    WaiverTold,
    renamed,
    standing,
    transitions,
)
from pipelint.engine.finding import Finding, FindingStatus
from pipelint.engine.source import Source
from pipelint.engine.unused import note_waivers
from pipelint.rules.catalogue import RECORD_STREAM
from pipelint.rules.compile import SEVERITY_NUMBER
from pipelint.rules.pack import Severity

_STATES: Mapping[FindingStatus, State] = {
    "flagged": "flagged",
    "trial": "flagged",
    "pending": "pending",
    "waived": "waived",
    "hidden": "hidden",
}
_Bits: TypeAlias = tuple[int, int, int]
_ASIDE: Mapping[State, int] = {"flagged": 0, "pending": 1, "waived": 2, "hidden": 3}


class Recorder:
    """Stores what was found of one kind of record on one connection, and the events that follow from it.

    It is given the findings record by record, of those records in `temp.chosen` that have any; `finish` ends
    what the others had. All of it belongs into one transaction.
    """

    def __init__(self, db: sqlite3.Connection, source: Source, run: str) -> None:
        self.db = db
        self.source = source
        self.run = run
        self.key = (source.connection, source.compiled.kind)
        self.today = source.compiled.moment.local_date
        self.at = microseconds(source.compiled.moment.as_of)
        self.rules = {rule.name: rule for rule in source.pack.live_rules(source.compiled.kind)}
        self.bits = self.every_bit()
        self.names = {bit: name for name, bit in self.bits.items()}
        self.carried: dict[str, dict[str, None]] = {}
        for record, rule in self.carry_over():
            self.carried.setdefault(record, {})[rule] = None
        db.execute("CREATE TEMP TABLE IF NOT EXISTS found (record TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("DELETE FROM temp.found")

    def take(self, record: str, found: Sequence[Finding]) -> None:
        """The findings of the next record."""
        self.db.execute("INSERT INTO temp.found VALUES (?)", (record,))
        self.compare(record, found)

    def finish(self) -> None:
        """Nothing was found of the other records."""
        query = """
            SELECT DISTINCT record FROM verdict WHERE connection = ? AND kind = ?
              AND record IN (SELECT record FROM temp.chosen) AND record NOT IN (SELECT record FROM temp.found)
        """
        held = [record for (record,) in self.db.execute(query, self.key)]
        for record in dict.fromkeys((*held, *self.carried)):
            self.compare(record, ())
        self.remember()

    def compare(self, record: str, found: Sequence[Finding]) -> None:
        words = self.words(found)
        key = (*self.key, record)
        query = "SELECT word, outcomes, aside, severities FROM verdict WHERE connection = ? AND kind = ? AND record = ?"
        held = {word: tuple(rest) for word, *rest in self.db.execute(query, key)}
        touched = {self.names[bit]: None for bit in _moved(held, words)}
        touched |= self.carried.pop(record, {})
        # One waiver may take the place of another: no bit moves then.
        touched |= {each.rule: None for each in found if each.waiver is not None}
        if touched:
            now = {finding.rule: finding for finding in found}
            before = standing(transitions(self.db, *self.key, record))
            for rule in touched:
                event = _event(now.get(rule), before.get(rule))
                if event is not None:
                    self.write(record, rule, event, now.get(rule))
        if held != words:
            self.db.execute("DELETE FROM verdict WHERE connection = ? AND kind = ? AND record = ?", key)
            rows = ((*key, word, *bits) for word, bits in words.items())
            self.db.executemany("INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def words(self, found: Iterable[Finding]) -> dict[int, _Bits]:
        words: dict[int, _Bits] = {}
        for finding in found:
            word, place = divmod(self.bits[finding.rule], CHECKS_PER_WORD)
            outcome, aside, severity = words.get(word, (0, 0, 0))
            bits = _bits_of(finding)
            words[word] = (
                outcome | bits[0] << 2 * place,
                aside | bits[1] << 2 * place,
                severity | bits[2] << 2 * place,
            )
        return words

    def every_bit(self) -> dict[str, int]:
        """The bit of every rule that ever was: one that is gone keeps its own, so that no other gets it."""
        bits: dict[str, int] = dict(
            self.db.execute("SELECT name, bit FROM bit WHERE connection = ? AND kind = ?", self.key)
        )
        for name in self.rules:
            if name not in bits:
                bits[name] = len(bits)
                self.db.execute("INSERT INTO bit VALUES (?, ?, ?, ?)", (*self.key, name, bits[name]))
        return bits

    def carry_over(self) -> Iterator[tuple[str, str]]:
        """A rule under a new name goes on where the old one was: same first day, nothing resolved."""
        if self.pack_before() == self.source.pack.hash:
            return
        query = "SELECT DISTINCT record FROM finding_event WHERE connection = ? AND kind = ? AND rule = ?"
        for former, name in renamed(self.rules.values()).items():
            for (record,) in self.db.execute(query, (*self.key, former)).fetchall():
                past = [each for each in transitions(self.db, *self.key, record) if each.rule == former]
                if stood := standing(past).get(former):
                    told = structs.replace(past[-1].told, formerly=former)
                    day = stood.since or past[-1].day
                    self.insert(record, former, "renamed", None, self.today, self.at, Told())
                    self.insert(record, name, stood.state, stood.severity, day, stood.first_seen, told)
                    yield record, name

    def pack_before(self) -> str | None:
        query = "SELECT pack_hash FROM recording WHERE connection = ? AND kind = ? ORDER BY id DESC LIMIT 1"
        row = self.db.execute(query, self.key).fetchone()
        return row[0] if row else None

    def remember(self) -> None:
        """By which pack, on the data of which moment."""
        stream = RECORD_STREAM[self.source.compiled.kind]
        state = load(self.db, self.source.connection, stream)
        pulled_at = microseconds(state.last_pull_at) if state and state.last_pull_at else None
        self.db.execute(
            "INSERT INTO recording (run, connection, kind, at, pulled_at, pack_hash) VALUES (?, ?, ?, ?, ?, ?)",
            (self.run, *self.key, self.at, pulled_at, self.source.pack.hash),
        )
        kind = self.source.compiled.kind
        note_waivers(
            self.db, (waiver for waiver in self.source.pack.waivers if kind in waiver.kinds), self.at
        )

    def write(self, record: str, rule: str, event: Event, finding: Finding | None) -> None:
        if finding is None or event in ENDS:
            stream = RECORD_STREAM[self.source.compiled.kind].value
            query = f"SELECT EXISTS (SELECT 1 FROM {stream} WHERE connection = ? AND id = ?)"
            here = self.db.execute(query, (self.key[0], record)).fetchone()[0]
            self.insert(record, rule, "resolved" if here else "gone", None, self.today, self.at, Told())
        else:
            self.insert(record, rule, event, finding.severity, self.today, self.at, _told(finding))

    def insert(
        self, record: str, rule: str, event: Event, severity: Severity | None, day: date, at: int, told: Told
    ) -> None:
        evidence = msgspec.json.encode(told).decode()
        stamps = (day.isoformat(), at, self.source.pack.hash, evidence)
        self.db.execute(
            """
            INSERT INTO finding_event
              (run, connection, kind, record, rule, event, severity, day, at, pack_hash, evidence)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (self.run, *self.key, record, rule, event, severity, *stamps),
        )


def _moved(held: Mapping[int, _Bits], words: Mapping[int, _Bits]) -> Iterator[int]:
    """The bit of every rule of which anything is not as it was recorded last."""
    for word in held.keys() | words.keys():
        pairs = zip(held.get(word, (0, 0, 0)), words.get(word, (0, 0, 0)), strict=True)
        moved = reduce(or_, (one ^ other for one, other in pairs))
        for place in range(CHECKS_PER_WORD):
            if moved >> 2 * place & 3:
                yield word * CHECKS_PER_WORD + place


def _bits_of(finding: Finding) -> _Bits:
    """Its outcome, what sets it aside, and its severity, two bits each."""
    if finding.status == "could_not_check":
        return Outcome.UNSYNCED if finding.keeps else Outcome.BLANK, 0, 0
    return Outcome.FLAGGED, _ASIDE[_STATES[finding.status]], SEVERITY_NUMBER[finding.severity]


def _event(finding: Finding | None, before: Standing | None) -> Event | None:
    """What happened, if anything did."""
    if finding is None or finding.status == "could_not_check":
        ends = before is not None and not (finding and _keeps(finding, before))
        return "resolved" if ends else None
    state = _STATES[finding.status]
    if before is None or state != before.state or (state == "waived" and _waiver(finding) != before.waiver):
        return state
    return "severity" if state == "flagged" and finding.severity != before.severity else None


def _keeps(finding: Finding, before: Standing) -> bool:
    """Whether data is lacking that was there when the flag came; what lacked then already says nothing of it."""
    known_lacking = finding.unsynced_items and set(finding.unsynced_items) <= set(before.unsynced)
    return finding.keeps and not known_lacking


def _told(finding: Finding) -> Told:
    tests = tuple(TestTold(each.field, each.value, each.test) for each in finding.evidence)
    return Told(tests, _waiver(finding), finding.hidden_by, unsynced=finding.unsynced_items)


def _waiver(finding: Finding) -> WaiverTold | None:
    waiver = finding.waiver
    return WaiverTold(waiver.reason, waiver.approved_by, waiver.until, waiver.snoozed) if waiver else None
