"""What deals, contacts and companies say about their activities (fact sheet §9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipelint.sandbox.hubspot.links import Links
from pipelint.sandbox.hubspot.object_types import (
    ACTIVITIES,
    CALLS,
    EMAILS,
    MEETINGS,
    TASKS,
    ObjectType,
)
from pipelint.sandbox.hubspot.store import Store
from pipelint.sandbox.hubspot.values import Row


class Moment(NamedTuple):
    """One activity: when it is or was; a task is done by its status, everything else by the clock."""

    kind: ObjectType
    at: int
    done: bool


def summary(activities: Sequence[Moment], now: int) -> Row:
    """The calculated properties; what is planned for a moment that has passed counts for nothing."""
    past = [it for it in activities if it.at <= now and (it.done or it.kind is not TASKS)]
    contacts = [it for it in past if it.kind in {CALLS, EMAILS, MEETINGS}]
    planned = [it.at for it in activities if it.at > now and not it.done]
    return {
        "notes_last_updated": max((it.at for it in past), default=None),
        "notes_last_contacted": max((it.at for it in contacts), default=None),
        "notes_next_activity_date": min(planned, default=None),
        "num_notes": str(len(activities)),
        "num_contacted_notes": str(len(contacts)),
    }


def roll_up(store: Store, links: Links, kind: ObjectType, record: int, now: int) -> Row:
    """The summary of all activities linked with a record."""
    found: list[Moment] = []
    for activity in ACTIVITIES:
        linked = links.ids(kind, record, activity)
        if linked:
            status = "hs_task_status" if activity is TASKS else "NULL"
            marks = ", ".join("?" * len(linked))
            found += (
                Moment(activity, it[0], it[1] == "COMPLETED")
                for it in store.rows(
                    f"SELECT hs_timestamp, {status} FROM {activity.name}"
                    f" WHERE hs_object_id IN ({marks}) AND NOT _archived AND hs_timestamp IS NOT NULL",
                    linked,
                )
            )
    return summary(found, now)
