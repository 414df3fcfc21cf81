"""What properties of deals were before: stage changes, and changes of the fields that rules look back on.

Both streams come out of one answer of HubSpot's, fifty deals at a time; so what the first reads for the second is
kept on the disk until that one is pulled. A value that was entered later than the deal was made has no version
before it: that is a change from nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from itertools import islice, pairwise
from typing import IO, Final, TypeAlias

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.hubspot import normalise as n
from pipelint.connectors.hubspot.answers import Change, Row
from pipelint.connectors.hubspot.changed import ChangedDeals
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.pull import Cursor, batch_read, next_pass
from pipelint.records import FieldChange, Record, StageChange, Stream

People: TypeAlias = Mapping[str, str]
"""The owners by the ids that they have as users."""

AT_ONCE: Final = 50
"""The most records that an answer with history may hold."""

SOURCES: Final = {
    "CRM_UI": "user",
    "CRM_UI_BULK_ACTION": "user",
    "MOBILE_IOS": "user",
    "MOBILE_ANDROID": "user",
    "IMPORT": "import",
    "API": "api",
    "INTEGRATION": "api",
    "AUTOMATION_PLATFORM": "workflow",
    "WORKFLOWS": "workflow",
    "CALCULATED": "workflow",
    "MERGE_OBJECTS": "merge",
}
"""How a value came about, in our words; others are told as they come (the set is open)."""

KEPT: Final = 20
"""So many versions of a property HubSpot keeps: the oldest of them need not be its first."""

_AT_BIRTH: Final = timedelta(minutes=1)
"""Values that come so soon after the deal's oldest ones were entered with it."""

MONTHLY: Final = timedelta(days=30)
"""All histories are read anew so often, in case the search passed over a deal: a call for each fifty deals."""

_PAGE: Final = 1000


class Histories:
    """The two streams of deals' histories; `zone` is where dates that travel as instants are meant."""

    def __init__(
        self,
        client: Client,
        deals: ChangedDeals,
        zone: Callable[[], tzinfo],
        people: Callable[[], People],
    ) -> None:
        self._client = client
        self._deals = deals
        self._zone = zone
        self._people = people
        self._kept: _Kept | None = None

    def pull(self, stream: Stream, text: str | None) -> Iterator[Page]:
        """Pages of what changed; the last one is always there."""
        cursor, begins = next_pass(text, self._client.now(), MONTHLY)
        found = self._asked(stream, cursor)
        if stream is Stream.FIELD_CHANGES and self._kept and self._kept.covers(cursor):
            found = self._kept.replayed(cursor)
        last = cursor
        for records, last in found:
            yield Page(stream, records, last.text(), begins_full=begins)
            begins = False
        if stream is Stream.FIELD_CHANGES:
            self.close()
        done = Cursor(until=last.until, full_at=last.full_at, since=last.since, done=True)
        yield Page(stream, (), done.text(), begins_full=begins, ends_full=cursor.since is None)

    def close(self) -> None:
        """Forget what was kept."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _asked(self, stream: Stream, cursor: Cursor) -> Iterator[tuple[list[Record], Cursor]]:
        moves = stream is Stream.STAGE_CHANGES
        if moves:
            self.close()
        keeping = self._kept = _Kept(cursor.since) if moves and cursor.after is None else self._kept
        people = self._people()
        changes = partial(field_changes, zone=self._zone(), people=people)
        read_moves = partial(stage_changes, people=people)
        for rows, place in self._rows(cursor):
            read = [change for row in rows for change in (read_moves(row) if moves else changes(row))]
            if moves and keeping is not None:
                keeping.keep([change for row in rows for change in changes(row)])
                keeping.place = place
            yield list(read), place
        if moves and keeping is not None:
            keeping.whole = True

    def _rows(self, cursor: Cursor) -> Iterator[tuple[list[Row], Cursor]]:
        if cursor.since is not None:
            until, ids = self._deals.since(cursor.since, Stream.STAGE_CHANGES)
            following = msgspec.structs.replace(cursor, until=until)
            for first in range(0, len(ids), AT_ONCE):
                some = ids[first : first + AT_ONCE]
                # Where this is cut, all that changed is asked for again.
                yield batch_read(self._client, "deals", some, [], PROPERTIES), cursor
            yield [], following
            return
        query = [("limit", str(AT_ONCE)), ("propertiesWithHistory", ",".join(PROPERTIES))]
        path = self._client.reading.objects("deals")
        for page in self._client.pages(path, query, name="the histories of deals", after=cursor.after):
            cursor = msgspec.structs.replace(cursor, after=page.after)
            yield page.results, cursor


class _Kept:
    """Field changes on the disk, out of the memory's way and gone with the process."""

    def __init__(self, since: datetime | None) -> None:
        self.since = since
        self.place: Cursor | None = None
        self.whole = False
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been read

    def covers(self, cursor: Cursor) -> bool:
        """Whether it holds all that a pass asks for."""
        if not self.whole or cursor.after is not None:
            return False
        return self.since is None or (cursor.since is not None and self.since <= cursor.since)

    def keep(self, changes: Sequence[FieldChange]) -> None:
        for change in changes:
            self._file.write(msgspec.json.encode(tuple(change)) + b"\n")

    def replayed(self, cursor: Cursor) -> Iterator[tuple[list[Record], Cursor]]:
        """What was kept, in pages; where this is cut, all is asked for."""
        told = self.place or cursor
        place = msgspec.structs.replace(cursor, until=told.until, full_at=told.full_at)
        self._file.seek(0)
        lines = map(_line.decode, self._file)
        while some := list(islice(lines, _PAGE)):
            yield [FieldChange(*values) for values in some], place
        yield [], place

    def close(self) -> None:
        self._file.close()


