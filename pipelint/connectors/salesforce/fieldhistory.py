"""Changes of opportunities' fields: those of OpportunityHistory whole, others where the org tracks them.

OpportunityHistory holds amount, close date, probability and forecast category of every opportunity from its
creation on. OpportunityFieldHistory holds only fields that an admin has chosen (20 at most), from that day
on, for 18 to 24 months (fact sheet §4): it says more, but never that nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace as with_
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any, Final

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.salesforce import normalise as n
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.cursor import read_cursor
from pipelint.connectors.salesforce.describe import SObjectInfo
from pipelint.connectors.salesforce.history import Telling
from pipelint.connectors.salesforce.sobject import SObject, Source, from_
from pipelint.records import FieldChange, Stream

HELD: Final[Mapping[str, tuple[str, Callable[[Any], str | None]]]] = {
    "amount": ("Amount", n.plain),
    "close_date": ("CloseDate", n.text),
    "probability": ("Probability", n.plain),
    "forecast_category": ("ForecastCategory", n.text),
}
"""What OpportunityHistory holds beside stages: canonical field → column and how it is written."""

TRACKED: Final[Mapping[str, str]] = {
    "Name": "name",
    "NextStep": "next_step",
    "Type": "type",
    "LeadSource": "source",
    "Owner": "owner",
    "Account": "account",
}
"""What OpportunityFieldHistory calls the other canonical fields."""

FIELDS: Final = frozenset(FieldChange._fields) - {"source"}


def held(info: SObjectInfo) -> dict[str, tuple[str, Callable[[Any], str | None]]]:
    """The fields whose every change is told, as this user sees the history."""
    return {field: source for field, source in HELD.items() if info.sees(source[0])}


def telling(info: SObjectInfo) -> Telling:
    """How field changes are read out of OpportunityHistory."""
    fields = held(info)
    columns = [column for column, _ in fields.values()]
    return Telling(Stream.FIELD_CHANGES, columns, partial(field_changes, fields=fields))


def field_changes(
    rows: Sequence[Row], fields: Mapping[str, tuple[str, Callable[[Any], str | None]]] = HELD
) -> list[FieldChange]:
    """The field changes of one opportunity, from its rows in order; the first row is its creation.

    >>> row = {"OpportunityId": "o", "CreatedDate": "2026-11-21T10:00:00Z", "CreatedById": None}
    >>> row |= {"Amount": None, "Probability": 10, "ForecastCategory": "Pipeline"}
    >>> rows = [row | {"Id": day, "CloseDate": day} for day in ("2026-12-01", "2026-12-01", "2027-01-01")]
    >>> [(change.field, change.old, change.new) for change in field_changes(rows)]
    [('close_date', '2026-12-01', '2027-01-01')]
    """
    found = []
    for before, after in pairwise(rows):
        for field, (column, read) in fields.items():
            old, new = read(before[column]), read(after[column])
            if old != new:
                found.append(
                    FieldChange(
                        id=f"{n.identity(after['Id'])}:{field}",
                        kind="opportunity",
                        record=str(n.identity(after["OpportunityId"])),
                        field=field,
                        old=old,
                        new=new,
                        at=n.moment(after["CreatedDate"]),
                        by=n.identity(after["CreatedById"]),
                    )
                )
    return found


def _canonical(api: str) -> str:
    return TRACKED.get(api, f"custom.{api}")


def _tracked_change(
    id: str,  # noqa: A002 - the record's own names
    record: str,
    field: str,
    old: str | None,
    new: str | None,
    at: datetime,
    by: str | None,
) -> FieldChange | None:
    """A change of a lookup comes twice, by name and by id: the id is what the record holds."""
    if field in {"owner", "account"} and not all(n.is_id(value) for value in (old, new) if value):
        return None
    return FieldChange(id, "opportunity", record, field, old, new, at, by)


TRACKED_CHANGE: Final = SObject(
    "OpportunityFieldHistory",
    _tracked_change,
    {
        "id": from_("Id", read=n.identity),
        "record": from_("OpportunityId", read=n.identity),
        "field": from_("Field", read=_canonical),
        "old": from_("OldValue", read=n.history_text),
        "new": from_("NewValue", read=n.history_text),
        "at": from_("CreatedDate", read=n.moment),
        "by": Source(("CreatedById",), n.identity),
    },
    stamp="CreatedDate",
)


def tracked(custom: Collection[str]) -> SObject:
    """The history of tracked fields, of those alone that are pulled: others stay in the CRM."""
    names = soql.listed([*TRACKED, *sorted(custom)])
    return with_(TRACKED_CHANGE, where=f"Field IN {names}")


class Place(msgspec.Struct, frozen=True):
    """Where each history continues, which one is being read, and whether everything is being read."""

    cursors: tuple[str | None, ...] = (None, None)
    turn: int = 0
    full: bool = False


def pull(text: str | None, histories: Sequence[Callable[[str | None], Iterator[Page]]]) -> Iterator[Page]:
    """The pages of several histories as one stream, one history after the other."""
    place = msgspec.json.decode(text, type=Place) if text else Place()
    for turn, pages in enumerate(histories):
        if turn < place.turn:
            continue
        for page in pages(place.cursors[turn]):
            over = read_cursor(page.cursor).done
            ends = over and turn + 1 == len(histories)
            begins, full = page.begins_full and not place.full, place.full or page.begins_full
            cursors = (*place.cursors[:turn], page.cursor, *place.cursors[turn + 1 :])
            place = Place(cursors, 0 if ends else turn + over, full and not ends)
            yield with_(
                page,
                cursor=msgspec.json.encode(place).decode(),
                begins_full=begins,
                ends_full=ends and full,
            )
