"""Activities of HubSpot's five kinds to ours: when one happened, when it is planned, and whom it concerns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from pipelint.connectors.hubspot import normalise as n
from pipelint.connectors.hubspot.readers import STAMP, Given, stamp
from pipelint.records import Activity, ActivityLink, Record

Moments: TypeAlias = tuple[datetime | None, datetime | None]
"""When something happened, and when it is planned."""


def activity(
    kind: str,
    word: str,
    subject: str,
    moments: Callable[[Given], Moments],
) -> Callable[[Given], list[Record]]:
    """A reader for one kind of activity; `moments` says when it happened, and when it is planned."""

    def read(given: Given) -> list[Record]:
        p = given.row.properties
        happened, planned = moments(given)
        found = Activity(
            id=f"{kind}:{given.row.id}",  # each object type counts by itself
            modified_at=stamp(p, STAMP),
            type=word,
            direction=_DIRECTIONS.get(p.get("hs_call_direction") or p.get("hs_email_direction") or ""),
            subject=n.text(p.get(subject)) if subject else None,
            happened_at=happened,
            planned_at=planned,
            owner=n.text(p.get("hubspot_owner_id")),
        )
        links = [
            ActivityLink(ours, link.to, found.id)
            for theirs, ours in LINKED_KINDS.items()
            for link in given.linked.get(theirs, ())
        ]
        return [found, *links]

    return read


def at_its_time(given: Given) -> Moments:
    """A call, note or e-mail happens at its time, and is planned until then."""
    at = n.instant(given.row.properties.get("hs_timestamp"))
    return (at, None) if at is None or at <= given.reading.now else (None, at)


def meeting(given: Given) -> Moments:
    """A meeting has happened when it is over, unless it was called off."""
    p = given.row.properties
    start = n.instant(p.get("hs_meeting_start_time") or p.get("hs_timestamp"))
    ends = n.instant(p.get("hs_meeting_end_time")) or start
    if (p.get("hs_meeting_outcome") or "").upper() in {"CANCELED", "CANCELLED", "NO_SHOW", "RESCHEDULED"}:
        return None, None
    return (start, None) if ends is None or ends <= given.reading.now else (None, start)


def task(given: Given) -> Moments:
    """A task is done when it is ticked off; its time is when it is due."""
    p = given.row.properties
    due = n.instant(p.get("hs_timestamp"))
    if (p.get("hs_task_status") or "").upper() != "COMPLETED":
        return None, due
    return n.instant(p.get("hs_task_completion_date")) or due or stamp(p, STAMP), None


_DIRECTIONS: Final = {
    "INBOUND": "inbound",
    "OUTBOUND": "outbound",
    "INCOMING_EMAIL": "inbound",
    "EMAIL": "outbound",
    "FORWARDED_EMAIL": "outbound",
}

LINKED_KINDS: Final = {"deals": "opportunity", "contacts": "contact", "companies": "account"}
"""The types that activities are followed for → our kinds."""
