"""Looking back: a connection's records as they were at a past moment, and what was known of them by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from pipelint.config.project import Connection
from pipelint.engine.cache.coverage import beginnings, held_at
from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.rebuild import rebuilt
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.delivered import delivered, delivered_by
from pipelint.engine.pull import Progress
from pipelint.errors import UsageError
from pipelint.rules.calendar import Calendar
from pipelint.rules.catalogue import RECORD_STREAM, RecordKind
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered, inputs_of


@contextmanager
def looking_back(
    cache: Cache, connection: Connection, calendar: Calendar, at: datetime, progress: Progress
) -> Iterator[Delivered]:
    """What the connection had delivered by then; meanwhile all that reads its records reads those of then.

    Raises:
        UsageError: nothing had been pulled by then.
    """
    held = held_at(cache.db, connection.name, at)
    said = delivered_by(delivered(cache, connection), held)
    if not said.fields.keys() & {*RECORD_STREAM.values()}:
        _too_early(cache, connection, calendar)
    with rebuilt(
        cache,
        connection.name,
        microseconds(at),
        held,
        lambda stream, rows: progress(connection.name, stream, rows),
    ):
        yield said


def _too_early(cache: Cache, connection: Connection, calendar: Calendar) -> None:
    """Refuse a day before anything is known, unless nothing is known at all, which is told otherwise."""
    for first in beginnings(cache.db, connection.name):
        held = held_at(cache.db, connection.name, first)
        if held.keys() & {*RECORD_STREAM.values()}:
            local = f"{calendar.local(first):%Y-%m-%d %H:%M}"
            raise UsageError(
                f"{connection.name} is known from {local} on, when its first pull ended",
                hint=f"look at {local[:10]} or a later day, or name other connections with --connection",
            )


def known_from(
    cache: Cache, pack: Pack, kind: RecordKind, connection: Connection, at: datetime
) -> Mapping[str, datetime]:
    """The local moment from which on each field is known that was not at `at`, as the pack calls it."""
    now = delivered(cache, connection)
    found: dict[str, datetime] = {}
    lacking = set(inputs_of(pack, kind, delivered_by(now, held_at(cache.db, connection.name, at))).unsynced)
    for later in beginnings(cache.db, connection.name):
        if later > at and lacking:
            said = delivered_by(now, held_at(cache.db, connection.name, later))
            known = lacking.difference(inputs_of(pack, kind, said).unsynced)
            found |= dict.fromkeys(known, pack.settings.calendar.local(later))
            lacking -= known
    return found
