"""What the cache holds of a connection, now or by a past moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelint.config.project import Connection
from pipelint.engine.cache.coverage import Held
from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.cache.undo_log import LOGGED
from pipelint.records import Stream
from pipelint.rules.supply import Delivered

_HISTORY_FIELDS = frozenset({"field", "old", "new", "at", "by"})


def delivered(cache: Cache, connection: Connection) -> Delivered:
    """What the cache holds of a connection; changes between pulls are known since its first pull."""
    streams = cache.streams(connection.name)
    supplies = {stream: state.supply for stream, state in streams.items() if state.supply}
    fields = {stream: supply.fields for stream, supply in supplies.items()}
    since = {
        stream: microseconds(supply.complete_since)
        for stream, supply in supplies.items()
        if supply.complete_since is not None
    }
    opportunities = streams.get(Stream.OPPORTUNITIES)
    history = supplies.get(Stream.FIELD_CHANGES)
    if opportunities and opportunities.first_pull_at is not None and (history is None or history.whole):
        fields.setdefault(Stream.FIELD_CHANGES, _HISTORY_FIELDS)
        since[Stream.FIELD_CHANGES] = microseconds(opportunities.first_pull_at)
    custom = {stream: supply.custom for stream, supply in supplies.items()}
    whole = history.whole if history else frozenset[str]()
    last_only = {stream: supply.last_only for stream, supply in supplies.items() if supply.last_only}
    return Delivered(connection.name, connection.crm, fields, custom, since, whole, last_only)


def delivered_by(now: Delivered, held: Mapping[Stream, Held]) -> Delivered:
    """What was held at a past moment: rows as far as they had been pulled, and what histories tell today.

    Activities without their links would look as if there were none.
    """
    fields = {stream: names for stream, names in now.fields.items() if stream not in LOGGED}
    custom: dict[Stream, frozenset[str]] = {}
    for stream, each in held.items():
        if stream in LOGGED:
            fields[stream] = each.fields
            custom[stream] = each.custom
    if Stream.ACTIVITY_LINKS not in fields:
        fields.pop(Stream.ACTIVITIES, None)
    return replace(now, fields=fields, custom=custom)
