"""The deals that a pull saw, all or those that changed: what hangs on deals is asked for by their ids."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pipelint.connectors.hubspot.answers import Row
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.normalise import instant, milliseconds
from pipelint.connectors.hubspot.pull import Cursor
from pipelint.connectors.hubspot.readers import STAMP
from pipelint.connectors.hubspot.search import Place, changed
from pipelint.records import Stream


@dataclass(slots=True)
class _Pass:
    """The deals that changed from one moment to another; `served` are the streams that have had them."""

    since: datetime
    until: datetime
    deals: dict[str, None] = field(default_factory=dict)
    whole: bool = False
    served: set[Stream] = field(default_factory=set)


@dataclass(slots=True)
class AllDeals:
    """All deals at a moment, in the order of their ids; 16 bytes for each, for there may be a million.

    `changed` is when a closed deal last changed, in milliseconds; an open one counts as changing all the time.
    """

    until: datetime
    ids: array[int] = field(default_factory=lambda: array("Q"))
    changed: array[int] = field(default_factory=lambda: array("Q"))
    done: bool = False

    def add(self, rows: Sequence[Row]) -> None:
        self.ids.extend(int(row.id) for row in rows)
        self.changed.extend(map(_changed, rows))

    def listed(self, after: str, closed_since: datetime | None) -> Iterator[str]:
        """The ids beyond one; of closed deals only those that changed since a moment, where there is one."""
        reached, first = int(after), milliseconds(closed_since) if closed_since else 0
        for id_, at in zip(self.ids, self.changed, strict=True):
            if id_ > reached and at >= first:
                yield str(id_)


_ALWAYS: Final = 2**64 - 1


def _changed(row: Row) -> int:
    at = instant(row.properties.get(STAMP)) if row.properties.get("hs_is_closed") == "true" else None
    return milliseconds(at) if at else _ALWAYS


class ChangedDeals:
    """The ids of deals that changed since a moment, as the deals' own pull told in this run, or as searched now.

    One pass serves every stream that hangs on deals, each of them once: one that is pulled again by itself is to
    see what happened since.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: _Pass | None = None
        self._all: AllDeals | None = None

    def note(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Remember a page of a pass."""
        if cursor.since is None:
            self._told = None
            if self._all is None or self._all.until != cursor.until:
                self._all = AllDeals(cursor.until)
            self._all.add(rows)
            self._all.done = cursor.done
            return
        if self._told is None or self._told.until != cursor.until:
            self._told = _Pass(cursor.since, cursor.until)
        self._told.deals |= dict.fromkeys(row.id for row in rows)
        self._told.whole = cursor.done

    def everything(self) -> AllDeals | None:
        """All deals, where this run's own pull told them from beginning to end; given out once."""
        told, self._all = self._all, None
        return told if told is not None and told.done else None

    def since(self, moment: datetime, stream: Stream) -> tuple[datetime, list[str]]:
        """When the answer was true, and the deals that changed since `moment`, and perhaps some more."""
        told = self._told
        if told is not None and told.whole and told.since <= moment and stream not in told.served:
            told.served.add(stream)
            return told.until, list(told.deals)
        return self._client.now(), list(dict.fromkeys(row.id for row in self._searched(moment)))

    def _searched(self, moment: datetime) -> Iterator[Row]:
        for rows, _ in changed(self._client, "deals", STAMP, [STAMP], Place(milliseconds(moment))):
            yield from rows