_line: Final = msgspec.json.Decoder(
    tuple[str, str, str, str, str | None, str | None, datetime, str | None, str, str | None]
)


def stage_changes(row: Row, people: People) -> list[StageChange]:
    """The moves of a deal, oldest first; the first comes from nowhere, unless older ones are not kept any more."""
    found: list[StageChange] = []
    versions = _versions(row, "dealstage")
    stage = versions[0][1].value if len(versions) >= KEPT else None
    for at, change in versions:
        if change.value and change.value != stage:
            id_ = f"{row.id}:{n.milliseconds(at)}"
            found.append(StageChange(id_, row.id, stage, change.value, at, _by(change, people)))
            stage = change.value
    return found


def field_changes(row: Row, zone: tzinfo, people: People) -> list[FieldChange]:
    """The changes of a deal's fields, in the forms that the fields have with us."""
    found: list[FieldChange] = []
    histories = {name: _versions(row, name) for name in PROPERTIES}
    made = min((versions[0][0] for versions in histories.values() if versions), default=None)
    for name, (field, read) in _read(zone).items():
        versions = [(at, change, read(change.value)) for at, change in histories[name]]
        first = None  # what it was before the oldest version, where that came later than the deal
        if versions and made and versions[0][0] - made > _AT_BIRTH and len(versions) < KEPT:
            first = (made, versions[0][1], None)
        for (_, _, old), (at, change, new) in pairwise([first, *versions] if first else versions):
            if old != new:
                id_ = f"{row.id}:{name}:{n.milliseconds(at)}"
                source = SOURCES.get(change.sourceType, change.sourceType.lower() or None)
                found.append(
                    FieldChange(
                        id_, "opportunity", row.id, field, old, new, at, _by(change, people), source=source
                    )
                )
    return found


def _read(zone: tzinfo) -> Mapping[str, tuple[str, Callable[[str | None], str | None]]]:
    """Property → our field, and how its values are told."""

    def day(value: str | None) -> str | None:
        on = n.day_in(value, zone)
        return on.isoformat() if on else None

    return {
        "closedate": ("close_date", day),
        "amount": ("amount", _amount),
        "dealstage": ("stage", n.text),
        "pipeline": ("pipeline", n.text),
        "hubspot_owner_id": ("owner", n.text),
        "hs_next_step": ("next_step", n.text),
    }


PROPERTIES: Final = ("dealstage", "closedate", "amount", "pipeline", "hubspot_owner_id", "hs_next_step")
FIELDS: Final = frozenset(FieldChange._fields)
TOLD: Final = frozenset({"close_date", "amount", "stage", "pipeline", "owner", "next_step"})
"""Our fields whose changes are all told."""


def _amount(value: str | None) -> str | None:
    number = n.number(value)
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _versions(row: Row, name: str) -> list[tuple[datetime, Change]]:
    """The versions of a property, oldest first: they come newest first."""
    versions = (row.propertiesWithHistory or {}).get(name) or []
    dated = ((n.instant(version.timestamp), version) for version in reversed(versions))
    return sorted(((at, version) for at, version in dated if at is not None), key=lambda one: one[0])


def _by(change: Change, people: People) -> str | None:
    """Histories name the user, all else names the owner; one who owns nothing, as our own app, is nobody's name."""
    return people.get(str(change.updatedByUserId))
