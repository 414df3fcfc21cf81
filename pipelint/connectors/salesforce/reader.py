"""From rows to records: a declaration fitted to what this user sees of the object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pipelint.connectors.salesforce.describe import SObjectInfo
from pipelint.connectors.salesforce.normalise import KINDS, READERS, Reading, event_ends, identity
from pipelint.connectors.salesforce.streams import SObject, Source
from pipelint.records import ActivityLink, Record

ALWAYS: Final = ("Id", "SystemModstamp")

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

    @property
    def sources(self) -> dict[str, Source]:
        """The canonical fields that can be delivered here."""
        return {
            name: source
            for name, source in self.sobject.fields.items()
            if all(api in source.or_none or self.info.sees(api) for api in source.api)
        }

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
        wanted = [
            *ALWAYS,
            *(api for source in self.sources.values() for api in source.api if self.info.sees(api)),
        ]
        wanted += [*self.sobject.links, *self.custom]
        wanted += [name for name in ("IsDeleted", self.sobject.drop, self.sobject.passing) if name]
        return tuple(dict.fromkeys(name for name in wanted if self.info.sees(name)))

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
            yield id_, [self.sobject.record(**values), *links]

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
        linked = [identity(row.get(name)) for name in self.sobject.links]
        return [ActivityLink(KINDS[one[:3]], one, id_) for one in linked if one and one[:3] in KINDS]


def _dig(row: dict[str, Any], path: list[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A value, through the nested parent where there is one (null when the lookup is empty)."""
    value: Any = row
    for step in path:
        value = value.get(step) if value is not None else None
    return value
