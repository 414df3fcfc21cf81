"""The history of properties: every value with its moment and where it came from (fact sheet §7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelint.sandbox.hubspot.moments import iso
from pipelint.sandbox.hubspot.object_types import CONTACTS, ObjectType
from pipelint.sandbox.hubspot.property import Property
from pipelint.sandbox.hubspot.store import HISTORY, Store, history_of
from pipelint.sandbox.hubspot.values import Row, Value, told

VERSIONS, VERSIONS_OF_CONTACTS = 20, 45
"""So many of the latest values are told; older ones are missing."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who or what wrote a value: `CRM_UI` with a user, `INTEGRATION`, `IMPORT`, `AUTOMATION_PLATFORM`, …"""

    type: str
    id: str = ""
    user: int | None = None


CALCULATED = Source("CALCULATED")


@dataclass(frozen=True, slots=True)
class Version:
    """One value of one property of a record."""

    record: int
    property: str
    at: int
    value: Value
    source: Source

    def row(self) -> tuple[Value, ...]:
        it = self.source
        return self.record, self.property, self.at, self.value, it.type, it.id, it.user


class History:
    """Keeps what changed; a property that never did has one version, made together with its record."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_many(self, kind: ObjectType, versions: Iterable[Version]) -> None:
        self._store.insert_many(history_of(kind), HISTORY, (it.row() for it in versions))

    def move(self, kind: ObjectType, old: int, new: int) -> None:
        """Let the record that came out of a merger have the history of this one."""
        self._store.run(f"UPDATE {history_of(kind)} SET record = ? WHERE record = ?", [new, old])

    def change(self, kind: ObjectType, before: Row, name: str, value: Value, at: int, source: Source) -> None:
        """A further value; the first one is written down with it when this is the first change."""
        record = int(before["hs_object_id"] or 0)
        versions = [Version(record, name, at, value, source)]
        known = self._store.scalar(
            f"SELECT count(*) FROM {history_of(kind)} WHERE record = ? AND property = ?", [record, name]
        )
        if not known and before[name] is not None:
            versions.insert(0, Version(record, name, _created(kind, before), before[name], _creator(before)))
        self.add_many(kind, versions)

    def told(
        self, kind: ObjectType, rows: Sequence[Row], properties: Sequence[Property]
    ) -> dict[int, dict[str, list[dict[str, object]]]]:
        """For each record and property its versions, the newest first."""
        found: defaultdict[tuple[int, str], list[Version]] = defaultdict(list)
        records = [int(row["hs_object_id"] or 0) for row in rows]
        marks = ", ".join("?" * len(records))
        names = ", ".join("?" * len(properties))
        for it in self._store.rows(
            f"SELECT * FROM {history_of(kind)} WHERE record IN ({marks}) AND property IN ({names})"
            " ORDER BY record, property, at DESC, rowid DESC",
            [*records, *(it.name for it in properties)],
        ):
            source = Source(it["source"], it["source_id"], it["user"])
            found[it["record"], it["property"]].append(
                Version(it["record"], it["property"], it["at"], it["value"], source)
            )
        cap = VERSIONS_OF_CONTACTS if kind is CONTACTS else VERSIONS
        answer: dict[int, dict[str, list[dict[str, object]]]] = {}
        for record, row in zip(records, rows, strict=True):
            answer[record] = {}
            for definition in properties:
                versions = found[record, definition.name] or _only(kind, definition, row)
                answer[record][definition.name] = [_json(definition, version) for version in versions[:cap]]
        return answer


def _only(kind: ObjectType, definition: Property, row: Row) -> list[Version]:
    """The one version of a property that never changed; none where it never had a value."""
    value = row[definition.name]
    if value is None:
        return []
    source = CALCULATED if definition.calculated else _creator(row)
    return [Version(int(row["hs_object_id"] or 0), definition.name, _created(kind, row), value, source)]


def _json(definition: Property, version: Version) -> dict[str, object]:
    document: dict[str, object] = {
        "value": told(definition, version.value) or "",  # a cleared value is the empty text here
        "timestamp": iso(version.at),
        "sourceType": version.source.type,
        "sourceId": version.source.id,
    }
    if version.source.user is not None:
        document["updatedByUserId"] = version.source.user
    return document


def _created(kind: ObjectType, row: Row) -> int:
    return int(row[kind.created] or 0)


def _creator(row: Row) -> Source:
    """Whoever made the record: a user in the CRM's own screens, or an integration."""
    user = row["hs_created_by_user_id"]
    return Source("INTEGRATION") if user is None else Source("CRM_UI", f"userId:{user}", int(user))
