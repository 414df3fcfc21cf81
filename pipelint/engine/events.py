"""What became of each rule on each record: one event for every transition, and what stands after them.

An episode begins when a rule is first seen to be broken. Its time of grace comes before its flag; a waiver and a
rule that hides it set the flag aside without ending it, so that what returns is flagged *since* the day it first
stood. Only what is clean, blank, deleted or renamed ends an episode; data that is not synced ends nothing, unless
it was lacking when the flag came already: then what the flag was about has been checked, and is clean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias, cast

import msgspec

from pipelint.rules.pack import Rule, Severity

State: TypeAlias = Literal["pending", "flagged", "waived", "hidden"]
Event: TypeAlias = Literal[State, "severity", "resolved", "gone", "renamed"]
ENDS: frozenset[Event] = frozenset({"resolved", "gone", "renamed"})


class TestTold(msgspec.Struct, frozen=True):
    """One test that decided, as it was told at that moment."""

    field: str
    value: str
    test: str


class WaiverTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """The waiver that set a flag aside."""

    reason: str
    approved_by: str
    until: date
    snoozed: bool = False


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """The evidence of an event, kept as JSON: what decided, what set it aside, what the rule was called before.

    `unsynced` are items of the rule that could not be checked at that moment for lack of data.
    """

    tests: tuple[TestTold, ...] = ()
    waiver: WaiverTold | None = None
    hidden_by: str = ""
    formerly: str = ""
    unsynced: tuple[str, ...] = ()


_told = msgspec.json.Decoder(Told)


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of `finding_event`; `severity` is None where an episode ends, `at` is in microseconds UTC."""

    rule: str
    event: Event
    severity: Severity | None
    day: date
    at: int
    run: str
    pack_hash: str
    evidence: str

    @property
    def told(self) -> Told:
        """The evidence, read."""
        return _told.decode(self.evidence) if self.evidence else Told()


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of one rule on one record.

    `first_seen` is in microseconds UTC; `since` is the first day outside its time of grace, None within it.
    """

    state: State
    severity: Severity | None
    first_seen: int
    since: date | None
    waiver: WaiverTold | None = None
    unsynced: tuple[str, ...] = ()


def transitions(db: sqlite3.Connection, connection: str, kind: str, record: str) -> Iterator[Transition]:
    """All that was recorded of one record, in its order."""
    query = """
        SELECT rule, event, severity, day, at, run, pack_hash, coalesce(evidence, '') FROM finding_event
        WHERE connection = ? AND kind = ? AND record = ? ORDER BY id
    """
    for rule, event, severity, day, *rest in db.execute(query, (connection, kind, record)):
        yield Transition(rule, event, severity, date.fromisoformat(day), *rest)


def standing(past: Iterable[Transition]) -> dict[str, Standing]:
    """What stands of each rule after these transitions of one record."""
    now: dict[str, Standing] = {}
    for each in past:
        if each.event in ENDS:
            now.pop(each.rule, None)
        else:
            now[each.rule] = _moved(now.get(each.rule), each)
    return now


def _moved(before: Standing | None, each: Transition) -> Standing:
    state = before.state if before and each.event == "severity" else cast("State", each.event)
    since = None if state == "pending" else each.day
    told = each.told
    waiver = told.waiver if state == "waived" else None
    if before is None:
        return Standing(state, each.severity, each.at, since, waiver, told.unsynced)
    if before.since is not None:
        since = before.since if since is None else min(before.since, since)
    return Standing(state, each.severity, min(before.first_seen, each.at), since, waiver, told.unsynced)


class Standings:
    """What stands on the records of one kind and connection, under the names that the rules have now."""

    def __init__(self, db: sqlite3.Connection, connection: str, kind: str, rules: Iterable[Rule]) -> None:
        self.db = db
        self.key = (connection, kind)
        self.renamed = renamed(rules)
        query = "SELECT EXISTS (SELECT 1 FROM finding_event WHERE connection = ? AND kind = ?)"
        self.any = bool(db.execute(query, self.key).fetchone()[0])

    def of(self, record: str) -> Mapping[str, Standing]:
        """By rule; nothing before a first run."""
        if not self.any:
            return {}
        now = standing(transitions(self.db, *self.key, record))
        for former, name in self.renamed.items():
            if former in now:
                now[name] = _earlier(now.pop(former), now.get(name))
        return now


def _earlier(one: Standing, other: Standing | None) -> Standing:
    return one if other is None or one.first_seen <= other.first_seen else other


def renamed(rules: Iterable[Rule]) -> dict[str, str]:
    """The name that each rule goes by now, by the names it had."""
    live = {rule.name: rule for rule in rules}
    return {old: rule.name for rule in live.values() for old in rule.formerly if old not in live}
