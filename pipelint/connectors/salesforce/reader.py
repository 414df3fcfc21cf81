"""From rows to records: a declaration fitted to what this user sees of the object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pipelint.connectors.salesforce.describe import SObjectInfo
from pipelint.connectors.salesforce.normalise import KINDS, READERS, Reading, event_ends, identity
from pipelint.connectors.salesforce.sobject import SObject, Source
from pipelint.records import ActivityLink, Record

MASTER_RECORD: Final = "MasterRecordId"
"""On a record that was merged away: the one that stayed."""

_Plain: TypeAlias = tuple[str, Callable[..., Any], str]
_Composed: TypeAlias = tuple[str, Callable[..., Any], list[list[str]], bool]


@dataclass(frozen=True, slots=True)
class Reader:
    """Knows the columns to select, and turns a row into records."""

    sobject: SObject
    info: SObjectInfo
    custom: tuple[str, ...]
    """Wanted custom fields that this user sees and that can be read."""
    base_url: str
    currency: str | None = None
    """The org's currency, where it has only one."""
    companions: frozenset[str] = frozenset()
    """The objects that go with this one and are visible."""
    hidden: frozenset[str] = frozenset()
    """Relationships to objects that are not."""

    @property
    def sources(self) -> dict[str, Source]:
        """The canonical fields that can be delivered here."""
        return {
            name: source
            for name, source in self.sobject.fields.items()
            if all(api in source.or_none | source.one_of or self._sees(api) for api in source.api)
            and (not source.one_of or any(map(self._sees, source.one_of)))
        }

    def _sees(self, api: str) -> bool:
        return self._is_column(api) or api.partition(".")[0] in self.companions

    def _is_column(self, api: str) -> bool:
        return self.info.sees(api) and api.partition(".")[0] not in self.hidden

    @property
    def supplied(self) -> frozenset[str]:
        names = set(self.sources)
        if self.sobject.kind:
            names.add("url")
        if self.currency:
            names.add("currency")
        return frozenset(names)

    @property
    def can_be_deleted(self) -> bool:
        return self.info.sees("IsDeleted")

    @property
    def columns(self) -> tuple[str, ...]:
        """What to select, each once: a duplicate is an error (fact sheet §3)."""
        wanted = ["Id", self.sobject.stamp]
        wanted += [api for source in self.sources.values() for api in source.api]
        wanted += [*self.sobject.links, *self.custom, *(each.asked_if for each in self.sobject.companions)]
        wanted += ["IsDeleted", MASTER_RECORD, self.sobject.drop, self.sobject.passing]
        return tuple(dict.fromkeys(name for name in wanted if name and self._is_column(name)))

    @property
    def booleans(self) -> frozenset[str]:
        """The columns that are checkboxes: in the Bulk API everything is text."""
        return frozenset(
            name for name in self.columns if "." not in name and self.info.by_name[name].type == "boolean"
        )

    def merged(self, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Records that were merged away → those that they went into."""
        pairs = ((identity(row["Id"]), identity(row.get(MASTER_RECORD))) for row in rows)
        return {loser: winner for loser, winner in pairs if loser and winner}

    def records(self, rows: Sequence[dict[str, Any]], reading: Reading) -> Iterator[tuple[str, list[Record]]]:
        """For each row its id and its records: none where it is deleted or left out."""
        plain, composed = self._split()
        custom = [(name, READERS[self.info.by_name[name].type]) for name in self.custom]
        fixed = {"currency": self.currency} if self.currency else {}
        for row in rows:
            id_ = str(identity(row["Id"]))
            left_out = row.get("IsDeleted") or (self.sobject.drop and row.get(self.sobject.drop))
            links = [] if left_out else self._links(id_, row)
            if left_out or (self.sobject.links and not links):
                yield id_, []
                continue
            values: dict[str, Any] = dict(fixed)
            for name, read, api in plain:
                values[name] = read(row.get(api))
            for name, read, paths, timed in composed:
                given = [_dig(row, path) for path in paths]
                values[name] = read(reading, *given) if timed else read(*given)
            if self.sobject.kind:
                values["url"] = f"{self.base_url}/lightning/r/{self.sobject.name}/{id_}/view"
            if custom:
                values["custom"] = {name: read(row.get(name)) for name, read in custom}
            record = self.sobject.record(**values)
            yield id_, [] if record is None else [record, *links]

    def _split(self) -> tuple[list[_Plain], list[_Composed]]:
        """Sources that are one column as it is, which is most of them, apart from the others."""
        plain: list[_Plain] = []
        composed: list[_Composed] = []
        for name, source in self.sources.items():
            if len(source.api) == 1 and not source.timed and "." not in source.api[0]:
                plain.append((name, source.read, source.api[0]))
            else:
                paths = [api.split(".") for api in source.api]
                composed.append((name, source.read, paths, source.timed))
        return plain, composed

    def passed(self, row: dict[str, Any], since: Reading, now: Reading) -> bool:
        """Whether an event has ended between two readings."""
        ends = event_ends(now, row.get(self.sobject.passing), row.get("IsAllDayEvent"))
        return ends is not None and since.now < ends <= now.now

    def _links(self, id_: str, row: dict[str, Any]) -> list[Record]:
        """The records that an activity is about, of the kinds we follow."""
        linked = [row.get(name) for name in self.sobject.links]
        linked += [
            other[companion.column]
            for companion in self.sobject.companions
            if companion.link
            for other in row.get(companion.name, ())
        ]
        ids = dict.fromkeys(identity(one) for one in linked)
        return [ActivityLink(KINDS[one[:3]], one, id_) for one in ids if one and one[:3] in KINDS]


def _dig(row: dict[str, Any], path: list[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A value, through the nested parent where there is one (null when the lookup is empty)."""
    value: Any = row
    for step in path:
        if isinstance(value, list):  # of companions, which say the same
            value = value[0]
        value = value.get(step) if value is not None else None
    return value
