"""Plans what is to be written into a CRM: only values that differ from what it holds, and only where there is cause.

There is cause when the flags of a record, a severity, a grade, or the data behind a text moved (architecture §6).
What we know to be shown there need not be read again; the rest is read first, so that nothing is written that is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from pipelint.connectors.base import Connector, WriteValue
from pipelint.engine import refusals
from pipelint.engine import shown as memory
from pipelint.engine.basis import bases
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.finding import Finding
from pipelint.engine.own_fields import own_fields
from pipelint.engine.plan import Plan, PlannedChange, PlannedRecord
from pipelint.engine.rationed import urgency
from pipelint.engine.scope import Member, Scope, elsewhere, in_scope
from pipelint.engine.scores import unscored
from pipelint.engine.shown import Shown
from pipelint.engine.source import Source
from pipelint.engine.targets import Targets
from pipelint.engine.values import Plain, plain
from pipelint.engine.written import Part, parts_of
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.scores import grade_key

_READ = 2000


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a record should show, and what we know that it shows."""

    member: Member
    parts: tuple[Part, ...]
    values: Mapping[str, WriteValue]
    before: Shown | None
    scored: Mapping[str, int | str | None]

    @property
    def plain(self) -> dict[str, Plain]:
        return {name: plain(value) for name, value in self.values.items()}


