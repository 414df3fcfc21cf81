"""How people name a record: by `connection:kind/id`, by its bare id, or by its address in the CRM."""

from __future__ import annotations

from typing import Protocol

from pipelint.engine.cache.sqlite import Cache
from pipelint.errors import UsageError
from pipelint.rules.catalogue import RECORD_STREAM, RecordKind


class Identified(Protocol):
    """What has an identity."""

    @property
    def connection(self) -> str: ...
    @property
    def kind(self) -> RecordKind: ...
    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str | None: ...


def matches(given: str, record: Identified) -> bool:
    """Whether what a person wrote means this record."""
    return given in {record.id, record.url, f"{record.connection}:{record.kind}/{record.id}"}


def candidates(cache: Cache, given: str) -> list[tuple[str, RecordKind, str]]:
    """Connection, kind and id of every record that can be meant."""
    found: list[tuple[str, RecordKind, str]] = []
    connection, _, rest = given.rpartition(":") if "://" not in given else ("", "", given)
    kind_given, _, id_given = rest.partition("/") if connection else ("", "", rest)
    for kind, stream in RECORD_STREAM.items():
        if connection and kind_given != kind:
            continue
        query = f"SELECT connection, id FROM {stream.value} WHERE (id = ? OR url = ?)"
        rows = cache.db.execute(query, (id_given, given))
        found += [(name, kind, str(record)) for name, record in rows if not connection or name == connection]
    return found


def not_cached(cache: Cache, given: str) -> UsageError:
    """The mistake of naming a record that is not there, by whether the connections that are meant were ever pulled."""
    what = f"there is no record '{given}' in the cache"
    query = "SELECT DISTINCT connection FROM sync_state WHERE first_pull_at IS NOT NULL"
    pulled = {name for (name,) in cache.db.execute(query)}
    connection = given.rpartition(":")[0] if "://" not in given else ""
    if connection in pulled or (pulled and not connection):
        what += ": it was deleted or merged in the CRM, or never seen by a pull"
        return UsageError(what, hint="check the id; of a merged record, take the id of the one that was kept")
    return UsageError(what, hint="pull first, and check the id")


def find(cache: Cache, given: str) -> tuple[str, RecordKind, str]:
    """Connection, kind and id of the one record that is meant.

    Raises:
        UsageError: there is none, or the bare id stands for several.
    """
    found = candidates(cache, given)
    if len(found) == 1:
        return found[0]
    if not found:
        raise not_cached(cache, given)
    names = ", ".join(f"{name}:{kind}/{record}" for name, kind, record in found)
    raise UsageError(f"'{given}' stands for several records", hint=f"write one of: {names}")
