"""Recording: what was found is compared with the last record, and every transition becomes an event with its day.

Per record and rule the cache keeps two bits each of outcome, of what sets a flag aside, and of severity, so that
comparing a million records is a matter of SQL. What the events mean is said in `events`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import msgspec
from msgspec import structs

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
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
from pipelint.engine.findings import Finding, FindingStatus, Source, day_text
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
_DIFFERING = """
    FROM temp.found f LEFT JOIN verdict v
      ON v.connection = :connection AND v.kind = :kind AND v.record = f.record AND v.word = f.word
    WHERE f.outcomes IS NOT v.outcomes OR f.aside IS NOT v.aside OR f.severities IS NOT v.severities
"""
_ASIDE: Mapping[State, int] = {"flagged": 0, "pending": 1, "waived": 2, "hidden": 3}


def record(cache: Cache, source: Source, found: Sequence[Finding], run: str) -> None:
    """Store what was found of one kind of record on one connection, and the events that follow from it."""
    with cache.transaction() as db:
        _Recorder(db, source, run).record(found)


class _Recorder:
    def __init__(self, db: sqlite3.Connection, source: Source, run: str) -> None:
        self.db = db
        self.source = source
        self.run = run
        self.key = (source.connection, source.compiled.kind)
        self.today = date.fromisoformat(day_text(source.compiled.moment.today))
        self.at = microseconds(source.compiled.moment.as_of)
        self.rules = {rule.name: rule for rule in source.pack.live_rules(source.compiled.kind)}

    def record(self, found: Sequence[Finding]) -> None:
        bits = self.bits()
        carried = list(self.carry_over())
        self.stage(found, bits)
        by_bit = {bit: name for name, bit in bits.items()}
        now = {(finding.id, finding.rule): finding for finding in found}
        touched = dict.fromkeys((record, by_bit[bit]) for record, bit in self.changed())
        touched |= dict.fromkeys(carried)
        # One waiver may take the place of another: no bit moves then.
        touched |= dict.fromkeys((each.id, each.rule) for each in found if each.waiver is not None)
        before = {record: standing(transitions(self.db, *self.key, record)) for record, _ in touched}
        for record, rule in touched:
            finding = now.get((record, rule))
            event = _event(finding, before[record].get(rule))
            if event is not None:
                self.write(record, rule, event, finding)
        self.keep()
        self.remember()

    def bits(self) -> dict[str, int]:
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

    def stage(self, found: Iterable[Finding], bits: Mapping[str, int]) -> None:
        words: dict[tuple[str, int], list[int]] = {}
        for finding in found:
            word, place = divmod(bits[finding.rule], CHECKS_PER_WORD)
            held = words.setdefault((finding.id, word), [0, 0, 0])
            for number, bits_ in enumerate(_bits_of(finding)):
                held[number] |= bits_ << 2 * place
        self.db.execute("DROP TABLE IF EXISTS temp.found")
        self.db.execute(
            "CREATE TEMP TABLE found (record TEXT, word INTEGER, outcomes INTEGER, aside INTEGER,"
            " severities INTEGER, PRIMARY KEY (record, word)) WITHOUT ROWID"
        )
        self.db.executemany(
            "INSERT INTO temp.found VALUES (?, ?, ?, ?, ?)", ((*key, *held) for key, held in words.items())
        )

    def changed(self) -> Iterator[tuple[str, int]]:
        """Record and bit of every rule of which anything is not as it was recorded last."""
        query = f"""
            SELECT f.record, f.word, f.outcomes, f.aside, f.severities,
              coalesce(v.outcomes, 0), coalesce(v.aside, 0), coalesce(v.severities, 0)
            {_DIFFERING}
            UNION ALL
            SELECT v.record, v.word, 0, 0, 0, v.outcomes, v.aside, v.severities FROM verdict v
            WHERE v.connection = :connection AND v.kind = :kind
              AND NOT EXISTS (SELECT 1 FROM temp.found f WHERE f.record = v.record AND f.word = v.word)
        """
        values = {"connection": self.key[0], "kind": self.key[1]}
        for record, word, *held in self.db.execute(query, values):
            moved = (held[0] ^ held[3]) | (held[1] ^ held[4]) | (held[2] ^ held[5])
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
            INSERT OR REPLACE INTO verdict (connection, kind, record, word, outcomes, aside, severities)
            SELECT :connection, :kind, f.record, f.word, f.outcomes, f.aside, f.severities
            """
            + _DIFFERING,
        ):
            self.db.execute(statement, values)

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


def _bits_of(finding: Finding) -> tuple[int, int, int]:
    """Its outcome, what sets it aside, and its severity, two bits each."""
    if finding.status == "could_not_check":
        return Outcome.UNSYNCED if finding.keeps else Outcome.BLANK, 0, 0
    return Outcome.FLAGGED, _ASIDE[_STATES[finding.status]], SEVERITY_NUMBER[finding.severity]


def _event(finding: Finding | None, before: Standing | None) -> Event | None:
    """What happened, if anything did."""
    if finding is None or finding.status == "could_not_check":
        ends = before is not None and not (finding and finding.keeps)
        return "resolved" if ends else None
    state = _STATES[finding.status]
    if before is None or state != before.state or (state == "waived" and _waiver(finding) != before.waiver):
        return state
    return "severity" if state == "flagged" and finding.severity != before.severity else None


def _told(finding: Finding) -> Told:
    tests = tuple(TestTold(each.field, each.value, each.test) for each in finding.evidence)
    return Told(tests, _waiver(finding), finding.hidden_by)


def _waiver(finding: Finding) -> WaiverTold | None:
    waiver = finding.waiver
    return WaiverTold(waiver.reason, waiver.approved_by, waiver.until, waiver.snoozed) if waiver else None
