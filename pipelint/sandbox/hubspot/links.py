"""Associations between records: who is linked with whom, as what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from pipelint.sandbox.hubspot.association_types import PRIMARY, LinkType, LinkTypes, Pair
from pipelint.sandbox.hubspot.object_types import ObjectType
from pipelint.sandbox.hubspot.store import Store

Linked: TypeAlias = dict[int, list[tuple[int, list[LinkType]]]]
"""For each record the records linked with it, each with the types of the link."""


class Links:
    """Reads and writes links in either direction; each is kept once."""

    def __init__(self, store: Store, types: LinkTypes) -> None:
        self._store = store
        self.types = types

    def of(self, first: ObjectType, records: Sequence[int], second: ObjectType) -> Linked:
        """What is linked with these records, ordered by id; links of archived records are not shown."""
        pair, reverse = self.types.pair(first, second)
        ours, theirs = ("b", "a") if reverse else ("a", "b")
        known = {it.id: it for it in pair.types}
        found: Linked = defaultdict(list)
        marks = ", ".join("?" * len(records))
        rows = self._store.rows(
            f"SELECT {ours}, {theirs}, type FROM links"
            f" JOIN {first.name} AS ours ON ours.hs_object_id = {ours} AND NOT ours._archived"
            f" JOIN {second.name} AS theirs ON theirs.hs_object_id = {theirs} AND NOT theirs._archived"
            f" WHERE pair = ? AND {ours} IN ({marks}) ORDER BY {ours}, {theirs}, type",
            [pair.key, *records],
        )
        for ours_id, theirs_id, type_id in rows:
            others = found[ours_id]
            if not others or others[-1][0] != theirs_id:
                others.append((theirs_id, []))
            others[-1][1].append(known[type_id])
        return found

    def ids(self, first: ObjectType, record: int, second: ObjectType) -> list[int]:
        """The ids linked with one record."""
        return [it for it, _ in self.of(first, [record], second).get(record, [])]

    def add(
        self, first: ObjectType, a: int, second: ObjectType, b: int, labels: Iterable[LinkType] = ()
    ) -> None:
        """Link two records: plainly, and as what the labels say."""
        pair, reverse = self.types.pair(first, second)
        if reverse:
            a, b = b, a
        with self._store.transaction():
            for it in {pair.types[0], *labels}:
                if it.id in PRIMARY:
                    self._store.run(
                        "DELETE FROM links WHERE pair = ? AND a = ? AND type = ?", [pair.key, a, it.id]
                    )
                self._store.run("INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)", [pair.key, a, b, it.id])

    def remove(self, first: ObjectType, a: int, second: ObjectType, b: int) -> None:
        """Part two records, whatever linked them."""
        pair, reverse = self.types.pair(first, second)
        a, b = (b, a) if reverse else (a, b)
        self._store.run("DELETE FROM links WHERE pair = ? AND a = ? AND b = ?", [pair.key, a, b])

    def drop(self, kind: ObjectType, record: int) -> None:
        """Part a record from everything."""
        for pair, side in self._sides(kind):
            self._store.run(f"DELETE FROM links WHERE pair = ? AND {side} = ?", [pair.key, record])

    def move(self, kind: ObjectType, old: int, new: int) -> None:
        """Let another record have all links of this one."""
        for pair, side in self._sides(kind):
            self._store.run(
                f"UPDATE OR IGNORE links SET {side} = ? WHERE pair = ? AND {side} = ?", [new, pair.key, old]
            )
        self.drop(kind, old)

    def insert_many(
        self, first: ObjectType, second: ObjectType, rows: Iterable[tuple[int, int, int]]
    ) -> None:
        """Links in bulk: first record, second record, number of the type in this direction."""
        pair, _ = self.types.pair(first, second)
        self._store.insert_many(
            "links", ("pair", "a", "b", "type"), ((pair.key, a, b, type_id) for a, b, type_id in rows)
        )

    def _sides(self, kind: ObjectType) -> list[tuple[Pair, str]]:
        first, second = self.types.of(kind)
        return [*((it, "a") for it in first), *((it, "b") for it in second)]
