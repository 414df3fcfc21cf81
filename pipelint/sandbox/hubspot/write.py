"""Writing records: what is refused, what changes, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelint.sandbox.hubspot.check import Checks
from pipelint.sandbox.hubspot.derive import defaults, derive
from pipelint.sandbox.hubspot.errors import not_found
from pipelint.sandbox.hubspot.history import Source, Version
from pipelint.sandbox.hubspot.object_types import ACTIVITIES, COMPANIES, CONTACTS, DEALS, ObjectType
from pipelint.sandbox.hubspot.roll_up import roll_up
from pipelint.sandbox.hubspot.values import Row

if TYPE_CHECKING:
    from pipelint.sandbox.hubspot.portal import Portal

_ROLLED_UP = (DEALS, CONTACTS, COMPANIES)


class Writer:
    """Creates, changes, archives and merges, with stamps and history."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._store = portal.store
        self.checks = Checks(portal)

    def create(
        self, kind: ObjectType, sent: Mapping[str, object], source: Source, *, enforce: bool = False
    ) -> int:
        """A new record; `enforce` lets the conditional rules count. Answers its id."""
        at = self._portal.now()
        changes = self.checks.changes(kind, sent, None, enforce=enforce)
        row: Row = dict.fromkeys(self._store.columns(kind))
        pipelines = self._portal.pipelines.get(kind)
        row |= defaults(kind, pipelines)
        if kind in ACTIVITIES:
            row["hs_timestamp"] = at
        row |= changes
        row |= {
            "_archived": 0,
            kind.created: at,
            kind.modified: at,
            "hs_created_by_user_id": None if source.user is None else str(source.user),
            "hs_updated_by_user_id": None if source.user is None else str(source.user),
        }
        with self._store.transaction():
            [record] = self._store.reserve(kind)
            row["hs_object_id"] = record
            derive(kind, None, row, at, pipelines)
            self._remember(kind, record)
            self._store.insert(kind, {name: value for name, value in row.items() if value is not None})
            if source.user is None:
                made = [Version(record, name, at, row[name], source) for name in changes]
                self._portal.history.add_many(kind, made)
        return record

    def update(
        self,
        kind: ObjectType,
        record: int,
        sent: Mapping[str, object],
        source: Source,
        *,
        enforce: bool = False,
    ) -> Row:
        """Change a record, and answer it as it is now."""
        before = self._store.get(kind, record)
        if before is None:
            raise not_found()
        return self.apply(kind, before, self.checks.changes(kind, sent, before, enforce=enforce), source)

    def apply(self, kind: ObjectType, before: Row, changes: Row, source: Source) -> Row:
        """Carry out changes that were checked; the stamp moves even when no value does."""
        at, record = self._portal.now(), int(before["hs_object_id"] or 0)
        after = before | changes
        after[kind.modified] = at
        after["hs_updated_by_user_id"] = None if source.user is None else str(source.user)
        with self._store.transaction():
            derive(kind, before, after, at, self._portal.pipelines.get(kind))
            self._remember(kind, record)
            for name, value in changes.items():
                if value != before[name]:
                    self._portal.history.change(kind, before, name, value, at, source)
            if moved := {it: after[it] for it in after if after[it] != before[it]}:
                self._store.update(kind, record, moved)
            if kind in ACTIVITIES:
                self._renew_targets(kind, record)
        return after

    def archive(self, kind: ObjectType, record: int) -> None:
        """Into the recycle bin: the record is in no list and no search, and nothing is linked with it."""
        if self._store.get(kind, record) is not None:
            targets = self._targets(kind, record)
            self._remember(kind, record)
            self._store.update(kind, record, {"_archived": 1, "_archived_at": self._portal.now()})
            self._renew(targets)

    def restore(self, kind: ObjectType, record: int) -> None:
        """Out of the recycle bin, links and all; the stamp moves."""
        if self._store.get(kind, record, archived=True) is None:
            raise not_found()
        self._remember(kind, record)
        at = self._portal.now()
        self._store.update(kind, record, {"_archived": 0, "_archived_at": None, kind.modified: at})
        self._renew_targets(kind, record)

    def purge(self, kind: ObjectType, record: int) -> None:
        """Gone without a trace."""
        targets = self._targets(kind, record)
        self._remember(kind, record)
        self._portal.links.drop(kind, record)
        self._store.remove(kind, record)
        self._renew(targets)

    def merge(self, kind: ObjectType, primary: int, other: int, source: Source) -> int:
        """Two deals become a third one; of two contacts or companies the first survives (fact sheet §5)."""
        rows = [self._store.get(kind, it) for it in (primary, other)]
        kept, lost = rows
        if kept is None or lost is None or primary == other:
            raise not_found()
        values = {it: kept[it] if kept[it] is not None else lost[it] for it in kept}
        names = [str(primary), str(other)] if kind is DEALS else [str(other)]
        earlier = [
            it for row in (kept, lost) for it in str(row["hs_merged_object_ids"] or "").split(";") if it
        ]
        at = self._portal.now()
        with self._store.transaction():
            [survivor] = self._store.reserve(kind) if kind is DEALS else [primary]
            gone = [primary, other] if kind is DEALS else [other]
            values |= {
                "hs_object_id": survivor,
                kind.modified: at,
                "hs_merged_object_ids": ";".join([*names, *earlier]),
            }
            for it in (*gone, survivor):
                self._remember(kind, it)
            self._portal.history.move(kind, primary, survivor)
            for it in gone:
                self._portal.links.move(kind, it, survivor)
                self._store.remove(kind, it)
                self._store.run(
                    "UPDATE merged SET new = ? WHERE kind = ? AND new = ?", [survivor, kind.name, it]
                )
                self._store.run("INSERT INTO merged VALUES (?, ?, ?)", [kind.name, it, survivor])
            self._store.insert(kind, values)
            self._portal.history.add_many(
                kind, [Version(survivor, "hs_merged_object_ids", at, values["hs_merged_object_ids"],
                               Source("MERGE_OBJECTS", source.id, source.user))]
            )  # fmt: skip
            self._renew([(kind, survivor)])
            self._count_contacts(kind, survivor)
        return survivor

    def linked(self, first: ObjectType, a: int, second: ObjectType, b: int) -> None:
        """Two records were linked or parted: renew what they say about each other."""
        if first in ACTIVITIES:
            self._renew([(second, b)])
        elif second in ACTIVITIES:
            self._renew([(first, a)])
        self._count_contacts(first, a)
        self._count_contacts(second, b)

    def survivor(self, kind: ObjectType, record: int) -> int:
        """The record that this one was merged into, or itself."""
        found = self._store.rows("SELECT new FROM merged WHERE kind = ? AND old = ?", [kind.name, record])
        return int(found[0][0]) if found else record

    def _count_contacts(self, kind: ObjectType, record: int) -> None:
        if kind is DEALS:
            count = len(self._portal.links.ids(DEALS, record, CONTACTS))
            self._store.update(DEALS, record, {"num_associated_contacts": str(count)})

    def _targets(self, kind: ObjectType, record: int) -> list[tuple[ObjectType, int]]:
        if kind not in ACTIVITIES:
            return []
        return [(it, other) for it in _ROLLED_UP for other in self._portal.links.ids(kind, record, it)]

    def _renew_targets(self, kind: ObjectType, record: int) -> None:
        self._renew(self._targets(kind, record))

    def _renew(self, targets: list[tuple[ObjectType, int]]) -> None:
        """Renew the activity summaries; unlike links themselves they move the stamp (fact sheet §5)."""
        now = self._portal.now()
        for kind, record in targets:
            if kind in _ROLLED_UP:
                before = self._store.get(kind, record)
                fresh = roll_up(self._store, self._portal.links, kind, record, now)
                if before is not None and any(before[name] != value for name, value in fresh.items()):
                    self._remember(kind, record)
                    self._store.update(kind, record, {**fresh, kind.modified: now})

    def _remember(self, kind: ObjectType, record: int) -> None:
        """Let the search index lag behind."""
        lag, now = int(self._portal.index_lag.total_seconds() * 1000), self._portal.now()
        if lag:
            self._store.remember(kind, record, now, now + lag)
