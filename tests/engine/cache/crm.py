"""A CRM made of pages, for tests of the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import RECORD_TYPES, Record, Stream

CRM = "acme"
START = datetime(2026, 1, 1, tzinfo=UTC)


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def supply(stream: Stream, *custom: str, without: Sequence[str] = ()) -> Supply:
    names = frozenset(RECORD_TYPES[stream]._fields) - frozenset(without)
    return Supply(stream, names, frozenset(custom))


def page(stream: Stream, *records: Record, deleted: Sequence[str] = (), cursor: str = "next") -> Page:
    return Page(stream, records, cursor, deleted)


def pulled(
    cache: Cache,
    *pages: Page,
    at: datetime = START,
    full: bool = False,
    supplied: Supply | None = None,
) -> int:
    """One complete pull of one stream; how many records went."""
    offered = supplied or supply(pages[0].stream)
    number = cache.begin_pull(CRM)
    if cache.begin_stream(CRM, offered, number, full=full) is None:
        pages = whole(*pages)
    stored = [cache.store(CRM, each, offered, number, at) for each in pages]
    cache.finish_stream(CRM, offered, at)
    return sum(each.deleted for each in stored)


def whole(*pages: Page) -> tuple[Page, ...]:
    """The pages of a full pull."""
    first, *rest = pages
    *before, last = (replace(first, begins_full=True), *rest)
    return (*before, replace(last, ends_full=True))


def rows(cache: Cache, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in cache.db.execute(query)]


def dump(cache: Cache) -> dict[str, list[tuple[object, ...]]]:
    """Everything held, without the numbers of the pulls."""
    held = {}
    for stream in Stream:
        names = [row[1] for row in cache.db.execute(f"PRAGMA table_info({stream.value})")]
        columns = ", ".join(f'"{name}"' for name in names if name != "pull")
        held[stream.value] = rows(cache, f"SELECT {columns} FROM {stream.value} ORDER BY {columns}")
    return held
