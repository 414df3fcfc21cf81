"""Snoozes: a person puts the flags of one record aside in the CRM, for 30 days at most (rules.md §4.9).

The days count from when the date was set, as histories tell; where they do not, from when the field or the record
itself was first there to be seen. So nothing has to be kept, and a past day can be judged again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pipelint.engine.cache.encode import instant, microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.errors import Problem
from pipelint.records import Stream
from pipelint.rules.compile import CompiledPack
from pipelint.rules.explain import Row
from pipelint.rules.pack import Pack, native_names
from pipelint.rules.read_snooze import REASON, SNOOZE, UNTIL
from pipelint.rules.waivers import Waiver
from pipelint.rules.zones import date_of

LONGEST = timedelta(days=30)
_NAMED = 3


class Snoozes:
    """The snoozes of one kind of record on one connection."""

    def __init__(self, cache: Cache, pack: Pack, compiled: CompiledPack, connection: str, crm: str) -> None:
        self.cache = cache
        self.connection = connection
        self.moment = compiled.moment
        self.mapped = pack.fields.get(UNTIL.name) if compiled.kind == "opportunity" else None
        names = native_names(self.mapped.names, crm, connection) if self.mapped else ()
        self.native = f"custom.{names[0]}" if names else ""

    def of(self, record: str, row: Row) -> Waiver | None:
        """The snooze of a record, where it has a day that has not passed and a reason."""
        until, reason = row.get(UNTIL.main.name), row.get(REASON.main.name)
        today = self.moment.today
        if self.mapped is None or until is None or reason is None or int(until) < today:
            return None
        at, by = self._set(record)
        last = min(int(until), self.moment.calendar.day_of(instant(at)) + LONGEST.days)
        if last < today:
            return None
        end = date_of(last)
        return Waiver((), ("opportunity",), str(reason), by, end, self.mapped.place, snoozed=True)

    def _set(self, record: str) -> tuple[int, str]:
        """When the day was set, in microseconds UTC, and by whom, where the CRM tells."""
        as_of = microseconds(self.moment.as_of)
        key = (self.connection, Stream.OPPORTUNITIES.value)
        changed = self.cache.db.execute(
            """
            SELECT c.at, coalesce(w.name, c."by", '') FROM field_change c
            LEFT JOIN owner w ON w.connection = c.connection AND w.id = c."by"
            WHERE c.connection = ? AND c.kind = ? AND c.record = ? AND c.field = ? AND c.at <= ?
            ORDER BY c.at DESC LIMIT 1
            """,
            (*key, record, self.native, as_of),
        ).fetchone()
        if changed is not None:
            return int(changed[0]), str(changed[1])
        query = """
            SELECT max(h.since, coalesce(o.created_at, h.since)) FROM held h
            LEFT JOIN opportunity o ON o.connection = h.connection AND o.id = ?
            WHERE h.connection = ? AND h.stream = ? AND h.field = ? AND h.since <= ?
            ORDER BY h.since DESC LIMIT 1
        """
        seen = self.cache.db.execute(query, (record, *key, self.native, as_of)).fetchone()
        return (as_of if seen is None else int(seen[0])), ""


def snooze_fields(pack: Pack, compiled: CompiledPack) -> frozenset[str]:
    """What has to be prepared for it."""
    return frozenset(SNOOZE) & pack.fields.keys() if compiled.kind == "opportunity" else frozenset()


def snooze_notices(cache: Cache, pack: Pack, compiled: Mapping[str, CompiledPack]) -> Iterator[Problem]:
    """Days without a reason, which waive nothing; `compiled` is by prepared table."""
    for table, each in compiled.items():
        if not snooze_fields(pack, each):
            continue
        query = f"""
            SELECT coalesce(name, id) FROM "{table}"
            WHERE "{UNTIL.main.name}" >= ? AND "{REASON.main.name}" IS NULL ORDER BY 1
        """
        names = [name for (name,) in cache.db.execute(query, (each.moment.today,))]
        if names:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            what = f"a day to snooze until, but no reason, so nothing is waived: {', '.join(names[:_NAMED])}{more}"
            yield Problem(pack.fields[REASON.name].place, what, "write why into the record", "", "warning")
