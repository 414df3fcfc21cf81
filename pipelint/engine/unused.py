"""Waivers that have had nothing to waive for 30 days, as far as runs have recorded (rules.md §4.9)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import NamedTuple

import msgspec

from pipelint.rules.waivers import Waiver

PATIENCE = timedelta(days=30)
_MICROSECOND = timedelta(microseconds=1)


# A flag stays waived until its next transition.
_USES = """
    SELECT DISTINCT w.record, w.rule,
      json_extract(w.evidence, '$.waiver.reason'), json_extract(w.evidence, '$.waiver.approved_by')
    FROM finding_event w
    WHERE w.event = 'waived' AND coalesce((
        SELECT n.at FROM finding_event n
        WHERE n.connection = w.connection AND n.kind = w.kind AND n.record = w.record AND n.rule = w.rule
          AND n.id > w.id ORDER BY n.id LIMIT 1
      ), :begun) >= :begun
"""


class _Use(NamedTuple):
    """One flag that a waiver put aside."""

    record: str
    rule: str
    reason: str
    approved_by: str


def note_waivers(db: sqlite3.Connection, waivers: Iterable[Waiver], at: int) -> None:
    """Remember from when on each waiver was in force, in microseconds UTC; an end that is put off changes nothing."""
    rows = ((_name(waiver), at) for waiver in waivers)
    db.executemany("INSERT OR IGNORE INTO waiver_seen (waiver, at) VALUES (?, ?)", rows)


class Unused:
    """What waivers did in the 30 days up to the last recorded run."""

    def __init__(self, db: sqlite3.Connection) -> None:
        (last,) = db.execute("SELECT max(at) FROM recording").fetchone()
        begun = (last or 0) - PATIENCE // _MICROSECOND
        query = "SELECT waiver FROM waiver_seen WHERE at <= ?"
        self.in_force = {name for (name,) in db.execute(query, (begun,))}
        self.uses = [_Use(*row) for row in db.execute(_USES, {"begun": begun})] if self.in_force else []

    def has(self, waiver: Waiver, records: Collection[str]) -> bool:
        """Whether it was in force all that time and waived nothing; `records` are the ids that it names."""
        rules = {name.partition("/")[0] for name in waiver.rules}
        return _name(waiver) in self.in_force and not any(
            (use.reason, use.approved_by) == (waiver.reason, waiver.approved_by)
            and use.rule in rules
            and (not waiver.records or use.record in records)
            for use in self.uses
        )


def _name(waiver: Waiver) -> str:
    """A waiver by what it says, its end and its place in the file apart."""
    records = sorted(written for written, _ in waiver.records)
    return msgspec.json.encode((waiver.rules, records, waiver.reason, waiver.approved_by)).decode()
