"""The deals that a pull saw, in brief: what hangs on a deal is asked for only where the deal says it moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.normalise import identity, instant, stamp
from pipelint.connectors.pipedrive.pull import Cursor, instant_text
from pipelint.records import Stream

COUNTS: Final = "participants_count,products_count"
"""What a list of deals tells when asked for it; without, each deal would cost a call."""


class Brief(NamedTuple):
    """What later streams need to know of a deal."""

    id: str
    open: bool
    deleted: bool
    created_at: datetime | None
    changed_at: datetime
    moved_at: datetime | None
    """The last change of its stage, or its end."""
    stage: str | None
    value: str
    person: str | None
    participants: int
    products: int


def brief(row: Row) -> Brief:
    """A deal's row in brief."""
    closed = row.get("won_time") or row.get("lost_time") or row.get("close_time")
    moves = [instant(row.get("stage_change_time")), instant(closed)]
    return Brief(
        id=str(row["id"]),
        open=row.get("status") == "open",
        deleted=bool(row.get("is_deleted")),
        created_at=instant(row.get("add_time")),
        changed_at=stamp(row),
        moved_at=max((at for at in moves if at), default=None),
        stage=identity(row.get("stage_id")),
        value=str(row.get("value")),
        person=identity(row.get("person_id")),
        participants=row.get("participants_count") or 0,
        products=row.get("products_count") or 0,
    )


@dataclass(slots=True)
class _Pass:
    """The deals that changed from one moment to another; `served` are the streams that have had them."""

    since: datetime
    until: datetime
    deals: list[Brief] = field(default_factory=list)
    whole: bool = False
    served: set[Stream] = field(default_factory=set)


class Moved:
    """The deals that changed since a moment, as the list of deals told in this run, or as asked for now.

    One pass of the opportunities serves every stream that hangs on them, each of them once: one that is pulled
    again by itself is to see what happened since.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: _Pass | None = None

    def note(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Remember a page of a pass for changes; a pass of everything is not remembered."""
        if cursor.since is None:
            self._told = None
            return
        if self._told is None or self._told.until != cursor.until:
            self._told = _Pass(cursor.since, cursor.until)
        self._told.deals += map(brief, rows)
        self._told.whole = cursor.done

    def since(self, moment: datetime, stream: Stream) -> tuple[datetime, Iterator[Sequence[Brief]]]:
        """When the answer was true, and the deals that changed since `moment`, in pages."""
        told = self._told
        if told is not None and told.whole and told.since <= moment and stream not in told.served:
            told.served.add(stream)
            return told.until, iter([[deal for deal in told.deals if deal.changed_at >= moment]])
        params = {"status": "open,won,lost,deleted", "updated_since": instant_text(moment)}
        return self._client.now(), self._asked(params)

    def everything(self) -> tuple[datetime, Iterator[Sequence[Brief]]]:
        """When the answer was true, and all deals, in pages."""
        return self._client.now(), self._asked({"status": "open,won,lost"})

    def _asked(self, params: Mapping[str, str]) -> Iterator[Sequence[Brief]]:
        asked = {"sort_by": "id", "include_fields": COUNTS, **params}
        for page in self._client.pages(e.DEALS, name="the deals", params=asked):
            yield [brief(row) for row in page.rows]
