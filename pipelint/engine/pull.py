"""Bring what changed in a CRM into the cache: page by page, to be continued wherever it was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pipelint.connectors.base import Connector, Page
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.clock import Clock
from pipelint.engine.crm_schema import observe
from pipelint.engine.stopping import Stopping
from pipelint.errors import CacheUnusable, CursorUnreadable, PipelintError
from pipelint.records import Stream

_log = logging.getLogger(__name__)


class Progress(Protocol):
    """Told after every page."""

    def __call__(self, connection: str, stream: Stream, records: int) -> None:
        """So many records of the stream have been stored in this pull."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What one stream brought."""

    stream: Stream
    full: bool = False
    """Whether everything was asked for, rather than changes alone."""
    stored: int = 0
    deleted: int = 0
    api_calls: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PullResult:
    """What one connection brought; with an error, all before it is stored and the next pull goes on there."""

    connection: str
    streams: tuple[StreamResult, ...]
    api_calls: int
    seconds: float
    error: PipelintError | None = None

    @property
    def stored(self) -> int:
        return sum(each.stored for each in self.streams)

    @property
    def deleted(self) -> int:
        return sum(each.deleted for each in self.streams)


def silent(connection: str, stream: Stream, records: int) -> None:
    """Progress that nobody watches."""


def pull(
    cache: Cache,
    connector: Connector,
    custom: Mapping[Stream, Sequence[str]],
    *,
    clock: Clock,
    stopping: Stopping,
    full: bool = False,
    progress: Progress = silent,
) -> PullResult:
    """Pull all streams of a connection: what changed, or everything if `full` or new to the cache.

    An error of the CRM ends the connection's pull and is part of the result. One of the cache is raised:
    no other connection could go on either.
    """
    started, calls = clock(), connector.api_calls
    results: list[StreamResult] = []
    error = None
    try:
        number = cache.begin_pull(connector.name)
        streams = connector.streams()
        for stream in cache.streams(connector.name).keys() - _with_links(streams):
            cache.withdraw(connector.name, stream)
        for stream in streams:
            stopping.check()
            results.append(StreamResult(stream))
            for results[-1] in _pull_stream(
                cache, connector, stream, custom.get(stream, ()), number, clock, full
            ):
                progress(connector.name, stream, results[-1].stored)
                stopping.check()
        observe(cache, connector, started)
    except CacheUnusable:
        raise
    except PipelintError as caught:
        error = caught
    seconds = (clock() - started).total_seconds()
    return PullResult(connector.name, tuple(results), connector.api_calls - calls, seconds, error)


def _pull_stream(
    cache: Cache,
    connector: Connector,
    stream: Stream,
    custom: Sequence[str],
    number: int,
    clock: Clock,
    full: bool,
) -> Iterator[StreamResult]:
    """The result so far, after every page."""
    started, calls = clock(), connector.api_calls
    supply = connector.supply(stream, custom)
    cursor = cache.begin_stream(connector.name, supply, number, full=full)
    result = StreamResult(stream, full=cursor is None)
    _log.info("pulling", extra={"connection": connector.name, "stream": stream.value, "full": result.full})
    for page in _pages(connector, stream, cursor, custom):
        stored, deleted = cache.store(connector.name, page, supply, number, clock())
        result = replace(
            result,
            full=result.full or page.begins_full,
            stored=result.stored + stored,
            deleted=result.deleted + deleted,
            api_calls=connector.api_calls - calls,
            seconds=(clock() - started).total_seconds(),
        )
        yield result
    # A history may know only now up to when it is complete.
    cache.finish_stream(connector.name, connector.supply(stream, custom), started)
    _log.info(
        "pulled",
        extra={
            "connection": connector.name,
            "stream": stream.value,
            "stored": result.stored,
            "deleted": result.deleted,
            "api_calls": result.api_calls,
        },
    )
    if stream is Stream.ACTIVITIES:
        # Links come on the pages of their activities, so only their supply remains to be put in force.
        links = connector.supply(Stream.ACTIVITY_LINKS, ())
        nothing = Page(links.stream, (), cursor="", begins_full=True, ends_full=True)
        cache.store(connector.name, nothing, links, number, clock())


def _pages(connector: Connector, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
    """What the connector delivers; from the beginning where another version of pipelint kept the place."""
    try:
        yield from connector.pull(stream, cursor, custom)
    except CursorUnreadable:
        if cursor is None:
            raise
        _log.warning("pulling anew", extra={"connection": connector.name, "stream": stream.value})
        yield from connector.pull(stream, None, custom)


def _with_links(streams: Sequence[Stream]) -> set[Stream]:
    return {*streams, Stream.ACTIVITY_LINKS} if Stream.ACTIVITIES in streams else {*streams}
