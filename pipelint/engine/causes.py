"""Why a flag came, went, was set aside or changed its severity: the record, the rules, or time alone.

What a run recorded is compared with what the run before it knew. Where neither a field that the rule reads nor a
related row is known to have changed, and the rules are the same, only the day is left; where the rule does not
look at the day either, it is said that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from pipelint.engine.basis import is_relative, moving_facts
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.events import ENDS, Event, Standing, Transition, standing, transitions
from pipelint.engine.record_changes import Period, RecordChanges
from pipelint.engine.source import Source
from pipelint.rules.conditions import Condition, fields_in
from pipelint.rules.pack import Severity

Why: TypeAlias = Literal[
    "first run",
    "record",
    "related",
    "rules",
    "time",
    "grace",
    "waiver",
    "hidden",
    "renamed",
    "deleted",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason, as a word and in words."""

    why: Why
    text: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One transition of a rule on the record, and why, as far as that can be told."""

    event: Event
    severity: Severity | None
    day: date
    run: str
    pack_hash: str
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class _Recording:
    """What one run judged: by which pack, and with what knowledge."""

    id: int
    at: int
    pulled_at: int
    pack_hash: str


class Causes:
    """Explains what was recorded of one record."""

    def __init__(self, cache: Cache, source: Source, record: str) -> None:
        self.db = cache.db
        self.source = source
        self.key = (source.connection, source.compiled.kind)
        self.past = list(transitions(cache.db, *self.key, record))
        self.changes = RecordChanges(cache, source, record)
        self.moving = moving_facts(source.pack, source.compiled.kind)

    def of(self, rule: str) -> tuple[Happened, ...]:
        """What happened to one rule, in its order."""
        past = [each for each in self.past if each.rule == rule]
        return tuple(
            Happened(
                each.event,
                each.severity,
                each.day,
                each.run,
                each.pack_hash,
                tuple(self._causes(each, standing(past[:number]).get(rule), past[:number])),
            )
            for number, each in enumerate(past)
        )

    def _causes(self, each: Transition, before: Standing | None, past: list[Transition]) -> Iterator[Cause]:
        told = each.told
        if told.formerly:
            yield Cause("renamed", f"the rule was called {told.formerly} before")
        elif each.event == "gone":
            yield Cause("deleted", "the record was deleted, or merged into another")
        elif told.waiver is not None:
            snoozed = "snoozed in the CRM " if told.waiver.snoozed else ""
            yield Cause("waiver", f"{snoozed}until {told.waiver.until:%-d %b %Y}: {told.waiver.reason}")
        elif told.hidden_by:
            yield Cause("hidden", f"by {told.hidden_by}")
        elif before is not None and each.event not in ENDS and before.state != "flagged":
            yield from self._returned(each, before, past)
        else:
            yield from self._general(each)

    def _returned(self, each: Transition, before: Standing, past: list[Transition]) -> Iterator[Cause]:
        """Why nothing sets the flag aside any more."""
        waiver, hider = before.waiver, past[-1].told.hidden_by
        if before.state == "pending":
            yield Cause("grace", f"its time of grace is over; it was first seen on {past[-1].day:%-d %b %Y}")
        elif waiver is not None and waiver.until < each.day:
            what = "snooze" if waiver.snoozed else "waiver"
            yield Cause("waiver", f"its {what} ended on {waiver.until:%-d %b %Y}")
        elif waiver is not None:
            yield Cause("waiver", "nothing waives it any more")
        else:
            yield Cause("hidden", f"{hider} hides it no more" if hider else "nothing hides it any more")

    def _general(self, each: Transition) -> Iterator[Cause]:
        run = self._recording("run = ?", each.run)
        before = self._recording("id < ?", run.id) if run else None
        if run is None or before is None:
            yield Cause("first run", "it was so when pipelint first looked")
            return
        period = Period(before.pulled_at, run.at)
        conditions = list(self._conditions(each.rule))
        moved = self.changes.moved(conditions, period)
        related = self.changes.related(conditions, period)
        if self.changes.is_new(period):
            yield Cause("record", "the record is new")
        elif moved:
            yield Cause("record", f"the record changed: {', '.join(moved)}")
        elif related:
            yield Cause("related", f"what belongs to the record changed: {', '.join(related)}")
        rules_changed = run.pack_hash != before.pack_hash
        if rules_changed:
            yield Cause("rules", f"the rules changed (pack {before.pack_hash[:8]} → {run.pack_hash[:8]})")
        if moved or related or self.changes.is_new(period):
            return
        if self._looks_at_today(conditions):
            tests = [test for test in each.told.tests if test.value]
            said = "; ".join(f"{test.field} {test.value} {test.test}" for test in tests)
            passed = "or time passed" if rules_changed else "time passed"
            yield Cause("time", f"{passed}: {said}" if said else passed)
        elif not rules_changed:
            yield Cause("unknown", "what changed is not in the cache")

    def _recording(self, where: str, value: object) -> _Recording | None:
        query = f"""
            SELECT id, at, coalesce(pulled_at, at), pack_hash FROM recording
            WHERE connection = ? AND kind = ? AND {where} ORDER BY id DESC LIMIT 1
        """
        row = self.db.execute(query, (*self.key, value)).fetchone()
        return _Recording(*row) if row else None

    def _conditions(self, rule: str) -> Iterator[Condition]:
        """All that a rule looks at: scope, settings of segments and stages, the condition, what raises it."""
        for compiled in self.source.compiled.checks:
            if compiled.rule.name == rule:
                if compiled.check.scope is not None:
                    yield compiled.check.scope
                for branch in compiled.check.branches:
                    yield from (each for each in (branch.guard, branch.condition) if each is not None)
                    yield from (condition for _, condition in branch.raise_to)

    def _looks_at_today(self, conditions: list[Condition]) -> bool:
        return any(
            is_relative(condition) or any(field.name in self.moving for field in fields_in(condition))
            for condition in conditions
        )