class Planner:
    """Plans for one kind of record, of those in `temp.chosen`.

    A preview shows fields that setup has yet to create, too. `retry_refused` plans once more what was refused.
    `most` is how many records may be written at all: the others are not even read, for that costs, too.
    """

    def __init__(
        self,
        plan: Plan,
        cache: Cache,
        connector: Connector,
        source: Source,
        scope: Scope,
        *,
        preview: bool,
        retry_refused: bool = False,
        most: int | None = None,
    ) -> None:
        self.into = plan
        self.most = most
        self.retry_refused = retry_refused
        self.cache = cache
        self.source = source
        self.scope = scope
        self.kind: RecordKind = source.compiled.kind
        self.key = (source.connection, self.kind)
        own = own_fields(source.pack, source.connection, source.crm, self.kind)
        self.targets = Targets(connector, self.kind, own, preview=preview)
        language = source.pack.settings.languages[0]
        rules = source.pack.live_rules(self.kind)
        self.titles = {rule.name: rule.title.say(language) for rule in rules if rule.status == "on"}
        self.show_at_most = source.pack.settings.show_at_most
        self.unscored = unscored(source)
        self.clean = self.targets.values((), self.show_at_most, self.unscored)
        grades = {grade_key(score.name) for score in source.pack.live_scores(self.kind)}
        self.grades = tuple(own.name for own in self.targets.fields if own.key in grades)
        self.flags = next((own.name for own in self.targets.fields if own.key == "flags"), "")
        self.today = source.compiled.moment.local_date
        self.refused = refusals.standing(cache.db, *self.key)
        self.refused_members: set[str] = set()
        self.differing: list[_Wanted] = []
        self.learned: list[tuple[str, Shown]] = []
        self.owed: dict[str, str] = {}

    @property
    def basis(self) -> str:
        """What the plan rests on beside the records."""
        return repr((self.targets.offered, self.scope, [own.name for own in self.targets.fields]))

    def look(self, judged: Iterable[tuple[str, Sequence[Finding]]]) -> None:
        """Find the records that may not show what they should; `judged` are those with findings, by id."""
        db = self.cache.db
        memory.forget_deleted(db, *self.key)
        members = in_scope(db, self.source, self.scope) if self.targets.fields else iter(())
        for member, found in _side_by_side(members, judged):
            self.into.in_scope += 1
            if member.id in self.refused:
                self.refused_members.add(member.id)
            wanted = self.wanted(member, found)
            if self.is_shown(wanted):
                self.leave(wanted)
                self.into.unchanged += 1
                self.learn(wanted)
            else:
                self.differing.append(wanted)
        if not self.targets.fields:
            return
        rest = elsewhere(db, self.source, self.scope)
        self.into.in_scope += rest.all
        self.into.unchanged += rest.all - rest.waiting - rest.owed
        self.into.deferred += rest.waiting
        self.into.written_before += rest.ours
        self.into.held_back[self.kind] += rest.owed
        self.into.held_back_again += rest.owed_ours

    def learn(self, wanted: _Wanted) -> None:
        """Values that an undo brought back came without the flags that they tell."""
        before = wanted.before
        if before is not None and before.parts != wanted.parts:
            self.learned.append((wanted.member.id, Shown(before.fields, wanted.parts, before.basis)))

    def plan(self) -> None:
        """Compare these with what the CRM holds."""
        basis = bases(self.cache, self.source, (wanted.member.id for wanted in self.differing))
        with_cause = [wanted for wanted in self.differing if self.has_cause(wanted, basis)]
        remaining = iter(self.rationed([wanted for wanted in with_cause if not self.is_refused(wanted)]))
        while batch := list(islice(remaining, _READ)):
            self.compare(batch, basis)
        self.lift()
        self.into.trouble += self.targets.trouble

    def rationed(self, differing: list[_Wanted]) -> list[_Wanted]:
        """The most urgent of them, as many as may be written; the others are carried over."""
        if self.most is None:
            return differing
        differing.sort(
            key=lambda w: urgency(w.parts, w.before.parts if w.before else (), w.member.value, w.member.id)
        )
        for wanted in differing[self.most :]:
            self.owed[wanted.member.id] = "write"
            self.into.held_back[self.kind] += 1
            ours = wanted.before is not None and wanted.before.ours
            self.into.held_back_again += ours
            self.leave(wanted)
        return differing[: self.most]

    def remember(self, db: sqlite3.Connection) -> None:
        """Keep what was learned, and what is to be looked at again though nothing moves."""
        memory.save(db, *self.key, self.learned)
        memory.forget_fields(db, *self.key, self.targets.absent)
        db.execute(
            "DELETE FROM owed WHERE connection = ? AND kind = ? AND record IN (SELECT record FROM temp.chosen)",
            self.key,
        )
        owed = [(*self.key, record, why) for record, why in self.owed.items()]
        db.executemany("INSERT OR REPLACE INTO owed VALUES (?, ?, ?, ?)", owed)

    def wanted(self, member: Member, found: Iterable[Finding]) -> _Wanted:
        before = member.before
        parts = parts_of(found, before.parts if before else (), self.titles, self.today)
        scored = self.unscored if member.scored is None else member.scored
        # Many records are clean, and clean ones without a score are all alike.
        plain_ = not parts and scored == self.unscored
        lacked = self.targets.lacked
        values = self.clean if plain_ else self.targets.values(parts, self.show_at_most, scored)
        if self.targets.lacked > lacked:
            self.owed[member.id] = "lack"
        return _Wanted(member, parts, values, before, scored)

    def is_shown(self, wanted: _Wanted) -> bool:
        """Whether we know that the CRM shows this already."""
        before = wanted.before
        if before is None or any(name not in before.fields for name in self.targets.names):
            return False
        return self.fits(wanted, before.fields)

    def fits(self, wanted: _Wanted, fields: Mapping[str, Plain]) -> bool:
        """Whether nothing is to be written: no difference, or nothing to tell of a record that shows nothing."""
        told = bool(wanted.parts) or any(value is not None for value in wanted.scored.values())
        if not told and not any(fields.get(name) for name in self.targets.names):
            return True
        return all(plain(value) == fields.get(name) for name, value in wanted.values.items())

    def has_cause(self, wanted: _Wanted, basis: Mapping[str, str]) -> bool:
        before = wanted.before
        if before is None or any(name not in before.fields for name in self.targets.names):
            return True
        same = _signature(before.parts) == _signature(wanted.parts) and all(
            plain(wanted.values[name]) == before.fields.get(name)
            for name in self.grades
            if name in wanted.values
        )
        if same and not self.offers_more(wanted, before) and before.basis == basis.get(wanted.member.id, ""):
            self.leave(wanted)
            self.into.deferred += 1
            self.owed.setdefault(wanted.member.id, "wait")
            return False
        return True

    def offers_more(self, wanted: _Wanted, before: Shown) -> bool:
        """Whether a flag can be told that had no option when it came."""
        told, shows = wanted.plain.get(self.flags), before.fields.get(self.flags)
        return isinstance(told, list) and not set(told) <= set(shows if isinstance(shows, list) else ())

    def is_refused(self, wanted: _Wanted) -> bool:
        refusal = self.refused.get(wanted.member.id)
        if (
            refusal is None
            or self.retry_refused
            or not refusal.still_holds(wanted.member.modified_at, wanted.plain)
        ):
            return False
        self.leave(wanted)
        self.into.refused.append(refusal)
        return True

    def lift(self) -> None:
        """A refusal ends when what was refused is not wanted any more."""
        wanted = {refusal.id for refusal in self.into.refused} | {record.id for record in self.into.records}
        with self.cache.transaction() as db:
            for record in self.refused_members - wanted:
                refusals.lift(db, *self.key, record)

    def leave(self, wanted: _Wanted) -> None:
        """A record that stays as it is still counts among those that we have written to."""
        before = wanted.before
        self.into.written_before += before is not None and before.ours

    def compare(self, batch: Sequence[_Wanted], basis: Mapping[str, str]) -> None:
        """Read what the CRM holds, remember it, and plan what differs."""
        ids = [wanted.member.id for wanted in batch]
        current: dict[str, Mapping[str, WriteValue]] = {record: {} for record in ids}
        if self.targets.names:
            current = dict(self.targets.connector.read(self.kind, ids, self.targets.names))
        learned = []
        for wanted in batch:
            record = wanted.member.id
            if record not in current:  # deleted since the pull
                self.owed[record] = "write"
                continue
            fields = {name: plain(value) for name, value in current[record].items()}
            # Without a basis there is cause again in every run until this is written, whatever comes between.
            holds = Shown(fields, wanted.before.parts if wanted.before else ())
            self.into.written_before += holds.ours
            if self.fits(wanted, fields):
                self.into.unchanged += 1
                learned.append((record, Shown(fields, wanted.parts, basis.get(record, ""))))
            else:
                learned.append((record, holds))
                self.owed[record] = "write"
                self.into.records.append(self.planned(wanted, current[record], holds, basis.get(record, "")))
        with self.cache.transaction() as db:
            memory.save(db, *self.key, learned)

    def planned(
        self, wanted: _Wanted, current: Mapping[str, WriteValue], holds: Shown, basis: str
    ) -> PlannedRecord:
        member = wanted.member
        changes = tuple(
            PlannedChange(
                self.source.connection, self.kind, member.id, member.name, name, current.get(name), value
            )
            for name, value in wanted.values.items()
            if plain(value) != plain(current.get(name))
        )
        shows = Shown({**holds.fields, **wanted.plain}, wanted.parts, basis)
        return PlannedRecord(
            kind=self.kind,
            id=member.id,
            group=member.group,
            modified_at=member.modified_at,
            changes=changes,
            wanted=wanted.plain,
            holds=holds,
            shows=shows,
            written_before=holds.ours,
            value=member.value,
        )


def _signature(parts: Iterable[Part]) -> list[tuple[str, str, date]]:
    return [(part.rule, part.severity, part.since) for part in parts]


def _side_by_side(
    members: Iterable[Member], judged: Iterable[tuple[str, Sequence[Finding]]]
) -> Iterator[tuple[Member, Sequence[Finding]]]:
    """Every member with its findings, both by id; all that is judged is gone through."""
    remaining = iter(judged)
    ahead = next(remaining, None)
    for member in members:
        while ahead is not None and ahead[0] < member.id:
            ahead = next(remaining, None)
        yield member, ahead[1] if ahead is not None and ahead[0] == member.id else ()
    for _ in remaining:
        pass
